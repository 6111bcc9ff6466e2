// Eight rows of weights by up to eight of x with sdot, which multiplies four columns at a time. Four rows of x share a register,
// and weights are the element: each of the four quarters of a line's register is half of a row's 8 columns.
#pragma once

#include "../packed.h"

namespace linnet::kernels {
namespace {

struct Packed {
  static constexpr size_t kUnit = 4;    // rows of x that are interleaved
  static constexpr size_t kUnits = 2;   // in one tile
  static constexpr size_t kFewest = 4;  // rows of x that are worth it

  /// 16 columns of four rows: by four columns, row after row.
  static void interleave(const int8x16_t* rows, int8_t* out) {
    int32x4x4_t four;
    LINNET_UNROLL for (size_t t = 0; t < kUnit; ++t) four.val[t] = vreinterpretq_s32_s8(rows[t]);
    vst4q_s32(reinterpret_cast<int32_t*>(out), four);
  }

  template <size_t Units>
  static void sums(const uint8_t* lines, size_t count, const int8_t* x, size_t unit_bytes, int32_t* out) {
    int32x4_t sum[kPanelRows][Units];
    LINNET_UNROLL for (size_t r = 0; r < kPanelRows; ++r) LINNET_UNROLL for (size_t u = 0; u < Units; ++u) sum[r][u] = vdupq_n_s32(0);
    for (size_t line = 0; line < count; ++line) {
      const int8_t* from = reinterpret_cast<const int8_t*>(lines + line * kLine);
      int8x16_t a[Units][2];
      LINNET_UNROLL for (size_t u = 0; u < Units; ++u) LINNET_UNROLL for (size_t half = 0; half < 2; ++half) a[u][half] =
          vld1q_s8(x + u * unit_bytes + line * 32 + half * 16);
      int8x16_t w[4];
      LINNET_UNROLL for (size_t i = 0; i < 4; ++i) w[i] = vld1q_s8(from + i * 16);
      arm::loaded(w);
      LINNET_UNROLL for (size_t i = 0; i < 4; ++i) {
        LINNET_UNROLL for (size_t u = 0; u < Units; ++u) {
          sum[2 * i][u] = vdotq_laneq_s32(vdotq_laneq_s32(sum[2 * i][u], a[u][0], w[i], 0), a[u][1], w[i], 1);
          sum[2 * i + 1][u] = vdotq_laneq_s32(vdotq_laneq_s32(sum[2 * i + 1][u], a[u][0], w[i], 2), a[u][1], w[i], 3);
        }
      }
    }
    LINNET_UNROLL for (size_t half = 0; half < 2; ++half) LINNET_UNROLL for (size_t u = 0; u < Units; ++u) {
      const size_t r = half * 4;
      const int32x4x4_t rows = {{sum[r][u], sum[r + 1][u], sum[r + 2][u], sum[r + 3][u]}};
      vst4q_s32(out + (half * Units + u) * kUnit * 4, rows);
    }
  }
};

}  // namespace
}  // namespace linnet::kernels
