// An opened model file: its structural part copied into our own memory and structurally verified, its weights mapped, read or
// lent. Everything here is immutable after open; handles are counted.
//
// Why a copy: the structural part holds offsets and indices, and a mapped file can change under us. A few megabytes are copied in
// about a millisecond; the weights, which are plain numbers, stay where they are.
#pragma once

#include <atomic>
#include <cstdint>
#include <span>

#include "core/array.h"
#include "core/platform.h"
#include "format/program.h"
#include "linnet/model.h"

namespace linnet::format {

class Source;

class ModelFile {
 public:
  // Each checks: header, lengths, checksum of the structural part, FlatBuffers structure within limits.h, requirements that are not
  // known (asked of `known`), tensors (encoding, shape, byte count, alignment, range, no overlap), states, and the programs' tables
  // (indices in range, names unique). What operations demand of their operands is ops::verify_program's.
  // `known(name)` says whether this build has what a requirement such as "operation:Linear" names.
  using Known = bool (*)(std::string_view requirement);
  static Result<ModelFile*> open(const char* path, const OpenOptions& options, Known known) noexcept;
  static Result<ModelFile*> open(int descriptor, uint64_t offset, uint64_t length, const OpenOptions& options, Known known) noexcept;
  static Result<ModelFile*> open(const void* bytes, size_t length, const OpenOptions& options, Known known) noexcept;

  void retain() noexcept;
  void release() noexcept;  // the last one deletes

  const schema::Model& root() const noexcept { return *root_; }
  std::span<const Tensor> tensors() const noexcept { return {tensors_.data(), tensors_.size()}; }
  std::span<const State> states() const noexcept { return {states_.data(), states_.size()}; }
  std::span<const Program> programs() const noexcept { return {programs_.data(), programs_.size()}; }
  uint64_t file_bytes() const noexcept { return file_bytes_; }
  uint64_t weight_bytes() const noexcept { return weight_bytes_; }
  uint64_t hash() const noexcept { return hash_; }
  /// The error with the file's name before it: its path, "descriptor 3" or "model in memory".
  Status named(const Status& status) const noexcept;

  /// Reads every tensor: its checksum where one is stored, and that quantized rows have finite scales.
  Status verify_weights(bool (*progress)(void* user, uint64_t done, uint64_t total), void* user) const noexcept;

 private:
  ModelFile() noexcept = default;
  ~ModelFile();
  static Result<ModelFile*> open_source(const Source& source, const char* name, const OpenOptions& options, Known known) noexcept;
  Status load(const Source& source, const OpenOptions& options, Known known) noexcept;
  Status parse(Known known) noexcept;
  Status attach_weights(const Source& source, uint64_t offset, bool map) noexcept;
  Status check_weights(bool (*progress)(void* user, uint64_t done, uint64_t total), void* user) const noexcept;

  std::atomic<uint32_t> handles_{1};
  char* name_ = nullptr;         // owned
  uint8_t* metadata_ = nullptr;  // owned copy of the structural part
  const schema::Model* root_ = nullptr;
  core::Mapping mapping_;
  uint8_t* weights_ = nullptr;  // owned, when read instead of mapped
  core::Array<Tensor> tensors_;
  core::Array<State> states_;
  core::Array<Program> programs_;
  uint64_t file_bytes_ = 0, weight_bytes_ = 0, hash_ = 0;
};

}  // namespace linnet::format
