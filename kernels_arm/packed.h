// Products of many rows of x. These are interleaved in scratch, V::kUnit at a time, so that one register holds columns of several
// rows; int4 panels become int8 lines there first. Then one loop serves both: V::sums, of a panel's lines times units of rows.
//
// int4: s * nibble - 128 fits int8, and 128 * row_sum puts it right. The offset part runs through the same loop: the m of 8 groups
// are a line, and a group's sum, up to 32 * 127, is low + 128 * high with both in int8.
#pragma once

#include "products.h"

namespace linnet::kernels::arm {

constexpr size_t kBlockTokens = 64;  // interleaved together: as much of x as stays in the second-level cache
constexpr size_t kSumUnit = 16;      // group sums are interleaved as 16 columns, as x is

/// What one block of rows takes in scratch, in bytes of one row: x, then low, then high parts of the group sums.
struct PackedRow {
  size_t columns, sums;
  explicit PackedRow(size_t matrix_columns)
      : columns(padded_columns(matrix_columns)), sums((int4_groups(matrix_columns) + kSumUnit - 1) / kSumUnit * kSumUnit) {}
  size_t bytes() const { return columns + 2 * sums; }
};

/// For any number of rows from V::kFewest on, and less for fewer of them.
template <class V>
size_t packed_scratch(size_t tokens, size_t columns) {
  if (tokens < V::kFewest) return 0;
  const PackedRow row(columns);
  const size_t units = (least(tokens, kBlockTokens) + V::kUnit - 1) / V::kUnit;
  return units * V::kUnit * row.bytes() + kPanelRows * (row.columns + row.sums);
}

namespace {

/// The first `count` of 16 sums, zero behind them.
inline void split_sums(const int16_t* sums, size_t count, int8x16_t* low, int8x16_t* high) {
  int16_t padded[kSumUnit] = {};
  for (size_t i = 0; i < least(count, kSumUnit); ++i) padded[i] = sums[i];
  int8x8_t lows[2], highs[2];
  LINNET_UNROLL for (size_t half = 0; half < 2; ++half) {
    const int16x8_t eight = vld1q_s16(padded + half * 8);
    const int16x8_t above = vshrq_n_s16(vaddq_s16(eight, vdupq_n_s16(64)), 7);
    highs[half] = vmovn_s16(above);
    lows[half] = vmovn_s16(vsubq_s16(eight, vshlq_n_s16(above, 7)));
  }
  *low = vcombine_s8(lows[0], lows[1]);
  *high = vcombine_s8(highs[0], highs[1]);
}

/// Byte i: 0 for one row of a register, 1 for the other, and then some.
inline uint8x16_t both_rows(size_t first) {
  return vcombine_u8(vdup_n_u8(static_cast<uint8_t>(first)), vdup_n_u8(static_cast<uint8_t>(first + 1)));
}

/// One int4 panel as int8 lines of s * nibble - 128, then its m as lines of 8 groups.
inline void expand(const uint8_t* panel, const PackedRow& row, uint8_t* lines, uint8_t* offsets) {
  const size_t groups = row.columns / kGroup;
  for (size_t g = 0; g < groups; ++g) {
    const uint8_t* block = panel + g / kGroupsPerScaleLine * kBlockBytes;
    const uint8_t* from = block + kLine + g % kGroupsPerScaleLine * 2 * kLine;
    const uint8x8_t eight = group_scales(block + g % kGroupsPerScaleLine * kPanelRows);
    const uint8x16_t scales = vcombine_u8(eight, eight), turn = vdupq_n_u8(128);
    LINNET_UNROLL for (size_t r = 0; r < kPanelRows; r += 2) {
      const uint8x16_t scale = vqtbl1q_u8(scales, both_rows(r));
      LINNET_UNROLL for (size_t line = 0; line < 2; ++line) {
        const uint8x16_t bytes = vld1q_u8(from + line * kLine + r * 8);
        __builtin_prefetch(from + line * kLine + kStreamAhead);
        uint8_t* to = lines + (g * 4 + line * 2) * kLine + r * 8;
        vst1q_u8(to, veorq_u8(vmulq_u8(vandq_u8(bytes, vdupq_n_u8(15)), scale), turn));
        vst1q_u8(to + kLine, veorq_u8(vmulq_u8(vshrq_n_u8(bytes, 4), scale), turn));
      }
    }
  }
  const size_t blocks = (groups + kGroupsPerScaleLine - 1) / kGroupsPerScaleLine;
  const uint8x16_t eighth = vcombine_u8(vcreate_u8(0x3830282018100800), vcreate_u8(0x3931292119110901));
  for (size_t block = 0; block < row.sums / kGroupsPerScaleLine; ++block) {
    uint8x16x4_t bytes = {};
    if (block < blocks) bytes = vld1q_u8_x4(panel + block * kBlockBytes);
    LINNET_UNROLL for (size_t r = 0; r < kPanelRows; r += 2) {
      const uint8x16_t rows = vqtbl4q_u8(bytes, vaddq_u8(eighth, vdupq_n_u8(static_cast<uint8_t>(r))));
      vst1q_u8(offsets + block * kLine + r * 8, vshrq_n_u8(rows, 4));
    }
  }
}

}  // namespace

/// V::kUnit rows of x from `first` on; those past the end are copies of the last, and nobody reads their results.
template <class V, bool GroupSums>
void pack_unit(const LinearTask& task, const PackedRow& row, size_t first, int8_t* out) {
  const size_t groups = task.x.stride / kGroup;
  size_t token[V::kUnit];
  for (size_t t = 0; t < V::kUnit; ++t) token[t] = least(first + t, task.tokens - 1);
  for (size_t k = 0; k < row.columns; k += 16) {
    int8x16_t columns[V::kUnit];
    LINNET_UNROLL for (size_t t = 0; t < V::kUnit; ++t) columns[t] = vld1q_s8(task.x.data + token[t] * task.x.stride + k);
    V::interleave(columns, out + k * V::kUnit);
  }
  if constexpr (GroupSums) {
    for (size_t g = 0; g < row.sums; g += kSumUnit) {
      int8x16_t low[V::kUnit], high[V::kUnit];
      for (size_t t = 0; t < V::kUnit; ++t) split_sums(task.x.group_sum + token[t] * groups + g, groups - g, &low[t], &high[t]);
      V::interleave(low, out + (row.columns + g) * V::kUnit);
      V::interleave(high, out + (row.columns + row.sums + g) * V::kUnit);
    }
  }
}

/// One panel's lines times units of rows, stored as rows [first_token, first_token + tokens).
template <class V, size_t Units>
void int8_packed_tile(const LinearTask& task, const PackedRow& row, size_t panel, const uint8_t* lines, const uint8_t*, const int8_t* x,
                      size_t first_token, size_t tokens) {
  constexpr size_t kTile = Units * V::kUnit;
  int32_t sums[kTile * kPanelRows];
  V::template sums<Units>(lines, row.columns / 8, x, V::kUnit * row.bytes(), sums);
  store_int8(task, panel, first_token, tokens, kTile, sums);
}

template <class V, size_t Units>
void int4_packed_tile(const LinearTask& task, const PackedRow& row, size_t panel, const uint8_t* lines, const uint8_t* offset_lines,
                      const int8_t* x, size_t first_token, size_t tokens) {
  constexpr size_t kTile = Units * V::kUnit;
  const size_t unit_bytes = V::kUnit * row.bytes();
  const int8_t* group_sums = x + row.columns * V::kUnit;
  int32_t sums[kTile * kPanelRows], low[kTile * kPanelRows], high[kTile * kPanelRows];
  V::template sums<Units>(lines, row.columns / 8, x, unit_bytes, sums);
  V::template sums<Units>(offset_lines, row.sums / 8, group_sums, unit_bytes, low);
  V::template sums<Units>(offset_lines, row.sums / 8, group_sums + row.sums * V::kUnit, unit_bytes, high);
  for (size_t half = 0; half < 2; ++half)
    for (size_t m = 0; m < tokens; ++m) {
      const size_t at = (half * kTile + m) * 4;
      const int32x4_t shift = vdupq_n_s32(128 * task.x.row_sum[first_token + m]);
      vst1q_s32(sums + at, vaddq_s32(vld1q_s32(sums + at), shift));
      vst1q_s32(low + at, vaddq_s32(vld1q_s32(low + at), vshlq_n_s32(vld1q_s32(high + at), 7)));
    }
  store_int4(task, panel, first_token, tokens, kTile, sums, low);
}

using PackedTile = void (*)(const LinearTask&, const PackedRow&, size_t panel, const uint8_t* lines, const uint8_t* offset_lines,
                            const int8_t* x, size_t first_token, size_t tokens);

/// Tiles of 1 .. sizeof...(I) units, by units - 1.
template <class V, bool Int4, size_t... I>
PackedTile packed_tiles(size_t units, std::index_sequence<I...>) {
  if constexpr (Int4) {
    static constexpr PackedTile tiles[] = {int4_packed_tile<V, I + 1>...};
    return tiles[units - 1];
  } else {
    static constexpr PackedTile tiles[] = {int8_packed_tile<V, I + 1>...};
    return tiles[units - 1];
  }
}

template <class V, bool Int4>
void packed_product(const LinearTask& task) {
  constexpr auto kTiles = std::make_index_sequence<V::kUnits>();
  const PackedRow row(task.columns);
  const size_t unit_bytes = V::kUnit * row.bytes();
  int8_t* packed = static_cast<int8_t*>(task.scratch);
  for (size_t first = 0; first < task.tokens; first += kBlockTokens) {
    const size_t tokens = least(task.tokens - first, kBlockTokens), units = (tokens + V::kUnit - 1) / V::kUnit;
    uint8_t* expanded = reinterpret_cast<uint8_t*>(packed + units * unit_bytes);
    uint8_t* offset_lines = expanded + kPanelRows * row.columns;
    for (size_t u = 0; u < units; ++u) pack_unit<V, Int4>(task, row, first + u * V::kUnit, packed + u * unit_bytes);
    for (size_t p = task.first_panel; p < task.last_panel; ++p) {
      const uint8_t* lines = expanded;
      if constexpr (Int4) {
        expand(task.weights + p * int4_panel_bytes(task.columns), row, expanded, offset_lines);
      } else {
        lines = task.weights + p * int8_panel_bytes(task.columns);
      }
      for (size_t u = 0; u < units; u += V::kUnits) {
        const size_t m = u * V::kUnit;
        packed_tiles<V, Int4>(least(units - u, V::kUnits), kTiles)(task, row, p, lines, offset_lines, packed + u * unit_bytes, first + m,
                                                                   least(tokens - m, V::kUnits * V::kUnit));
      }
    }
  }
}

}  // namespace linnet::kernels::arm
