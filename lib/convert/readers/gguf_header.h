// The beginning of a GGUF file, read in order.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "convert/readers/file.h"
#include "convert/readers/gguf_metadata.h"

namespace linnet::convert {

/// Reads a file forwards in pieces. Every read throws Error naming the file where the file ends before it.
class GgufCursor {
 public:
  explicit GgufCursor(const InputFile& file) : file_(file) {}
  template <class T>
  T number() {
    T value;
    take(&value, sizeof value);
    return value;
  }
  /// A length and that many bytes; Error when there are more than `most`.
  std::string text(uint64_t most, const char* what);
  uint64_t position() const { return position_; }
  uint64_t left() const { return file_.size() - position_; }
  const std::string& path() const { return file_.path(); }

 private:
  void take(void* to, uint64_t bytes);
  const InputFile& file_;
  std::vector<uint8_t> window_;
  uint64_t window_begin_ = 0, position_ = 0;
};

/// Magic, version and counts, then all pairs; returns the number of tensors that follow. Throws Error.
uint64_t read_gguf_pairs(GgufCursor& cursor, GgufMetadata* metadata);

}  // namespace linnet::convert
