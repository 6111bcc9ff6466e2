// The loops of the exact products, shared by the levels: int8 and int4 weights times quantized rows.
//
// A tile is `Tokens` rows of x times `Panels` panels of weights over all columns. `V` is a level's vectors (lanes256.h,
// avx512vnni/lanes512.h): a line of weights is V::kVectors registers, in which each of the 8 rows owns one 64-bit lane, so a sum
// is two int32 neighbours until V::rows adds them. V lives in an anonymous namespace, which keeps every function here private to
// the file that instantiates it: no copy made with a level's flags can stand in for another's.
//
// Refused: packing the activations per tile, and blocks of columns with partial sums. Both were measured to gain nothing at
// the sizes in use (docs/performance.md).
#pragma once

#include <cstddef>
#include <cstdint>

#include "intrinsics.h"
#include "kernels/linear_kernels.h"
#include "kernels/loops/unroll.h"

namespace linnet::kernels::x86 {

// A single row of x reads the weights as one stream; the hardware's own prefetch stays too close (docs/performance.md).
constexpr size_t kStreamAhead = 8192;
constexpr size_t kBlockBytes = kLine * (1 + 2 * kGroupsPerScaleLine);  // int4: a scale line and the lines of its groups

enum class Fetch : uint8_t { none, stream, next };  // what a tile prefetches: nothing, its own stream, the panels after it

struct PanelSpan {
  const uint8_t* first;
  size_t stride;    // to the tile's second panel; 0 where there is none and the first is computed twice
  size_t following; // to the panels of the next tile
};

template <Fetch fetch>
inline __attribute__((always_inline)) void prefetch(const uint8_t* line, size_t following) {
  if constexpr (fetch == Fetch::stream) _mm_prefetch(reinterpret_cast<const char*>(line) + kStreamAhead, _MM_HINT_T0);
  if constexpr (fetch == Fetch::next) _mm_prefetch(reinterpret_cast<const char*>(line) + following, _MM_HINT_T1);
}

/// One panel's sums of one row of x. By a copy: sums whose address is taken live in memory, stored again at every step.
template <class V>
inline __attribute__((always_inline)) void put_rows(const typename V::Register* sum, int32_t* out) {
  typename V::Register copy[V::kVectors];
  LINNET_UNROLL for (size_t v = 0; v < V::kVectors; ++v) copy[v] = sum[v];
  V::rows(copy, out);
}

/// sums[m][8 * panel + row] of int8 lines (`Expanded`: unsigned lines made by `expand`).
template <class V, size_t Tokens, size_t Panels, bool Expanded, Fetch fetch>
void int8_sums(PanelSpan panels, const QuantizedRows& x, size_t first_token, int32_t* sums) {
  using Register = typename V::Register;
  constexpr size_t kVectors = V::kVectors * Panels;
  // Few sums: several chains, to hide the latency of the dot product.
  constexpr size_t kChains = Tokens * kVectors >= 8 ? 1 : Tokens * kVectors >= 4 ? 2 : 4;
  const int8_t* row = x.data + first_token * x.stride;
  Register sum[kChains][Tokens][kVectors];
  LINNET_UNROLL for (size_t c = 0; c < kChains; ++c)
    LINNET_UNROLL for (size_t m = 0; m < Tokens; ++m)
      LINNET_UNROLL for (size_t v = 0; v < kVectors; ++v)
        sum[c][m][v] = c == 0 && !Expanded ? V::start_int8(x.row_sum[first_token + m]) : V::zero();
  for (size_t k = 0; k < x.stride; k += 8 * kChains) {
    LINNET_UNROLL for (size_t c = 0; c < kChains; ++c) {
      typename V::template Int8Weights<Expanded> w[kVectors];
      LINNET_UNROLL for (size_t p = 0; p < Panels; ++p) {
        const uint8_t* line = panels.first + p * panels.stride + (k + 8 * c) * kPanelRows;
        prefetch<fetch>(line, panels.following);
        LINNET_UNROLL for (size_t v = 0; v < V::kVectors; ++v) w[p * V::kVectors + v].load(line + v * sizeof(Register));
      }
      LINNET_UNROLL for (size_t m = 0; m < Tokens; ++m) {
        const Register a = V::broadcast(row + m * x.stride + k + 8 * c);
        LINNET_UNROLL for (size_t v = 0; v < kVectors; ++v) sum[c][m][v] = w[v].dot(sum[c][m][v], a);
      }
    }
  }
  LINNET_UNROLL for (size_t m = 0; m < Tokens; ++m) {
    LINNET_UNROLL for (size_t c = 1; c < kChains; ++c)
      LINNET_UNROLL for (size_t v = 0; v < kVectors; ++v) sum[0][m][v] = V::add(sum[0][m][v], sum[c][m][v]);
    LINNET_UNROLL for (size_t p = 0; p < Panels; ++p) put_rows<V>(&sum[0][m][p * V::kVectors], sums + (m * Panels + p) * kPanelRows);
  }
}

/// sums[m][8 * panel + row] = sum over groups of s * (nibbles . x)
template <class V, size_t Tokens, size_t Panels, Fetch fetch>
void int4_sums(PanelSpan panels, const QuantizedRows& x, size_t first_token, int32_t* sums) {
  using Register = typename V::Register;
  constexpr size_t kVectors = V::kVectors * Panels;
  constexpr size_t kTogether = V::kVectors == 1 && kVectors % 2 == 0 ? 2 : 1;  // vectors that share the broadcasts of x
  const size_t groups = x.stride / kGroup;
  const int8_t* row = x.data + first_token * x.stride;
  Register sum[Tokens][kVectors];
  LINNET_UNROLL for (size_t m = 0; m < Tokens; ++m)
    LINNET_UNROLL for (size_t v = 0; v < kVectors; ++v) sum[m][v] = V::zero();
  alignas(64) uint8_t scales[Panels][kLine];
  for (size_t first = 0; first < groups; first += kGroupsPerScaleLine) {
    const uint8_t* block = panels.first + first / kGroupsPerScaleLine * kBlockBytes;
    LINNET_UNROLL for (size_t p = 0; p < Panels; ++p) {
      prefetch<fetch>(block + p * panels.stride, panels.following);
      V::unpack_scales(block + p * panels.stride, scales[p]);
    }
    const size_t last = groups - first < kGroupsPerScaleLine ? groups - first : kGroupsPerScaleLine;
    for (size_t g = 0; g < last; ++g) {
      const uint8_t* lines = block + kLine + g * 2 * kLine;
      const int8_t* columns = row + (first + g) * kGroup;
      LINNET_UNROLL for (size_t j = 0; j < kVectors; j += kTogether) {
        Register low[kTogether][2], high[kTogether][2], scale[kTogether];
        LINNET_UNROLL for (size_t i = 0; i < kTogether; ++i) {
          const size_t p = (j + i) / V::kVectors, v = (j + i) % V::kVectors;
          LINNET_UNROLL for (size_t line = 0; line < 2; ++line) {
            const uint8_t* from = lines + p * panels.stride + line * kLine + v * sizeof(Register);
            if (v == 0) prefetch<fetch>(from, panels.following);
            V::nibbles(from, &low[i][line], &high[i][line]);
          }
          scale[i] = V::scale_lanes(scales[p] + g * kPanelRows, v);
        }
        LINNET_UNROLL for (size_t m = 0; m < Tokens; ++m) {
          typename V::GroupSum group[kTogether];
          LINNET_UNROLL for (size_t line = 0; line < 2; ++line) {
            const Register a0 = V::broadcast(columns + m * x.stride + line * 16);
            const Register a1 = V::broadcast(columns + m * x.stride + line * 16 + 8);
            LINNET_UNROLL for (size_t i = 0; i < kTogether; ++i) group[i].add(low[i][line], a0, high[i][line], a1);
          }
          LINNET_UNROLL for (size_t i = 0; i < kTogether; ++i) sum[m][j + i] = group[i].times(scale[i], sum[m][j + i]);
        }
        V::forget();  // broadcasts kept alive for the next vectors would spill
      }
    }
  }
  LINNET_UNROLL for (size_t m = 0; m < Tokens; ++m)
    LINNET_UNROLL for (size_t p = 0; p < Panels; ++p) put_rows<V>(&sum[m][p * V::kVectors], sums + (m * Panels + p) * kPanelRows);
}

/// sums[m][8 * panel + row] = sum over groups of m * group_sum, four groups at a time.
template <class V, size_t Tokens, size_t Panels>
void offset_sums(PanelSpan panels, const QuantizedRows& x, size_t first_token, int32_t* sums) {
  using Register = typename V::Register;
  constexpr size_t kVectors = V::kVectors * Panels;
  const size_t groups = x.stride / kGroup;
  const int16_t* group_sum = x.group_sum + first_token * groups;
  Register sum[Tokens][kVectors];
  LINNET_UNROLL for (size_t m = 0; m < Tokens; ++m)
    LINNET_UNROLL for (size_t v = 0; v < kVectors; ++v) sum[m][v] = V::zero();
  for (size_t g = 0; g < groups; g += 4) {
    Register offset[kVectors];
    const uint8_t* bytes = panels.first + g / kGroupsPerScaleLine * kBlockBytes + g % kGroupsPerScaleLine * kPanelRows;
    LINNET_UNROLL for (size_t p = 0; p < Panels; ++p) V::unpack_offsets(bytes + p * panels.stride, &offset[p * V::kVectors]);
    const bool half = groups - g == 2;  // the last two: nothing lies behind them
    LINNET_UNROLL for (size_t m = 0; m < Tokens; ++m) {
      const Register four = half ? V::broadcast_two(group_sum + m * groups + g) : V::broadcast_four(group_sum + m * groups + g);
      LINNET_UNROLL for (size_t v = 0; v < kVectors; ++v) sum[m][v] = V::dot16(sum[m][v], offset[v], four);
    }
  }
  LINNET_UNROLL for (size_t m = 0; m < Tokens; ++m)
    LINNET_UNROLL for (size_t p = 0; p < Panels; ++p) put_rows<V>(&sum[m][p * V::kVectors], sums + (m * Panels + p) * kPanelRows);
}

/// One int4 panel as unsigned int8 lines of s * nibble (at most 240), which int8_sums reads.
template <class V>
void expand(const uint8_t* panel, size_t groups, uint8_t* out) {
  using Register = typename V::Register;
  alignas(64) uint8_t scales[kLine];
  for (size_t g = 0; g < groups; ++g) {
    const uint8_t* block = panel + g / kGroupsPerScaleLine * kBlockBytes;
    if (g % kGroupsPerScaleLine == 0) V::unpack_scales(block, scales);
    const uint8_t* lines = block + kLine + g % kGroupsPerScaleLine * 2 * kLine;
    LINNET_UNROLL for (size_t v = 0; v < V::kVectors; ++v) {
      const Register scale = V::scale_words(scales + g % kGroupsPerScaleLine * kPanelRows, v);
      LINNET_UNROLL for (size_t line = 0; line < 2; ++line) {
        Register low, high;
        V::nibbles(lines + line * kLine + v * sizeof(Register), &low, &high);
        prefetch<Fetch::stream>(lines + line * kLine, 0);
        uint8_t* to = out + (g * 4 + line * 2) * kLine + v * sizeof(Register);
        V::store(to, V::multiply16(low, scale));
        V::store(to + kLine, V::multiply16(high, scale));
      }
    }
  }
}

}  // namespace linnet::kernels::x86
