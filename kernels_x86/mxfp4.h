// mxfp4 products, shared by the levels. A group's sum of twice the values is an exact int32; as a float its power of two multiplies it
// exactly, and groups are added in order, eight rows of a panel in the lanes of one register: bit-equal on every level.
//
// V::Values is one register of weights as the level multiplies them, V::ValueSum a group's sum of four rows (or eight), V::eight joins
// those of a panel; V::kRowsMixed: it leaves them in the order 0 1 4 5 2 3 6 7.
#pragma once

#include "products.h"

namespace linnet::kernels::x86 {
namespace {

/// kMxfp4Halves with 12 added, for products whose weights are unsigned.
constexpr int8_t kShiftedHalves[16] = {12, 13, 14, 15, 16, 18, 20, 24, 12, 11, 10, 9, 8, 6, 4, 0};

/// Rows 0 .. 7 as 0 1 4 5 2 3 6 7, and back.
inline __m256 mixed(__m256 rows) { return _mm256_castpd_ps(_mm256_permute4x64_pd(_mm256_castps_pd(rows), 0xD8)); }

/// 2^(e - 127) of a group's eight rows.
inline __m256 mxfp4_powers(const uint8_t* exponents) {
  const __m256i e = _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(exponents)));
  return _mm256_castsi256_ps(_mm256_max_epi32(_mm256_slli_epi32(e, 23), _mm256_set1_epi32(0x00400000)));
}

}  // namespace

template <class V, size_t Tokens, Fetch fetch>
void mxfp4_tile(const LinearTask& task, PanelSpan span, size_t panel, size_t first_token) {
  using Register = typename V::Register;
  const QuantizedRows& x = task.x;
  const size_t groups = x.stride / kGroup;
  const int8_t* row = x.data + first_token * x.stride;
  const int16_t* group_sum = x.group_sum + first_token * groups;
  __m256 sum[Tokens];
  LINNET_UNROLL for (size_t m = 0; m < Tokens; ++m) sum[m] = _mm256_setzero_ps();
  for (size_t g = 0; g < groups; ++g) {
    const uint8_t* block = span.first + g / kGroupsPerScaleLine * kBlockBytes;
    const uint8_t* lines = block + kLine + g % kGroupsPerScaleLine * 2 * kLine;
    const int8_t* columns = row + g * kGroup;
    if (g % kGroupsPerScaleLine == 0) prefetch<fetch>(block, span.following);
    Register part[Tokens][V::kVectors];
    LINNET_UNROLL for (size_t v = 0; v < V::kVectors; ++v) {
      typename V::Values low[2], high[2];
      LINNET_UNROLL for (size_t line = 0; line < 2; ++line) {
        if (v == 0) prefetch<fetch>(lines + line * kLine, span.following);
        Register nibbles_low, nibbles_high;
        V::nibbles(lines + line * kLine + v * sizeof(Register), &nibbles_low, &nibbles_high);
        low[line].look_up(nibbles_low);
        high[line].look_up(nibbles_high);
      }
      LINNET_UNROLL for (size_t m = 0; m < Tokens; ++m) {
        typename V::ValueSum group(group_sum[m * groups + g]);
        LINNET_UNROLL for (size_t line = 0; line < 2; ++line) {
          group.add(low[line], V::broadcast(columns + m * x.stride + line * 16));
          group.add(high[line], V::broadcast(columns + m * x.stride + line * 16 + 8));
        }
        part[m][v] = group.total();
      }
      V::forget();  // broadcasts kept alive for the next vectors would spill
    }
    __m256 power = mxfp4_powers(block + g % kGroupsPerScaleLine * kPanelRows);
    if constexpr (V::kRowsMixed) power = mixed(power);
    LINNET_UNROLL for (size_t m = 0; m < Tokens; ++m) sum[m] =
        _mm256_add_ps(sum[m], _mm256_mul_ps(power, _mm256_cvtepi32_ps(V::eight(part[m]))));
  }
  const Store store{task};
  LINNET_UNROLL for (size_t m = 0; m < Tokens; ++m) {
    const __m256 half_scale = _mm256_set1_ps(x.scale[first_token + m] * 0.5f);
    store(first_token + m, panel * kPanelRows, _mm256_mul_ps(half_scale, V::kRowsMixed ? mixed(sum[m]) : sum[m]));
  }
}

/// Tiles of 1 .. sizeof...(I) tokens, by tokens - 1.
template <class V, Fetch fetch, size_t... I>
Int8Tile mxfp4_tiles(size_t tokens, std::index_sequence<I...>) {
  static constexpr Int8Tile tiles[] = {mxfp4_tile<V, I + 1, fetch>...};
  return tiles[tokens - 1];
}

template <class V>
void mxfp4_product(const LinearTask& task) {
  const size_t panel_bytes = mxfp4_panel_bytes(task.columns);
  constexpr auto kTiles = std::make_index_sequence<V::kInt4Tokens>();
  for (size_t p = task.first_panel; p < task.last_panel; ++p) {
    const PanelSpan span = span_at(task, panel_bytes, p, 1);
    if (task.tokens == 1) {
      mxfp4_tile<V, 1, Fetch::stream>(task, span, p, 0);
      continue;
    }
    for (size_t m = 0; m < task.tokens; m += V::kInt4Tokens) {
      const size_t tokens = least(task.tokens - m, V::kInt4Tokens);
      (m == 0 ? mxfp4_tiles<V, Fetch::next>(tokens, kTiles) : mxfp4_tiles<V, Fetch::none>(tokens, kTiles))(task, span, p, m);
    }
  }
}

}  // namespace linnet::kernels::x86
