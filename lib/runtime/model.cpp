#include "linnet/model.h"

#include "core/limits.h"
#include "core/try.h"
#include "format/model_file.h"
#include "ops/operations.h"

namespace linnet {
namespace {

// The names that an enumeration of the schema has, asked of the generated table.
template <class Enum, class Name>
bool has_name(std::string_view name, Enum last, Name enum_name) {
  for (int i = 0; i <= static_cast<int>(last); ++i)
    if (name == enum_name(static_cast<Enum>(i))) return true;
  return false;
}

bool readable(schema::Encoding encoding) { return format::tensor_bytes(encoding, 1, 1, 1) != 0; }

// Whether this build has what a requirement names: "operation:Linear", "encoding:int4", "state:token", "program:encoder".
bool known(std::string_view requirement) {
  size_t colon = requirement.find(':');
  if (colon == std::string_view::npos) return false;
  std::string_view kind(requirement.data(), colon), name(requirement.data() + colon + 1, requirement.size() - colon - 1);
  if (kind == "operation") return ops::operation_by_name(name) != nullptr;
  if (kind == "encoding") {
    for (int i = 0; i <= static_cast<int>(schema::Encoding::MAX); ++i) {
      auto encoding = static_cast<schema::Encoding>(i);
      if (name == schema::EnumNameEncoding(encoding)) return readable(encoding);
    }
    return false;
  }
  // Recurrent state has no operation yet that reads or writes it.
  if (kind == "state") return name == "token" || name == "source";
  if (kind == "feature") return has_name(name, schema::Feature::MAX, schema::EnumNameFeature);
  if (kind == "program") return has_name(name, schema::ProgramKind::MAX, schema::EnumNameProgramKind);
  return false;
}

// Positions that are counted from ids lie beside them, and the id that has none of its own is within the bound.
bool counts_tokens(const format::Program& program, const format::Value& positions) {
  bool has_ids = false;
  for (const format::Port& port : program.inputs) has_ids = has_ids || port.role == schema::Role::token_ids;
  return has_ids && positions.columns == 1 && ops::is_symbol(positions.rows, schema::Symbol::tokens) &&
         static_cast<uint32_t>(program.padding_id) < positions.bound;
}

// A session writes the inputs of a program (batch.cpp): one port of each role is checked at each run, rows belong to sequences, features
// are patches, pixels images, one port alone takes either, and the longest context must be within the bound of a length. What differs from
// that is refused here.
Status check_inputs(const format::Program& program) {
  using schema::Role;
  bool seen[UINT8_MAX + 1] = {};
  for (const format::Port& port : program.inputs) {
    const format::Value& value = program.values[port.value];
    const bool pixels = port.role == Role::pixels, features = pixels || port.role == Role::features || port.role == Role::embeddings;
    bool& before = seen[static_cast<size_t>(features ? Role::features : port.role)];
    const char* wrong = nullptr;
    if (before)
      wrong = "another input has its role";
    else if (value.rows.constant != 0)
      wrong = "it has rows that belong to no sequence";
    else if (pixels && !ops::is_symbol(value.rows, schema::Symbol::images))
      wrong = "pixels have one row for each of images";
    else if (features && !pixels && !ops::is_symbol(value.rows, schema::Symbol::patches))
      wrong = "features have one row for each of patches";
    else if (port.role == Role::positions && program.padding_id >= 0 && !counts_tokens(program, value))
      wrong = "positions that pass over an id have one row for each of tokens, and ids to look at";
    else if (port.role == Role::lengths && value.bound <= core::limits::kContext)
      wrong = "the bound of lengths is above the longest context";
    before = true;
    if (wrong)
      return Status::error(Code::corrupt, "program \"%.*s\": input \"%.*s\": %s", static_cast<int>(program.name.size()),
                           program.name.data(), static_cast<int>(port.name.size()), port.name.data(), wrong);
  }
  return {};
}

Status verify_programs(const format::ModelFile& file) {
  for (const format::Program& program : file.programs()) {
    LINNET_TRY(ops::verify_program(program, file.tensors(), file.states()));
    LINNET_TRY(check_inputs(program));
  }
  return ops::verify_source(file.programs(), file.states());
}

Result<format::ModelFile*> verified(Result<format::ModelFile*> opened) {
  if (!opened.ok()) return opened;
  format::ModelFile* file = *opened;
  Status status = verify_programs(*file);
  if (status.ok()) return file;
  status = file->named(status);
  file->release();
  return status;
}

PortInfo describe(const format::Program& program, const format::Port& port) {
  const format::Value& value = program.values[port.value];
  return {port.name,
          schema::EnumNameRole(port.role),
          schema::EnumNameSymbol(value.rows.symbol),
          schema::EnumNameValueType(value.type),
          value.columns,
          value.bound};
}

std::string_view view(const flatbuffers::String* string) {
  return string ? std::string_view(string->c_str(), string->size()) : std::string_view();
}

std::span<const int32_t> view(const flatbuffers::Vector<int32_t>* ids) {
  return ids ? std::span<const int32_t>(ids->data(), ids->size()) : std::span<const int32_t>();
}

}  // namespace

Result<Model> Model::open(const char* path, const OpenOptions& options) noexcept {
  if (!path) return Status::error(Code::invalid_argument, "no path was given");
  LINNET_ASSIGN(format::ModelFile * file, verified(format::ModelFile::open(path, options, known)));
  return Model(file);
}

Result<Model> Model::open(int descriptor, uint64_t offset, uint64_t length, const OpenOptions& options) noexcept {
  LINNET_ASSIGN(format::ModelFile * file, verified(format::ModelFile::open(descriptor, offset, length, options, known)));
  return Model(file);
}

Result<Model> Model::open(const void* bytes, size_t length, const OpenOptions& options) noexcept {
  if (!bytes) return Status::error(Code::invalid_argument, "no bytes were given");
  LINNET_ASSIGN(format::ModelFile * file, verified(format::ModelFile::open(bytes, length, options, known)));
  return Model(file);
}

Model::Model(Model&& other) noexcept : file_(std::exchange(other.file_, nullptr)) {}

Model& Model::operator=(Model&& other) noexcept {
  std::swap(file_, other.file_);
  return *this;
}

Model::~Model() {
  if (file_) file_->release();
}

Model Model::share() const noexcept {
  file_->retain();
  return Model(file_);
}

std::string_view Model::family() const noexcept { return view(file_->root().family()); }

std::string_view Model::task() const noexcept { return schema::EnumNameTask(file_->root().task()); }

size_t Model::metadata_count() const noexcept { return file_->root().metadata() ? file_->root().metadata()->size() : 0; }

std::pair<std::string_view, std::string_view> Model::metadata_at(size_t i) const noexcept {
  if (i >= metadata_count()) return {};
  const schema::KeyValue& entry = *file_->root().metadata()->Get(static_cast<uint32_t>(i));
  return {view(entry.key()), view(entry.value())};
}

size_t Model::prompts() const noexcept { return file_->root().prompts() ? file_->root().prompts()->size() : 0; }

std::pair<std::string_view, std::string_view> Model::prompt(size_t i) const noexcept {
  if (i >= prompts()) return {};
  const schema::KeyValue& entry = *file_->root().prompts()->Get(static_cast<uint32_t>(i));
  return {view(entry.key()), view(entry.value())};
}

std::string_view Model::default_prompt() const noexcept { return view(file_->root().default_prompt()); }

std::string_view Model::metadata(std::string_view key) const noexcept {
  for (size_t i = 0; i < metadata_count(); ++i)
    if (metadata_at(i).first == key) return metadata_at(i).second;
  return {};
}

size_t Model::labels() const noexcept { return file_->root().labels() ? file_->root().labels()->size() : 0; }

std::string_view Model::label(size_t i) const noexcept {
  return i < labels() ? view(file_->root().labels()->Get(static_cast<uint32_t>(i))) : std::string_view();
}

GenerationDefaults Model::generation() const noexcept {
  GenerationDefaults defaults;
  const schema::Generation* table = file_->root().generation();
  if (!table) return defaults;
  defaults.bos = table->bos_id();
  defaults.pad = table->pad_id();
  defaults.decoder_start = table->decoder_start_id();
  defaults.forced_bos = table->forced_bos_id();
  defaults.forced_eos = table->forced_eos_id();
  defaults.eos = view(table->eos_ids());
  defaults.banned = view(table->banned_ids());
  defaults.max_length = table->max_length();
  defaults.min_length = table->min_length();
  defaults.top_k = table->top_k();
  defaults.beams = table->beams();
  defaults.no_repeat_ngram = table->no_repeat_ngram();
  defaults.temperature = table->temperature();
  defaults.top_p = table->top_p();
  defaults.repetition_penalty = table->repetition_penalty();
  defaults.length_penalty = table->length_penalty();
  defaults.sample = table->sample();
  defaults.early_stopping = table->early_stopping();
  return defaults;
}

std::string_view Model::chat_template(std::string_view name) const noexcept {
  if (!file_->root().chat_templates()) return {};
  for (const schema::ChatTemplate* entry : *file_->root().chat_templates())
    if (view(entry->name()) == name) return view(entry->text());
  return {};
}

size_t Model::tensors() const noexcept { return file_->tensors().size(); }

TensorInfo Model::tensor(size_t i) const noexcept {
  if (i >= tensors()) return {};
  const format::Tensor& tensor = file_->tensors()[i];
  return {tensor.name, schema::EnumNameEncoding(tensor.encoding), tensor.rows, tensor.columns, tensor.count, tensor.bytes};
}

size_t Model::programs() const noexcept { return file_->programs().size(); }

ProgramInfo Model::program(size_t i) const noexcept {
  if (i >= programs()) return {};
  const format::Program& program = file_->programs()[i];
  return {program.name,           schema::EnumNameProgramKind(program.kind),
          program.max_positions,  program.inputs.size(),
          program.outputs.size(), program.nodes.size(),
          program.padding_id};
}

PortInfo Model::input(size_t program, size_t i) const noexcept {
  if (program >= programs() || i >= file_->programs()[program].inputs.size()) return {};
  return describe(file_->programs()[program], file_->programs()[program].inputs[i]);
}

PortInfo Model::output(size_t program, size_t i) const noexcept {
  if (program >= programs() || i >= file_->programs()[program].outputs.size()) return {};
  return describe(file_->programs()[program], file_->programs()[program].outputs[i]);
}

uint64_t Model::file_bytes() const noexcept { return file_->file_bytes(); }
uint64_t Model::weight_bytes() const noexcept { return file_->weight_bytes(); }
uint64_t Model::hash() const noexcept { return file_->hash(); }

Status Model::verify(bool (*progress)(void* user, uint64_t done, uint64_t total), void* user) const noexcept {
  return file_->verify_weights(progress, user);
}

}  // namespace linnet
