// Small safetensors files as `linnet run` reads and writes them.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace linnet::tool {

struct HostTensor {
  std::vector<uint64_t> shape;
  std::vector<float> numbers;       // F32 (and other floats) of a file
  std::vector<int32_t> indices;     // integer types of a file
  bool is_index = false;
};

using TensorFile = std::map<std::string, HostTensor>;

/// Throws Failure, naming the file and what is wrong with it.
TensorFile read_tensor_file(const std::string& path);
/// All numbers as F32. Writes aside and renames.
void write_tensor_file(const std::string& path, const TensorFile& tensors);

}  // namespace linnet::tool
