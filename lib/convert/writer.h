// Writes a .linnet file: header, structural part, weight segment. Nothing appears under the file's name until all of it is there.
#pragma once

#include <cstdint>
#include <cstdio>
#include <functional>
#include <string>
#include <vector>

#include "format/header.h"

namespace linnet::convert {

/// The header before a structural part and so many bytes of weights. Throws Error where the structural part is too large.
format::Header make_header(const void* metadata, size_t size, uint64_t weight_bytes);

/// Collects the weight segment in a temporary file beside the output, tensor by tensor, so that a large model never stands in memory.
class Writer {
 public:
  struct Place {
    uint64_t offset;  // from the start of the weight segment
    uint64_t checksum;
  };

  /// Throws Error when the folder of `path` cannot be written.
  explicit Writer(const std::string& path);
  ~Writer();
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  /// Appends one tensor's bytes at the next multiple of 64. Throws Error (disk full).
  Place add(const void* bytes, size_t size);
  Place add(const std::vector<uint8_t>& bytes) { return add(bytes.data(), bytes.size()); }
  /// Writes the file around `metadata` (a finished FlatBuffer of schema::Model) and renames it into place. Returns its length.
  /// `tick` (may be empty) is called for every piece of weights and before the file gets its name, `check` (may be empty) with the path of
  /// the whole file before it has its name; what they throw leaves nothing behind. A device or a pipe is not checked.
  uint64_t finish(const void* metadata, size_t size, const std::function<void()>& tick = {},
                  const std::function<void(const std::string& path)>& check = {});

 private:
  std::string path_;
  std::FILE* weights_ = nullptr;  // deleted by the system when closed
  uint64_t size_ = 0;
};

}  // namespace linnet::convert
