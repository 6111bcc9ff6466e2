// Linnet: an adapter (LoRA) beside a model. A file of its own, made by the converter for one model file, opened and verified like a model;
// immutable, and shared by any number of sessions and threads. Sessions choose it per sequence (Session::attach, Session::use).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "linnet/model.h"

namespace linnet {

namespace format {
class AdapterFile;
}

struct TargetInfo {
  std::string_view base;     ///< tensor of the model
  std::string_view kind;     ///< "low_rank", "embedding", "replacement"
  uint32_t first_row, rows;  ///< of the tensor
  uint32_t rank;             ///< 0: a replacement
};

class LINNET_API Adapter {
 public:
  /// Opens and verifies completely, then holds it against `model`. Errors: those of Model::open; mismatch (made for another model: by
  /// the tensor that is missing or has another shape, else by both hashes).
  static Result<Adapter> open(const Model& model, const char* path, const OpenOptions& options = {}) noexcept;
  /// From memory that stays valid and unchanged as long as this Adapter or a session that it is attached to.
  static Result<Adapter> open(const Model& model, const void* bytes, size_t length, const OpenOptions& options = {}) noexcept;

  Adapter(Adapter&& other) noexcept;
  Adapter& operator=(Adapter&& other) noexcept;
  ~Adapter();
  /// Another handle to the same adapter.
  Adapter share() const noexcept;

  uint32_t rank() const noexcept;          ///< the largest of its pairs: what limits.adapter_rank must allow
  uint64_t weight_bytes() const noexcept;
  uint64_t hash() const noexcept;          ///< binds saved states
  size_t targets() const noexcept;
  TargetInfo target(size_t i) const noexcept;  ///< behind the last one: an empty description

  const format::AdapterFile& file() const noexcept { return *file_; }  ///< for the library itself

 private:
  explicit Adapter(format::AdapterFile* file) noexcept : file_(file) {}
  format::AdapterFile* file_;  // counted
};

}  // namespace linnet
