#include <cmath>

#include "convert/pack.h"

namespace linnet::convert {

uint32_t turn_block(uint32_t columns) {
  for (uint32_t block = 64; block >= 16; block /= 2)
    if (columns % block == 0) return block;
  return 0;
}

// The Sylvester-Hadamard matrix is its own transpose: turning a row of W is the same butterfly as turning a row of x.
void turn_columns(std::vector<float>& weights, uint32_t columns, uint32_t block) {
  float factor = static_cast<float>(1 / std::sqrt(static_cast<double>(block)));
  (void)columns;   // block divides columns, so blocks of the whole array are blocks of rows
  for (size_t first = 0; first + block <= weights.size(); first += block) {
    float* x = weights.data() + first;
    for (uint32_t half = 1; half < block; half *= 2)
      for (uint32_t i = 0; i < block; i += 2 * half)
        for (uint32_t j = i; j < i + half; ++j) {
          float a = x[j], b = x[j + half];
          x[j] = a + b;
          x[j + half] = a - b;
        }
    for (uint32_t i = 0; i < block; ++i) x[i] *= factor;
  }
}

}  // namespace linnet::convert
