// Products with f32, f16 and bf16 weights, row after row. A sum runs in eight strands (column k in strand k % 8), joined in
// halves: that is also a vector's natural order, so that this level is not slower than the language forces it to be.
#include "core/half.h"
#include "kernels/portable/linear.h"

namespace linnet::kernels::portable {
namespace {

constexpr size_t kStrands = 8;

struct F32 {
  using Stored = float;
  static float decode(float value) { return value; }
};
struct F16 {
  using Stored = uint16_t;
  static float decode(uint16_t bits) { return core::float_from_half(bits); }
};
struct Bf16 {
  using Stored = uint16_t;
  static float decode(uint16_t bits) { return core::float_from_bfloat16(bits); }
};

float joined(const float* strand) {
  float fours[4], twos[2];
  for (size_t i = 0; i < 4; ++i) fours[i] = strand[i] + strand[i + 4];
  for (size_t i = 0; i < 2; ++i) twos[i] = fours[i] + fours[i + 2];
  return twos[0] + twos[1];
}

template <class Encoding>
float dot(const float* x, const typename Encoding::Stored* w, size_t columns) {
  float strand[kStrands] = {};
  size_t k = 0;
  for (; k + kStrands <= columns; k += kStrands)
    for (size_t i = 0; i < kStrands; ++i) strand[i] += x[k + i] * Encoding::decode(w[k + i]);
  for (; k < columns; ++k) strand[k % kStrands] += x[k] * Encoding::decode(w[k]);
  return joined(strand);
}

template <class Encoding>
void linear(const LinearTask& task) {
  const auto* weights = reinterpret_cast<const typename Encoding::Stored*>(task.weights);
  size_t first = task.first_panel * kPanelRows, last = task.last_panel * kPanelRows;
  if (first < task.first_row) first = task.first_row;
  if (last > task.end_row) last = task.end_row;
  for (size_t n = first; n < last; ++n) {
    size_t column = n - task.first_row;
    for (size_t m = 0; m < task.tokens; ++m) {
      float y = dot<Encoding>(task.dense + m * task.dense_stride, weights + n * task.columns, task.columns);
      task.out[m * task.out_stride + column] = task.bias ? y + task.bias[column] : y;
    }
  }
}

}  // namespace

void f32(const LinearTask& task) { linear<F32>(task); }
void f16(const LinearTask& task) { linear<F16>(task); }
void bf16(const LinearTask& task) { linear<Bf16>(task); }

}  // namespace linnet::kernels::portable
