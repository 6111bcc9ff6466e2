// safetensors: 8 bytes of header length, a JSON header, then the tensors' bytes. Checked completely when opened.
#pragma once

#include <map>

#include "convert/readers/file.h"

namespace linnet::convert {

class SafetensorsFile {
 public:
  struct Entry {
    std::string type;
    std::vector<uint64_t> shape;
    uint64_t offset, bytes;  // in the file
  };
  /// Throws Error naming the file and what is wrong.
  explicit SafetensorsFile(const std::string& path);
  const std::string& path() const { return file_.path(); }
  const std::map<std::string, Entry>& entries() const { return entries_; }
  /// All values of one tensor as f32.
  std::vector<float> read(const std::string& name) const;
  /// Rows of the outermost dimension.
  std::vector<float> read_rows(const std::string& name, uint64_t first, uint64_t count) const;

 private:
  void refuse_overlaps() const;
  void add(const std::string& name, const Json& entry, uint64_t data_begin);
  std::vector<float> read_bytes(const std::string& name, uint64_t offset, uint64_t bytes) const;
  InputFile file_;
  std::map<std::string, Entry> entries_;
};

}  // namespace linnet::convert
