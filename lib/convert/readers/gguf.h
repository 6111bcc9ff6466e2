// One GGUF file: key-value pairs, a table of tensors, their bytes. Checked completely when opened; tensors are read one at a time.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "convert/readers/file.h"
#include "convert/readers/gguf_blocks.h"
#include "convert/readers/gguf_metadata.h"

namespace linnet::convert {

class GgufFile {
 public:
  struct Tensor {
    std::string name;
    const GgufType* type;
    std::vector<uint64_t> shape;  // outermost first: the file's order turned round
    uint64_t offset, bytes;       // in the file
    uint64_t values;
  };
  /// Throws Error naming the file and what is wrong.
  explicit GgufFile(const std::string& path);
  const std::string& path() const { return file_.path(); }
  const GgufMetadata& metadata() const { return metadata_; }
  const std::vector<Tensor>& tensors() const { return tensors_; }
  /// `count` rows of a tensor from row `first`, as f32; a row is the innermost dimension.
  std::vector<float> read_rows(const Tensor& tensor, uint64_t first, uint64_t count) const;

 private:
  void refuse_overlaps() const;
  InputFile file_;
  GgufMetadata metadata_;
  std::vector<Tensor> tensors_;
};

}  // namespace linnet::convert
