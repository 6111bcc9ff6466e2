#include "format/model_file.h"

#include <cmath>
#include <cstring>
#include <new>

#include "core/checked.h"
#include "core/limits.h"
#include "core/memory.h"
#include "format/header.h"
#include "format/parse.h"
#include "format/source.h"
#include "kernels/layout.h"

namespace linnet::format {
namespace {

namespace limits = core::limits;
using ull = unsigned long long;

Status check_header(Header header, uint64_t file_bytes) {
  if (std::memcmp(header.magic, kMagic, sizeof kMagic) != 0) return Status::error(Code::corrupt, "not a Linnet file");
  if (header.version != kVersion) return Status::error(Code::unsupported, "format version %u; this library reads version %u", header.version, kVersion);
  uint64_t stored = header.header_checksum;
  header.header_checksum = 0;
  if (checksum(&header, sizeof header) != stored) return Status::error(Code::corrupt, "the header's checksum is wrong");
  if (header.header_bytes < sizeof(Header)) return Status::error(Code::corrupt, "the header says that it has %u bytes", header.header_bytes);
  if (header.file_bytes != file_bytes)
    return Status::error(Code::corrupt, "the file has %llu bytes but was written with %llu: it is truncated or something was appended",
                         static_cast<ull>(file_bytes), static_cast<ull>(header.file_bytes));
  if (header.metadata_bytes > limits::kMetadataBytes || header.metadata_bytes < 8)
    return Status::error(Code::corrupt, "the structural part has %llu bytes", static_cast<ull>(header.metadata_bytes));
  core::Checked end = core::Checked(header.metadata_offset) + header.metadata_bytes;
  if (header.metadata_offset < header.header_bytes || header.metadata_offset % kMetadataAlignment || !end.ok() || end.value() > header.weight_offset ||
      header.weight_offset > file_bytes || header.weight_offset % kWeightAlignment)
    return Status::error(Code::corrupt, "the parts of the file overlap or are not aligned: structure at %llu + %llu, weights at %llu of %llu",
                         static_cast<ull>(header.metadata_offset), static_cast<ull>(header.metadata_bytes), static_cast<ull>(header.weight_offset),
                         static_cast<ull>(file_bytes));
  return {};
}

Status check_structure(const uint8_t* metadata, size_t bytes) {
  flatbuffers::Verifier::Options options;
  options.max_depth = limits::kNesting;
  options.max_tables = limits::kTables;
  flatbuffers::Verifier verifier(metadata, bytes, options);
  if (!schema::VerifyModelBuffer(verifier)) return Status::error(Code::corrupt, "the structural part is not a sound FlatBuffer");
  return {};
}

Status check_requirements(const schema::Model& model, ModelFile::Known known) {
  for (const flatbuffers::String* entry : *model.requirements())
    if (!known({entry->c_str(), entry->size()}))
      return Status::error(Code::unsupported, "the model needs '%s', which this build does not have", entry->c_str());
  return {};
}

bool finite(const uint8_t* numbers, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    float number;
    std::memcpy(&number, numbers + i * sizeof number, sizeof number);
    if (!std::isfinite(number)) return false;
  }
  return true;
}

bool scales_are_finite(const Tensor& tensor) {
  size_t panels = kernels::panels(tensor.rows);
  size_t matrix = static_cast<size_t>(tensor.bytes / tensor.count);
  for (uint32_t i = 0; i < tensor.count; ++i) {
    const uint8_t* data = tensor.data + i * matrix;
    if (tensor.encoding == schema::Encoding::int8 && !finite(data + panels * kernels::int8_panel_bytes(tensor.columns), panels * 8)) return false;
    if (tensor.encoding == schema::Encoding::int4 && !finite(data + panels * kernels::int4_panel_bytes(tensor.columns), panels * 16)) return false;
  }
  return true;
}

}  // namespace

// ---------------------------------------------------------------- opening

Status ModelFile::load(const Source& source, const OpenOptions& options, Known known) noexcept {
  Header header;
  if (source.length() < sizeof header) return Status::error(Code::corrupt, "%llu bytes are too few for a Linnet file", static_cast<ull>(source.length()));
  LINNET_TRY(source.read(0, &header, sizeof header));
  LINNET_TRY(check_header(header, source.length()));
  size_t metadata_bytes = static_cast<size_t>(header.metadata_bytes);
  metadata_ = static_cast<uint8_t*>(core::allocate(metadata_bytes));
  if (!metadata_) return Status::error(Code::out_of_memory, "no memory for the structural part of %zu bytes", metadata_bytes);
  LINNET_TRY(source.read(header.metadata_offset, metadata_, metadata_bytes));
  if (checksum(metadata_, metadata_bytes) != header.metadata_checksum) return Status::error(Code::corrupt, "the structural part's checksum is wrong");
  LINNET_TRY(check_structure(metadata_, metadata_bytes));
  root_ = schema::GetModel(metadata_);
  file_bytes_ = source.length();
  weight_bytes_ = file_bytes_ - header.weight_offset;
  hash_ = header.metadata_checksum;

  LINNET_TRY(check_requirements(*root_, known));
  LINNET_TRY(parse_tensors(*root_, weight_bytes_, &tensors_));
  LINNET_TRY(parse_states(*root_, &states_));
  LINNET_TRY(parse_programs(*root_, &programs_));
  LINNET_TRY(check_tokenizer(*root_));
  LINNET_TRY(check_generation(*root_));
  LINNET_TRY(attach_weights(source, header.weight_offset, options.map));
  return options.verify_checksums ? verify_weights(nullptr, nullptr) : Status();
}

