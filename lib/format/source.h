// Where a model's bytes come from: a stretch of a file, or memory.
#pragma once

#include <cstring>

#include "core/platform.h"

namespace linnet::format {

class Source {
 public:
  explicit Source(uint64_t length) noexcept : length_(length) {}
  uint64_t length() const noexcept { return length_; }
  /// [offset, offset + bytes) lies within the length: callers have checked.
  virtual Status read(uint64_t offset, void* out, size_t bytes) const noexcept = 0;
  /// Sets `base` to the bytes themselves, kept alive by `mapping` or by the caller.
  virtual Status map(uint64_t offset, size_t bytes, core::Mapping* mapping, const uint8_t** base) const noexcept = 0;

 protected:
  ~Source() = default;

 private:
  uint64_t length_;
};

class FileSource final : public Source {
 public:
  FileSource(const core::File& file, uint64_t offset, uint64_t length) noexcept : Source(length), file_(file), offset_(offset) {}
  Status read(uint64_t offset, void* out, size_t bytes) const noexcept override { return file_.read(offset_ + offset, out, bytes); }
  Status map(uint64_t offset, size_t bytes, core::Mapping* mapping, const uint8_t** base) const noexcept override {
    auto mapped = core::Mapping::map(file_, offset_ + offset, bytes);
    if (!mapped.ok()) return std::move(mapped).status();
    *mapping = std::move(*mapped);
    *base = mapping->data();
    return {};
  }

 private:
  const core::File& file_;
  uint64_t offset_;
};

class MemorySource final : public Source {
 public:
  MemorySource(const void* bytes, size_t length) noexcept : Source(length), bytes_(static_cast<const uint8_t*>(bytes)) {}
  Status read(uint64_t offset, void* out, size_t bytes) const noexcept override {
    std::memcpy(out, bytes_ + offset, bytes);
    return {};
  }
  Status map(uint64_t offset, size_t, core::Mapping*, const uint8_t** base) const noexcept override {
    *base = bytes_ + offset;
    return {};
  }

 private:
  const uint8_t* bytes_;
};

}  // namespace linnet::format
