// Positions that are computed, arXiv 1706.03762, with the sines of a row in front of its cosines.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

namespace linnet::convert::pages {

/// rows x columns: row r is sin and cos of (first + r) / 10000^(step * k) for k = 0, 1, ..., columns / 2 - 1.
inline std::vector<float> sinusoids(uint32_t first, uint32_t rows, uint32_t columns, double step) {
  const uint32_t half = columns / 2;
  std::vector<float> table(size_t{rows} * columns);
  for (uint32_t r = 0; r < rows; ++r)
    for (uint32_t k = 0; k < half; ++k) {
      const double angle = (first + r) * std::pow(10000.0, -step * k);
      table[size_t{r} * columns + k] = static_cast<float>(std::sin(angle));
      table[size_t{r} * columns + columns - half + k] = static_cast<float>(std::cos(angle));
    }
  return table;
}

}  // namespace linnet::convert::pages
