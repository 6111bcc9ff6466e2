#include <algorithm>
#include <cmath>
#include <cstring>

#include "kernels/portable/vector.h"

namespace linnet::kernels::portable {

void add(const float* a, const float* b, float b_scale, size_t count, float* out) {
  for (size_t i = 0; i < count; ++i) out[i] = a[i] + b_scale * b[i];
}

void multiply(const float* a, const float* b, float b_scale, size_t count, float* out) {
  for (size_t i = 0; i < count; ++i) out[i] = a[i] * (b_scale * b[i]);
}

void scale(const float* x, float factor, size_t count, float* out) {
  for (size_t i = 0; i < count; ++i) out[i] = factor * x[i];
}

void rotate(const float* x, size_t head_width, const float* cosines, const float* sines, size_t width, bool pairs, float* out) {
  const size_t half = width / 2;
  for (size_t i = 0; i < half; ++i) {
    const size_t first = pairs ? 2 * i : i, second = pairs ? 2 * i + 1 : i + half;
    const float a = x[first], b = x[second];
    out[first] = a * cosines[i] - b * sines[i];
    out[second] = b * cosines[i] + a * sines[i];
  }
  if (out != x) std::copy(x + width, x + head_width, out + width);
}

// Butterflies of distance 1, 2, 4, ...: every level adds the same pairs in the same order, so that all are bit-equal.
void turn(const float* x, size_t count, size_t block, float* out) {
  const float factor = 1 / std::sqrt(static_cast<float>(block));
  if (out != x) std::memcpy(out, x, count * sizeof(float));
  for (size_t begin = 0; begin < count; begin += block) {
    float* values = out + begin;
    for (size_t distance = 1; distance < block; distance *= 2) {
      for (size_t i = 0; i < block; ++i) {
        if (i & distance) continue;
        const float a = values[i], b = values[i + distance];
        values[i] = a + b;
        values[i + distance] = a - b;
      }
    }
    for (size_t i = 0; i < block; ++i) values[i] *= factor;
  }
}

}  // namespace linnet::kernels::portable
