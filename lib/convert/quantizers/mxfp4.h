// OCP Microscaling's 4-bit floats: 32 weights share a power of two.
#pragma once

#include <cstddef>
#include <cstdint>

namespace linnet::convert {

struct Mxfp4Group {
  uint8_t exponent = 0;      // weight = value(nibble) * 2^(exponent - 127)
  uint8_t nibbles[32] = {};  // 8 = minus; 0 .. 7 as kMxfp4Halves in kernels/layout.h
};

/// The nearest group to `count` <= 32 weights, which are finite. Numbers that are such a group already are kept as they are.
Mxfp4Group quantize_mxfp4(const float* weights, size_t count);

}  // namespace linnet::convert
