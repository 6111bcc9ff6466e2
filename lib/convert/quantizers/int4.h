// One row of int4, scale + offset: w[k] = R * s * q - M * m, with s and m per group of 32 columns.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace linnet::convert {

struct Int4Row {
  float R = 0, M = 0;
  std::vector<uint8_t> s, m;   // per group: s 1..16, m 0..15
  std::vector<uint8_t> q;      // per column, padded to whole groups: 0..15
};

/// Searches R, M, s, m and q for the least weighted squared error. `importance` is null (all 1) or has `columns` numbers.
void quantize_int4(const float* weights, size_t columns, size_t padded, const float* importance, Int4Row* row);

}  // namespace linnet::convert
