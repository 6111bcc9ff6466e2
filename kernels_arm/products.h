// What the exact products of all levels share: sums scaled and stored, and panels in turn for few rows of x.
//
// A line of weights is four registers of two rows. A tile is one panel times a few rows of x; its sums lie as
// [rows 0..3 or 4..7 of the panel][row of x][4]. A level's own tiles live in an anonymous namespace of their file, which keeps every
// function here private to it: no copy made with a level's flags can stand in for another's.
#pragma once

#include <arm_neon.h>

#include <cstddef>
#include <cstdint>
#include <utility>

#include "kernels/linear_kernels.h"
#include "kernels/loops/unroll.h"

namespace linnet::kernels::arm {
namespace {

constexpr size_t kStreamAhead = 4096;  // bytes that weights are prefetched ahead: a few lines more than memory's latency hides
constexpr size_t kBlockBytes = kLine * (1 + 2 * kGroupsPerScaleLine);  // int4: a scale line and the lines of its groups

inline size_t least(size_t a, size_t b) { return a < b ? a : b; }

/// Weights are streamed once, for the first rows of x; later tiles find them in the cache.
inline size_t stream_ahead(size_t first_token) { return first_token == 0 ? kStreamAhead : 0; }

/// Before the next rows of weights are loaded: loaded ahead of their use, they take the registers of the sums.
inline void forget() { asm volatile("" ::: "memory"); }

/// A whole line before its first use: in-order processors wait for each load otherwise.
inline void loaded(int8x16_t (&w)[4]) { asm("" : "+w"(w[0]), "+w"(w[1]), "+w"(w[2]), "+w"(w[3])); }

/// 8 columns of x, once for each of two rows of weights.
inline int8x16_t columns_twice(const int8_t* columns) {
  return vreinterpretq_s8_s64(vld1q_dup_s64(reinterpret_cast<const int64_t*>(columns)));
}

inline int8x16_t low_nibbles(uint8x16_t bytes) { return vreinterpretq_s8_u8(vandq_u8(bytes, vdupq_n_u8(15))); }
inline int8x16_t high_nibbles(uint8x16_t bytes) { return vreinterpretq_s8_u8(vshrq_n_u8(bytes, 4)); }

/// A group's s, 1 .. 16, of 8 rows.
inline uint8x8_t group_scales(const uint8_t* bytes) { return vadd_u8(vand_u8(vld1_u8(bytes), vdup_n_u8(15)), vdup_n_u8(1)); }

/// Stores y of panel rows n .. n + 3; rows outside of [first_row, end_row) are left out.
inline void store(const LinearTask& task, size_t m, size_t n, float32x4_t y) {
  const ptrdiff_t column = static_cast<ptrdiff_t>(n) - static_cast<ptrdiff_t>(task.first_row);
  float* out = task.out + static_cast<ptrdiff_t>(m * task.out_stride) + column;
  if (n >= task.first_row && n + 4 <= task.end_row) {
    if (task.bias) y = vaddq_f32(y, vld1q_f32(task.bias + column));
    vst1q_f32(out, y);
    return;
  }
  float four[4];
  vst1q_f32(four, y);
  for (size_t i = 0; i < 4; ++i)
    if (n + i >= task.first_row && n + i < task.end_row)
      out[i] = task.bias ? four[i] + task.bias[column + static_cast<ptrdiff_t>(i)] : four[i];
}

/// Scales and stores the first `tokens` of a tile of `tile` rows of x.
inline void store_int8(const LinearTask& task, size_t panel, size_t first_token, size_t tokens, size_t tile, const int32_t* sums) {
  const float* scales = reinterpret_cast<const float*>(task.weights + panels(task.rows) * int8_panel_bytes(task.columns));
  for (size_t half = 0; half < 2; ++half) {
    const size_t n = panel * kPanelRows + half * 4;
    const float32x4_t scale = vld1q_f32(scales + n);
    for (size_t m = 0; m < tokens; ++m) {
      const float32x4_t sum = vcvtq_f32_s32(vld1q_s32(sums + (half * tile + m) * 4));
      store(task, first_token + m, n, vmulq_f32(vmulq_n_f32(scale, task.x.scale[first_token + m]), sum));
    }
  }
}

inline void store_int4(const LinearTask& task, size_t panel, size_t first_token, size_t tokens, size_t tile, const int32_t* sums,
                       const int32_t* offsets) {
  const float* scales = reinterpret_cast<const float*>(task.weights + panels(task.rows) * int4_panel_bytes(task.columns));  // R
  const float* steps = scales + panels(task.rows) * kPanelRows;                                                             // M
  for (size_t half = 0; half < 2; ++half) {
    const size_t n = panel * kPanelRows + half * 4;
    const float32x4_t scale = vld1q_f32(scales + n), step = vld1q_f32(steps + n);
    for (size_t m = 0; m < tokens; ++m) {
      const size_t at = (half * tile + m) * 4;
      const float32x4_t product = vmulq_f32(scale, vcvtq_f32_s32(vld1q_s32(sums + at)));
      const float32x4_t offset = vmulq_f32(step, vcvtq_f32_s32(vld1q_s32(offsets + at)));
      store(task, first_token + m, n, vmulq_n_f32(vsubq_f32(product, offset), task.x.scale[first_token + m]));
    }
  }
}

}  // namespace

/// The offset part of int4: sum over groups of m * group_sum. In a loop of its own: it reads the scale lines alone, and the
/// registers are needed elsewhere.
template <class V, size_t Tokens>
void offset_sums(const uint8_t* panel, const QuantizedRows& x, size_t first_token, int32_t* offsets) {
  const size_t groups = x.stride / kGroup;
  const int16_t* group_sum = x.group_sum + first_token * groups;
  int32x4_t sum[Tokens][2];
  LINNET_UNROLL for (size_t m = 0; m < Tokens; ++m) LINNET_UNROLL for (size_t half = 0; half < 2; ++half) sum[m][half] = vdupq_n_s32(0);
  for (size_t g = 0; g < groups; ++g) {
    const uint8_t* bytes = panel + g / kGroupsPerScaleLine * kBlockBytes + g % kGroupsPerScaleLine * kPanelRows;
    const int16x8_t offset = vreinterpretq_s16_u16(vmovl_u8(vshr_n_u8(vld1_u8(bytes), 4)));
    LINNET_UNROLL for (size_t m = 0; m < Tokens; ++m) {
      const int16_t columns = group_sum[m * groups + g];
      sum[m][0] = vmlal_n_s16(sum[m][0], vget_low_s16(offset), columns);
      sum[m][1] = vmlal_high_n_s16(sum[m][1], offset, columns);
    }
  }
  LINNET_UNROLL for (size_t m = 0; m < Tokens; ++m) LINNET_UNROLL for (size_t half = 0; half < 2; ++half)
      vst1q_s32(offsets + (half * Tokens + m) * 4, sum[m][half]);
}

/// One panel times `Tokens` rows of x as they are.
template <class V, size_t Tokens>
void int8_direct_tile(const LinearTask& task, size_t panel, size_t first_token) {
  int32_t sums[Tokens * kPanelRows];
  V::template sums<Tokens>(task.weights + panel * int8_panel_bytes(task.columns), task.x, first_token, sums);
  store_int8(task, panel, first_token, Tokens, Tokens, sums);
}
template <class V, size_t Tokens>
void int4_direct_tile(const LinearTask& task, size_t panel, size_t first_token) {
  int32_t sums[Tokens * kPanelRows], offsets[Tokens * kPanelRows];
  const uint8_t* from = task.weights + panel * int4_panel_bytes(task.columns);
  V::template sums<Tokens>(from, task.x, first_token, sums);
  offset_sums<V, Tokens>(from, task.x, first_token, offsets);
  store_int4(task, panel, first_token, Tokens, Tokens, sums, offsets);
}

using DirectTile = void (*)(const LinearTask&, size_t panel, size_t first_token);

/// Every panel times all rows of x, in tiles of the last kind and one for the rest; tiles[i] takes i + 1 rows.
template <size_t Count>
inline void direct_product(const LinearTask& task, const DirectTile (&tiles)[Count]) {
  for (size_t p = task.first_panel; p < task.last_panel; ++p)
    for (size_t m = 0; m < task.tokens; m += Count) tiles[least(task.tokens - m, Count) - 1](task, p, m);
}

}  // namespace linnet::kernels::arm
