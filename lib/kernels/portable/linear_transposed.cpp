// out[m][k] = sum_n x[m][n] w[n][k] on the bytes that the ordinary product reads: a stretch of columns at a time, row after row
// of W is decoded and added. Also the decoding itself, which embedding tables need.
#include "core/half.h"
#include "kernels/portable/linear.h"

namespace linnet::kernels::portable {
namespace {

using Decode = void(const uint8_t* weights, size_t rows, size_t columns, size_t row, size_t first, size_t last, float* out);

template <Decode* decode>
void transposed(const TransposedTask& task) {
  constexpr size_t kStretch = 64;
  float w[kStretch];
  for (size_t first = task.first_column; first < task.last_column; first += kStretch) {
    const size_t last = first + kStretch < task.last_column ? first + kStretch : task.last_column;
    for (size_t m = 0; m < task.tokens; ++m)
      for (size_t k = first; k < last; ++k) task.out[m * task.out_stride + k] = 0;
    for (size_t n = task.first_row; n < task.end_row; ++n) {
      decode(task.weights, task.rows, task.columns, n, first, last, w);
      for (size_t m = 0; m < task.tokens; ++m) {
        const float x = task.dense[m * task.dense_stride + n - task.first_row];
        float* out = task.out + m * task.out_stride;
        for (size_t k = first; k < last; ++k) out[k] += x * w[k - first];
      }
    }
  }
}

}  // namespace

void decode_f32(const uint8_t* weights, size_t, size_t columns, size_t row, size_t first, size_t last, float* out) {
  const float* w = reinterpret_cast<const float*>(weights) + row * columns;
  for (size_t k = first; k < last; ++k) out[k - first] = w[k];
}

void decode_f16(const uint8_t* weights, size_t, size_t columns, size_t row, size_t first, size_t last, float* out) {
  const uint16_t* w = reinterpret_cast<const uint16_t*>(weights) + row * columns;
  for (size_t k = first; k < last; ++k) out[k - first] = core::float_from_half(w[k]);
}

void decode_bf16(const uint8_t* weights, size_t, size_t columns, size_t row, size_t first, size_t last, float* out) {
  const uint16_t* w = reinterpret_cast<const uint16_t*>(weights) + row * columns;
  for (size_t k = first; k < last; ++k) out[k - first] = core::float_from_bfloat16(w[k]);
}

void decode_int8(const uint8_t* weights, size_t rows, size_t columns, size_t row, size_t first, size_t last, float* out) {
  const size_t panel_bytes = int8_panel_bytes(columns);
  const uint8_t* panel = weights + row / kPanelRows * panel_bytes;
  const float scale = reinterpret_cast<const float*>(weights + panels(rows) * panel_bytes)[row];
  for (size_t k = first; k < last; ++k) out[k - first] = scale * static_cast<int8_t>(panel[k / 8 * kLine + row % kPanelRows * 8 + k % 8]);
}

void decode_int4(const uint8_t* weights, size_t rows, size_t columns, size_t row, size_t first, size_t last, float* out) {
  const size_t panel_bytes = int4_panel_bytes(columns), r = row % kPanelRows;
  const uint8_t* panel = weights + row / kPanelRows * panel_bytes;
  const float* scales = reinterpret_cast<const float*>(weights + panels(rows) * panel_bytes);
  const float scale = scales[row], offset = scales[panels(rows) * kPanelRows + row];
  for (size_t k = first; k < last; ++k) {
    const size_t g = k / kGroup % kGroupsPerScaleLine;
    const uint8_t* block = panel + k / (kGroup * kGroupsPerScaleLine) * kLine * (1 + 2 * kGroupsPerScaleLine);
    const int32_t group_byte = block[g * 8 + r];
    const int32_t pair = block[kLine + (g * 2 + k % kGroup / 16) * kLine + r * 8 + k % 8];
    const int32_t nibble = k % 16 < 8 ? pair & 15 : pair >> 4;
    const float product = scale * static_cast<float>(((group_byte & 15) + 1) * nibble);
    out[k - first] = product - offset * static_cast<float>(group_byte >> 4);
  }
}

void decode_mxfp4(const uint8_t* weights, size_t, size_t columns, size_t row, size_t first, size_t last, float* out) {
  const uint8_t* panel = weights + row / kPanelRows * mxfp4_panel_bytes(columns);
  const size_t r = row % kPanelRows;
  for (size_t k = first; k < last; ++k) {
    const size_t g = k / kGroup % kGroupsPerScaleLine;
    const uint8_t* block = panel + k / (kGroup * kGroupsPerScaleLine) * kLine * (1 + 2 * kGroupsPerScaleLine);
    const int32_t pair = block[kLine + (g * 2 + k % kGroup / 16) * kLine + r * 8 + k % 8];
    const float halves = kMxfp4Halves[k % 16 < 8 ? pair & 15 : pair >> 4];
    out[k - first] = 0.5f * halves * mxfp4_power(block[g * 8 + r]);
  }
}

void transposed_f32(const TransposedTask& task) { transposed<decode_f32>(task); }
void transposed_f16(const TransposedTask& task) { transposed<decode_f16>(task); }
void transposed_bf16(const TransposedTask& task) { transposed<decode_bf16>(task); }
void transposed_int8(const TransposedTask& task) { transposed<decode_int8>(task); }
void transposed_int4(const TransposedTask& task) { transposed<decode_int4>(task); }
void transposed_mxfp4(const TransposedTask& task) { transposed<decode_mxfp4>(task); }

}  // namespace linnet::kernels::portable
