#include "format/adapter_file.h"

#include <algorithm>
#include <new>

#include "core/limits.h"
#include "core/memory.h"
#include "format/parse.h"

namespace linnet::format {
namespace {

namespace limits = core::limits;
using schema::TargetKind;

// Models are let through here, so that check_requirements can say what they are.
bool known(std::string_view) { return true; }

// What an adapter's container may need: its own kind, and dense tensors.
Status check_requirements(const schema::Model& root) {
  if (!root.adapter()) return Status::error(Code::unsupported, "it is a model, expected an adapter");
  for (const flatbuffers::String* needed : *root.requirements()) {
    bool listed = false;
    for (const char* name : {"file:adapter", "encoding:f32", "encoding:f16", "encoding:bf16"}) listed = listed || text(needed) == name;
    if (!listed)
      return Status::error(Code::unsupported, "the adapter needs \"%s\", which this build does not have for adapters", needed->c_str());
  }
  return {};
}

Status bad(const Target& target, const char* what) {
  return Status::error(Code::corrupt, "the target \"%s\": %s", target.base.data(), what);
}

class Parser {
 public:
  Parser(std::span<const Tensor> tensors, const schema::Target& table, Target* target)
      : tensors_(tensors), table_(table), target_(target) {}

  Status parse() {
    *target_ = {.base = text(table_.base()),
                .base_rows = table_.base_rows(),
                .base_columns = table_.base_columns(),
                .kind = table_.kind(),
                .use = table_.use(),
                .first_row = table_.first_row(),
                .rows = table_.rows(),
                .replacement = {}};
    if (*schema::EnumNameTargetKind(table_.kind()) == 0 || *schema::EnumNameUse(table_.use()) == 0)
      return Status::error(Code::unsupported, "the target \"%s\" is of kind %u and use %u, which this build does not know",
                           target_->base.data(), static_cast<unsigned>(table_.kind()), static_cast<unsigned>(table_.use()));
    if (target_->rows == 0 || target_->base_columns == 0 || target_->first_row > target_->base_rows ||
        target_->rows > target_->base_rows - target_->first_row)
      return Status::error(Code::corrupt, "the target \"%s\" is %u rows from %u on of %u x %u", target_->base.data(), target_->rows,
                           target_->first_row, target_->base_rows, target_->base_columns);
    switch (target_->kind) {
      case TargetKind::low_rank:
        return pair(false);
      case TargetKind::embedding:
        if (target_->rows != target_->base_rows) return bad(*target_, "an embedding's pair is for all rows");
        return pair(true);
      default:
        return replacement();
    }
  }

 private:
  Result<const Tensor*> tensor(int32_t index, const char* what, uint32_t rows, uint32_t columns, bool exact) const {
    if (index < 0 || static_cast<size_t>(index) >= tensors_.size())
      return Status::error(Code::corrupt, "the target \"%s\": its %s is tensor %d, but there are %zu", target_->base.data(), what, index,
                           tensors_.size());
    const Tensor& found = tensors_[static_cast<size_t>(index)];
    if (found.count != 1 || (rows != 0 && found.rows != rows) || (columns != 0 && found.columns != columns))
      return Status::error(Code::corrupt, "the target \"%s\": its %s \"%s\" has %u x %u numbers, expected %u x %u", target_->base.data(),
                           what, found.name.data(), found.rows, found.columns, rows ? rows : found.rows, columns ? columns : found.columns);
    if (exact && found.encoding != schema::Encoding::f32)
      return Status::error(Code::corrupt, "the target \"%s\": its %s \"%s\" is encoded as %s, expected f32", target_->base.data(), what,
                           found.name.data(), schema::EnumNameEncoding(found.encoding));
    return &found;
  }

  // A is stored row by row, or for an embedding column by column, as an id reads it.
  Status pair(bool embedding) {
    const uint32_t base_columns = target_->base_columns;
    LINNET_ASSIGN(const Tensor* a, embedding ? tensor(table_.a_tensor(), "A", target_->base_rows, 0, true)
                                             : tensor(table_.a_tensor(), "A", 0, base_columns, true));
    target_->rank = embedding ? a->columns : a->rows;
    if (target_->rank > limits::kAdapterRank)
      return Status::error(Code::corrupt, "the target \"%s\" has rank %u, expected at most %u", target_->base.data(), target_->rank,
                           limits::kAdapterRank);
    LINNET_ASSIGN(const Tensor* b, tensor(table_.b_tensor(), "B", embedding ? base_columns : target_->rows, target_->rank, true));
    target_->a = reinterpret_cast<const float*>(a->data);
    target_->b = reinterpret_cast<const float*>(b->data);
    if (table_.bias_tensor() < 0) return {};
    if (embedding) return bad(*target_, "an embedding's pair has no bias");
    LINNET_ASSIGN(const Tensor* bias, tensor(table_.bias_tensor(), "bias", 1, target_->rows, true));
    target_->bias = reinterpret_cast<const float*>(bias->data);
    return {};
  }

  Status replacement() {
    LINNET_ASSIGN(const Tensor* found, tensor(table_.b_tensor(), "replacement", target_->rows, target_->base_columns, false));
    target_->replacement = *found;
    return {};
  }

