// The block types of GGUF files and the numbers that they stand for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace linnet::convert {

struct GgufType {
  uint32_t id;
  const char* name;
  uint32_t values, bytes;  // of a block
  void (*expand)(const uint8_t* bytes, size_t blocks, float* values);
};

/// Throws Error naming a type that is not read, or that nobody knows. `what` names the tensor in errors.
const GgufType& gguf_type(uint32_t id, const std::string& what);
/// Whole blocks: count is a multiple of type.values.
void expand_blocks(const GgufType& type, const uint8_t* bytes, size_t count, float* values);

}  // namespace linnet::convert