Status ModelFile::attach_weights(const Source& source, uint64_t offset, bool map) noexcept {
  if (weight_bytes_ == 0) return {};
  if (weight_bytes_ > SIZE_MAX / 2) return Status::error(Code::unsupported, "%llu bytes of weights do not fit this machine's addresses", static_cast<ull>(weight_bytes_));
  size_t bytes = static_cast<size_t>(weight_bytes_);
  const uint8_t* base = nullptr;
  if (map) LINNET_TRY(source.map(offset, bytes, &mapping_, &base));
  // Kernels read whole aligned lines; a base that is not aligned (an asset inside an archive) is copied once instead.
  if (!base || reinterpret_cast<uintptr_t>(base) % kTensorAlignment != 0) {
    mapping_ = core::Mapping();
    weights_ = static_cast<uint8_t*>(core::allocate(bytes));
    if (!weights_) return Status::error(Code::out_of_memory, "no memory for %zu bytes of weights; mapping them needs none", bytes);
    LINNET_TRY(source.read(offset, weights_, bytes));
    base = weights_;
  }
  for (Tensor& tensor : tensors_) tensor.data = base + tensor.offset;
  return {};
}

namespace {

Status with_name(const Status& status, const char* name) { return Status::error(status.code(), "%s: %s", name, status.message()); }

}  // namespace

Result<ModelFile*> ModelFile::open_source(const Source& source, const char* name, const OpenOptions& options, Known known) noexcept {
  void* memory = core::allocate(sizeof(ModelFile));
  if (!memory) return Status::error(Code::out_of_memory, "%s: no memory to open it", name);
  ModelFile* file = new (memory) ModelFile;
  Status status = file->load(source, options, known);
  if (status.ok()) return file;
  file->release();
  return with_name(status, name);
}

Result<ModelFile*> ModelFile::open(const char* path, const OpenOptions& options, Known known) noexcept {
  LINNET_ASSIGN(core::File file, core::File::open(path));
  auto length = file.length();
  if (!length.ok()) return with_name(length.status(), path);
  return open_source(FileSource(file, 0, *length), path, options, known);
}

Result<ModelFile*> ModelFile::open(int descriptor, uint64_t offset, uint64_t length, const OpenOptions& options, Known known) noexcept {
  core::File file = core::File::borrow(descriptor);
  LINNET_ASSIGN(uint64_t all, file.length());
  if (offset > all || length > all - offset)
    return Status::error(Code::corrupt, "descriptor %d: %llu bytes at %llu are more than its %llu", descriptor, static_cast<ull>(length),
                         static_cast<ull>(offset), static_cast<ull>(all));
  return open_source(FileSource(file, offset, length), "model behind a descriptor", options, known);
}

Result<ModelFile*> ModelFile::open(const void* bytes, size_t length, const OpenOptions& options, Known known) noexcept {
  if (!bytes && length) return Status::error(Code::invalid_argument, "model in memory: the address is null");
  return open_source(MemorySource(bytes, length), "model in memory", options, known);
}

// ---------------------------------------------------------------- afterwards

void ModelFile::retain() noexcept { handles_.fetch_add(1, std::memory_order_relaxed); }

void ModelFile::release() noexcept {
  if (handles_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  this->~ModelFile();
  core::release(this);
}

ModelFile::~ModelFile() {
  core::release(metadata_);
  core::release(weights_);
}

Status ModelFile::verify_weights(bool (*progress)(void* user, uint64_t done, uint64_t total), void* user) const noexcept {
  uint64_t done = 0;
  for (const Tensor& tensor : tensors_) {
    if (tensor.checksum != 0 && checksum(tensor.data, static_cast<size_t>(tensor.bytes)) != tensor.checksum)
      return Status::error(Code::corrupt, "tensor '%s': its checksum is wrong", tensor.name.data());
    if (!scales_are_finite(tensor)) return Status::error(Code::corrupt, "tensor '%s' has a scale that is not finite", tensor.name.data());
    done += tensor.bytes;
    if (progress && !progress(user, done, weight_bytes_)) return Status::error(Code::cancelled, "checking the weights was stopped");
  }
  return {};
}

}  // namespace linnet::format
