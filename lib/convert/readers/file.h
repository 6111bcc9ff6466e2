// A read-only file whose parts are read as they are needed, so that a large checkpoint never stands in memory as a whole.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "convert/checkpoint.h"
#include "core/platform.h"

namespace linnet::convert {

class InputFile {
 public:
  /// Throws Error naming the file.
  explicit InputFile(const std::string& path);
  uint64_t size() const { return size_; }
  const std::string& path() const { return path_; }
  /// Throws Error when [offset, offset + bytes) is not all there.
  std::vector<uint8_t> read(uint64_t offset, uint64_t bytes) const;

 private:
  std::string path_;
  core::File file_;
  uint64_t size_ = 0;
};

/// All of a small text file; Error when it is absent or above 256 MiB.
std::string read_text(const std::string& path);
bool file_exists(const std::string& path);
/// Whether a path that stands in a checkpoint's own files stays within its folder.
bool stays_below(const std::string& relative);
/// Throws Error naming `what` where brackets nest deeper than what recursion over JSON bears. For a text that another parser reads.
void check_nesting(const std::string& text, const std::string& what);
/// Parses JSON, refusing duplicate keys and deep nesting. Throws Error naming `what`.
Json parse_json(const std::string& text, const std::string& what);

}  // namespace linnet::convert