  std::span<const Tensor> tensors_;
  const schema::Target& table_;
  Target* target_;
};

// By tensor, then by row: what speaks to one tensor stands together, and replacements that overlap are neighbours.
bool before(const Target& a, const Target& b) {
  if (a.tensor != b.tensor) return a.tensor < b.tensor;
  if (a.kind != b.kind) return a.kind < b.kind;
  if (a.use != b.use) return a.use < b.use;
  return a.first_row < b.first_row;
}

Status check_overlaps(std::span<const Target> targets) {
  for (size_t i = 1; i < targets.size(); ++i) {
    const Target &a = targets[i - 1], &b = targets[i];
    if (a.tensor != b.tensor || a.kind != TargetKind::replacement || b.kind != TargetKind::replacement) continue;
    if (a.use != b.use && a.use != schema::Use::every) continue;
    if (a.use != b.use || b.first_row < a.first_row + a.rows) return bad(b, "two replacements of the same rows");
  }
  return {};
}

}  // namespace

Status AdapterFile::parse() noexcept {
  LINNET_TRY(check_requirements(file_->root()));
  const schema::Adapter* table = file_->root().adapter();
  const uint32_t count = table->targets()->size();
  if (count == 0 || count > limits::kTargets)
    return Status::error(Code::corrupt, "an adapter with %u targets, expected 1 to %u", count, limits::kTargets);
  if (!text(table->base_name()).empty()) LINNET_TRY(check_name("base", 0, table->base_name()));
  LINNET_TRY(targets_.resize(count));
  for (uint32_t i = 0; i < count; ++i) {
    const schema::Target& target = *table->targets()->Get(i);
    LINNET_TRY(check_name("target", i, target.base()));
    LINNET_TRY(Parser(file_->tensors(), target, &targets_[i]).parse());
    rank_ = std::max(rank_, targets_[i].rank);
  }
  return {};
}

Result<AdapterFile*> AdapterFile::take(Result<ModelFile*> opened) noexcept {
  if (!opened.ok()) return std::move(opened).status();
  ModelFile* file = *opened;
  void* memory = core::allocate(sizeof(AdapterFile));
  if (!memory) {
    file->release();
    return Status::error(Code::out_of_memory, "no memory to open an adapter");
  }
  AdapterFile* adapter = new (memory) AdapterFile;
  adapter->file_ = file;
  Status status = adapter->parse();
  if (status.ok()) return adapter;
  status = file->named(status);
  adapter->release();
  return status;
}

Result<AdapterFile*> AdapterFile::open(const char* path, const OpenOptions& options) noexcept {
  return take(ModelFile::open(path, options, known));
}

Result<AdapterFile*> AdapterFile::open(const void* bytes, size_t length, const OpenOptions& options) noexcept {
  return take(ModelFile::open(bytes, length, options, known));
}

Status AdapterFile::bind(const ModelFile& base) noexcept {
  const std::span<const Tensor> tensors = base.tensors();
  core::Array<uint32_t> order;
  LINNET_TRY(order.resize(tensors.size()));
  for (size_t i = 0; i < order.size(); ++i) order[i] = static_cast<uint32_t>(i);
  std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) { return tensors[a].name < tensors[b].name; });
  for (Target& target : targets_) {
    const uint32_t* found = std::lower_bound(order.begin(), order.end(), target.base,
                                             [&](uint32_t i, std::string_view name) { return tensors[i].name < name; });
    if (found == order.end() || tensors[*found].name != target.base)
      return file_->named(Status::error(Code::mismatch, "the adapter was made for \"%.64s\": this model has no tensor \"%.200s\"",
                                        base_name().data(), target.base.data()));
    const Tensor& tensor = tensors[*found];
    if (tensor.rows != target.base_rows || tensor.columns != target.base_columns || tensor.count != 1)
      return file_->named(
          Status::error(Code::mismatch, "the adapter was made for \"%.64s\" with %u x %u in tensor \"%.200s\", this model has %u x %u",
                        base_name().data(), target.base_rows, target.base_columns, target.base.data(), tensor.rows, tensor.columns));
    target.tensor = *found;
  }
  if (base_hash() != base.hash())
    return file_->named(Status::error(
        Code::mismatch, "the adapter was made for \"%.64s\" with hash %016llx, this model has hash %016llx; convert the adapter for it",
        base_name().data(), static_cast<unsigned long long>(base_hash()), static_cast<unsigned long long>(base.hash())));
  std::sort(targets_.begin(), targets_.end(), before);
  if (Status status = check_overlaps(targets()); !status.ok()) return file_->named(status);
  const_cast<ModelFile&>(base).retain();
  base_ = &base;
  return {};
}

std::span<const Target> AdapterFile::targets_of(int32_t tensor) const noexcept {
  if (tensor < 0) return {};
  const auto wanted = static_cast<uint32_t>(tensor);
  const Target* first =
      std::lower_bound(targets_.begin(), targets_.end(), wanted, [](const Target& a, uint32_t b) { return a.tensor < b; });
  const Target* last = first;
  while (last != targets_.end() && last->tensor == wanted) ++last;
  return {first, last};
}

std::string_view AdapterFile::base_name() const noexcept {
  const std::string_view name = text(file_->root().adapter()->base_name());
  return name.empty() ? std::string_view("another model") : name;
}

void AdapterFile::retain() noexcept { handles_.fetch_add(1, std::memory_order_relaxed); }

void AdapterFile::release() noexcept {
  if (handles_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  this->~AdapterFile();
  core::release(this);
}

AdapterFile::~AdapterFile() {
  if (base_) const_cast<ModelFile*>(base_)->release();
  if (file_) file_->release();
}

}  // namespace linnet::format
