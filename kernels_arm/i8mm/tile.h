// Eight rows of weights by up to eight of x with smmla, which multiplies two rows by two, 8 columns at a time: a line's registers
// are its operand as they lie.
#pragma once

#include "../packed.h"

namespace linnet::kernels {
namespace {

struct Packed {
  static constexpr size_t kUnit = 2;    // rows of x that are interleaved
  static constexpr size_t kUnits = 4;   // in one tile
  static constexpr size_t kFewest = 4;  // rows of x that are worth it

  /// 16 columns of two rows: by 8 columns, row after row.
  static void interleave(const int8x16_t* rows, int8_t* out) {
    vst1q_s8(out, vreinterpretq_s8_s64(vzip1q_s64(vreinterpretq_s64_s8(rows[0]), vreinterpretq_s64_s8(rows[1]))));
    vst1q_s8(out + 16, vreinterpretq_s8_s64(vzip2q_s64(vreinterpretq_s64_s8(rows[0]), vreinterpretq_s64_s8(rows[1]))));
  }

  template <size_t Units>
  static void sums(const uint8_t* lines, size_t count, const int8_t* x, size_t unit_bytes, int32_t* out) {
    int32x4_t sum[4][Units];  // two rows of weights, each with two of x
    LINNET_UNROLL for (size_t i = 0; i < 4; ++i) LINNET_UNROLL for (size_t u = 0; u < Units; ++u) sum[i][u] = vdupq_n_s32(0);
    for (size_t line = 0; line < count; ++line) {
      const int8_t* from = reinterpret_cast<const int8_t*>(lines + line * kLine);
      int8x16_t a[Units];
      LINNET_UNROLL for (size_t u = 0; u < Units; ++u) a[u] = vld1q_s8(x + u * unit_bytes + line * 16);
      LINNET_UNROLL for (size_t i = 0; i < 4; ++i) {
        const int8x16_t w = vld1q_s8(from + i * 16);
        LINNET_UNROLL for (size_t u = 0; u < Units; ++u) sum[i][u] = vmmlaq_s32(sum[i][u], w, a[u]);
      }
    }
    LINNET_UNROLL for (size_t half = 0; half < 2; ++half) LINNET_UNROLL for (size_t u = 0; u < Units; ++u) {
      int32_t* to = out + (half * Units + u) * kUnit * 4;
      vst1q_s32(to, vuzp1q_s32(sum[half * 2][u], sum[half * 2 + 1][u]));
      vst1q_s32(to + 4, vuzp2q_s32(sum[half * 2][u], sum[half * 2 + 1][u]));
    }
  }
};

}  // namespace
}  // namespace linnet::kernels
