// f32 rows to int8 rows, 8 numbers at a time, bit-equal to the portable kernel: every float operation here rounds as its twin does.
#include <cfloat>

#include "floats.h"
#include "linear.h"

namespace linnet::kernels::neon {
namespace {

using Register = Floats::Register;

// Up to 8 numbers; those that are missing are 0, NaN is 0, infinity is the largest float.
Register load(const float* x, size_t count) {
  const Register number = Floats::zero_where_nan(count >= 8 ? Floats::load(x) : Floats::load_first(x, count));
  return Floats::maximum(Floats::minimum(number, Floats::set(FLT_MAX)), Floats::set(-FLT_MAX));
}

float largest(const float* x, size_t columns) {
  Register most = Floats::zero();
  for (size_t k = 0; k < columns; k += 8) most = Floats::maximum(Floats::absolute(load(x + k, columns - k)), most);
  return Floats::largest(most);
}

int16x8_t rounded(Register x, Register scale) {
  Register steps = Floats::divide(x, scale);
  steps = Floats::maximum(Floats::minimum(steps, Floats::set(127)), Floats::set(-127));
  return vcombine_s16(vmovn_s32(vcvtnq_s32_f32(steps.low)), vmovn_s32(vcvtnq_s32_f32(steps.high)));
}

// One group of 32 columns, of which `count` exist. Returns its sum.
int32_t quantize_group(const float* x, size_t count, Register scale, int8_t* data) {
  int16x8_t sum = vdupq_n_s16(0);
  for (size_t i = 0; i < kGroup; i += 8) {
    const int16x8_t words = count > i ? rounded(load(x + i, count - i), scale) : vdupq_n_s16(0);
    vst1_s8(data + i, vmovn_s16(words));
    sum = vaddq_s16(sum, words);
  }
  return vaddlvq_s16(sum);
}

}  // namespace

void quantize(const float* x, size_t x_stride, size_t rows, size_t columns, QuantizedRows out) {
  const size_t groups = out.stride / kGroup;
  for (size_t m = 0; m < rows; ++m) {
    const float* row = x + m * x_stride;
    const float scale = largest(row, columns) / 127;
    const Register scales = Floats::set(scale);
    int32_t row_sum = 0;
    for (size_t g = 0; g < groups; ++g) {
      const size_t first = g * kGroup;
      const size_t count = scale > 0 && columns > first ? columns - first : 0;
      const int32_t sum = quantize_group(row + first, count, scales, out.data + m * out.stride + first);
      out.group_sum[m * groups + g] = static_cast<int16_t>(sum);
      row_sum += sum;
    }
    out.scale[m] = scale;
    out.row_sum[m] = row_sum;
  }
}

}  // namespace linnet::kernels::neon
