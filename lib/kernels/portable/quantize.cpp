// f32 rows to int8 rows with one scale each: scale = max|x| / 127, data = round(x / scale) in -127..127, and the sums of data
// over 32 columns and over the row, which kernels with unsigned weights need.
#include <cfloat>

#include "kernels/portable/linear.h"

namespace linnet::kernels::portable {
namespace {

float tame(float x) {
  if (x != x) return 0;
  return x > FLT_MAX ? FLT_MAX : x < -FLT_MAX ? -FLT_MAX : x;
}

int8_t rounded(float x) {
  // 1.5 * 2^23 leaves no bits behind the point, so the addition itself rounds to nearest even. A denormal scale is too coarse
  // for 127 steps and would pass 127.
  constexpr float kNoFraction = 12582912.0f;
  float clamped = x > 127 ? 127 : x < -127 ? -127 : x;
  return static_cast<int8_t>((clamped + kNoFraction) - kNoFraction);
}

}  // namespace

void quantize(const float* x, size_t x_stride, size_t rows, size_t columns, QuantizedRows out) {
  const size_t groups = out.stride / kGroup;
  for (size_t m = 0; m < rows; ++m) {
    const float* row = x + m * x_stride;
    int8_t* data = out.data + m * out.stride;
    float largest = 0;
    for (size_t k = 0; k < columns; ++k) {
      float value = tame(row[k]);
      float magnitude = value < 0 ? -value : value;
      if (magnitude > largest) largest = magnitude;
    }
    const float scale = largest / 127;
    int32_t row_sum = 0;
    for (size_t g = 0; g < groups; ++g) {
      int32_t group_sum = 0;
      for (size_t k = g * kGroup; k < (g + 1) * kGroup; ++k) {
        data[k] = k < columns && scale > 0 ? rounded(tame(row[k]) / scale) : int8_t{0};
        group_sum += data[k];
      }
      out.group_sum[m * groups + g] = static_cast<int16_t>(group_sum);
      row_sum += group_sum;
    }
    out.scale[m] = scale;
    out.row_sum[m] = row_sum;
  }
}

}  // namespace linnet::kernels::portable
