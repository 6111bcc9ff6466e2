#include "format/model_file.h"

#include <cstdio>
#include <cstring>
#include <new>
#include <utility>

#include "core/checked.h"
#include "core/limits.h"
#include "core/memory.h"
#include "format/header.h"
#include "format/parse.h"
#include "format/source.h"

namespace linnet::format {
namespace {

namespace limits = core::limits;
using ull = unsigned long long;

// The places of these fields are promised for every version, so that a newer file is told from a damaged one.
Status check_identity(Header header) {
  if (std::memcmp(header.magic, kMagic, sizeof kMagic) != 0) return Status::error(Code::corrupt, "it does not begin like a Linnet file");
  const uint64_t stored = std::exchange(header.header_checksum, 0);
  if (checksum(&header, sizeof header) != stored) return Status::error(Code::corrupt, "the header's checksum is wrong");
  if (header.version != kVersion)
    return Status::error(Code::unsupported, "it has format version %u, this build reads version %u", header.version, kVersion);
  return {};
}

// Header, structural part and weights follow each other; only alignment may leave gaps.
Status check_layout(const Header& header, uint64_t file_bytes) {
  if (header.file_bytes != file_bytes)
    return Status::error(Code::corrupt, "it has %llu bytes but was written with %llu: truncated, or something was appended",
                         static_cast<ull>(file_bytes), static_cast<ull>(header.file_bytes));
  if (header.header_bytes < sizeof header || header.header_bytes > kWeightAlignment)
    return Status::error(Code::corrupt, "a header of %u bytes, expected %zu to %llu", header.header_bytes, sizeof header,
                         static_cast<ull>(kWeightAlignment));
  if (header.metadata_offset != core::round_up(header.header_bytes, kMetadataAlignment))
    return Status::error(Code::corrupt, "the structural part begins at %llu, expected the first multiple of %llu behind the header",
                         static_cast<ull>(header.metadata_offset), static_cast<ull>(kMetadataAlignment));
  if (header.metadata_bytes == 0 || header.metadata_bytes > limits::kMetadataBytes)
    return Status::error(Code::corrupt, "a structural part of %llu bytes, expected 1 to %llu", static_cast<ull>(header.metadata_bytes),
                         static_cast<ull>(limits::kMetadataBytes));
  if (header.weight_offset != core::round_up(header.metadata_offset + header.metadata_bytes, kWeightAlignment))
    return Status::error(Code::corrupt, "the weights begin at %llu, expected the first multiple of %llu behind the structural part",
                         static_cast<ull>(header.weight_offset), static_cast<ull>(kWeightAlignment));
  if (header.weight_offset > file_bytes)
    return Status::error(Code::corrupt, "the weights begin at %llu, behind the end at %llu", static_cast<ull>(header.weight_offset),
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

}  // namespace

// ---------------------------------------------------------------- opening

Status ModelFile::load(const Source& source, const OpenOptions& options, Known known) noexcept {
  Header header;
  if (source.length() < sizeof header)
    return Status::error(Code::corrupt, "it has %llu bytes, too few for a Linnet file", static_cast<ull>(source.length()));
  LINNET_TRY(source.read(0, &header, sizeof header));
  LINNET_TRY(check_identity(header));
  LINNET_TRY(check_layout(header, source.length()));
  const size_t metadata_bytes = static_cast<size_t>(header.metadata_bytes);
  metadata_ = static_cast<uint8_t*>(core::allocate(metadata_bytes));
  if (!metadata_) return Status::error(Code::out_of_memory, "no memory for the structural part of %zu bytes", metadata_bytes);
  LINNET_TRY(source.read(header.metadata_offset, metadata_, metadata_bytes));
  if (checksum(metadata_, metadata_bytes) != header.metadata_checksum)
    return Status::error(Code::corrupt, "the structural part's checksum is wrong");
  LINNET_TRY(check_structure(metadata_, metadata_bytes));
  root_ = schema::GetModel(metadata_);
  file_bytes_ = source.length();
  weight_bytes_ = file_bytes_ - header.weight_offset;
  hash_ = header.metadata_checksum;
  LINNET_TRY(parse(known));
  LINNET_TRY(attach_weights(source, header.weight_offset, options.map));
  return options.verify_checksums ? check_weights(nullptr, nullptr) : Status();
}

Status ModelFile::parse(Known known) noexcept {
  Requirements requirements;
  LINNET_TRY(parse_requirements(*root_, known, &requirements));
  LINNET_TRY(parse_tensors(*root_, requirements, weight_bytes_, &tensors_));
  LINNET_TRY(parse_states(*root_, requirements, &states_));
  LINNET_TRY(parse_programs(*root_, requirements, &programs_));
  LINNET_TRY(check_tokenizer(*root_));
  LINNET_TRY(check_generation(*root_));
  LINNET_TRY(check_similarity(*root_));
  return check_texts(*root_);
}

Status ModelFile::attach_weights(const Source& source, uint64_t offset, bool map) noexcept {
  if (weight_bytes_ == 0) return {};
  if (weight_bytes_ > SIZE_MAX / 2)
    return Status::error(Code::unsupported, "%llu bytes of weights are more than this machine's addresses",
                         static_cast<ull>(weight_bytes_));
  const size_t bytes = static_cast<size_t>(weight_bytes_);
  const uint8_t* base = nullptr;
  if (map) LINNET_TRY(source.map(offset, bytes, &mapping_, &base));
  // Kernels read whole aligned lines; a base that is not aligned (an asset inside an archive) is copied once instead.
  if (!base || reinterpret_cast<uintptr_t>(base) % kTensorAlignment != 0) {
    mapping_ = core::Mapping();
    weights_ = static_cast<uint8_t*>(core::allocate(bytes));
    if (!weights_) return Status::error(Code::out_of_memory, "no memory for a copy of %zu bytes of weights", bytes);
    LINNET_TRY(source.read(offset, weights_, bytes));
    base = weights_;
  }
  for (Tensor& tensor : tensors_) tensor.data = base + tensor.offset;
  return {};
}

Status ModelFile::named(const Status& status) const noexcept { return Status::error(status.code(), "%s: %s", name_, status.message()); }

Result<ModelFile*> ModelFile::open_source(const Source& source, const char* name, const OpenOptions& options, Known known) noexcept {
  const size_t name_bytes = std::strlen(name) + 1;
  void* memory = core::allocate(sizeof(ModelFile));
  if (!memory) return Status::error(Code::out_of_memory, "%s: no memory to open it", name);
  ModelFile* file = new (memory) ModelFile;
  file->name_ = static_cast<char*>(core::allocate(name_bytes));
  if (!file->name_) {
    file->release();
    return Status::error(Code::out_of_memory, "%s: no memory to open it", name);
  }
  std::memcpy(file->name_, name, name_bytes);
  Status status = file->load(source, options, known);
  if (status.ok()) return file;
  status = file->named(status);
  file->release();
  return status;
}

Result<ModelFile*> ModelFile::open(const char* path, const OpenOptions& options, Known known) noexcept {
  if (!path) return Status::error(Code::invalid_argument, "the path of the model is null");
  LINNET_ASSIGN(core::File file, core::File::open(path));
  const auto length = file.length();
  if (!length.ok()) return Status::error(length.status().code(), "%s: %s", path, length.status().message());
  return open_source(FileSource(file, 0, *length), path, options, known);
}

Result<ModelFile*> ModelFile::open(int descriptor, uint64_t offset, uint64_t length, const OpenOptions& options, Known known) noexcept {
  char name[32];
  std::snprintf(name, sizeof name, "descriptor %d", descriptor);
  const core::File file = core::File::borrow(descriptor);
  const auto all = file.length();
  if (!all.ok()) return Status::error(all.status().code(), "%s: %s", name, all.status().message());
  if (offset > *all || length > *all - offset)
    return Status::error(Code::corrupt, "%s: %llu bytes from %llu on, but the file has %llu", name, static_cast<ull>(length),
                         static_cast<ull>(offset), static_cast<ull>(*all));
  return open_source(FileSource(file, offset, length), name, options, known);
}

Result<ModelFile*> ModelFile::open(const void* bytes, size_t length, const OpenOptions& options, Known known) noexcept {
  if (!bytes) return Status::error(Code::invalid_argument, "model in memory: its address is null");
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
  core::release(name_);
  core::release(metadata_);
  core::release(weights_);
}

}  // namespace linnet::format
