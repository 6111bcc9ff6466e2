// int8 products with sdot.
#include "linear.h"
#include "tile.h"

namespace linnet::kernels::dotprod {
namespace {

struct Direct {
  template <size_t Tokens>
  static void sums(const uint8_t* panel, const QuantizedRows& x, size_t first_token, int32_t* out) {
    constexpr size_t kChains = Tokens == 1 ? 2 : 1;  // of a single row, to hide the latency of the dot product
    const int8_t* row = x.data + first_token * x.stride;
    const size_t ahead = arm::stream_ahead(first_token);
    int32x4_t sum[kChains][Tokens][4];  // two numbers of each row
    LINNET_UNROLL for (size_t c = 0; c < kChains; ++c) LINNET_UNROLL for (size_t m = 0; m < Tokens; ++m)
        LINNET_UNROLL for (size_t i = 0; i < 4; ++i) sum[c][m][i] = vdupq_n_s32(0);
    for (size_t k = 0; k < x.stride; k += 8 * kChains) {
      LINNET_UNROLL for (size_t c = 0; c < kChains; ++c) {
        const int8_t* line = reinterpret_cast<const int8_t*>(panel + (k + 8 * c) * kPanelRows);
        __builtin_prefetch(line + ahead);
        int8x16_t a[Tokens];
        LINNET_UNROLL for (size_t m = 0; m < Tokens; ++m) a[m] = arm::columns_twice(row + m * x.stride + k + 8 * c);
        int8x16_t w[4];
        LINNET_UNROLL for (size_t i = 0; i < 4; ++i) w[i] = vld1q_s8(line + i * 16);
        arm::loaded(w);
        LINNET_UNROLL for (size_t i = 0; i < 4; ++i) {
          LINNET_UNROLL for (size_t m = 0; m < Tokens; ++m) sum[c][m][i] = vdotq_s32(sum[c][m][i], w[i], a[m]);
        }
      }
    }
    LINNET_UNROLL for (size_t m = 0; m < Tokens; ++m) LINNET_UNROLL for (size_t half = 0; half < 2; ++half) {
      int32x4_t four = vpaddq_s32(sum[0][m][half * 2], sum[0][m][half * 2 + 1]);
      LINNET_UNROLL for (size_t c = 1; c < kChains; ++c) four = vaddq_s32(four, vpaddq_s32(sum[c][m][half * 2], sum[c][m][half * 2 + 1]));
      vst1q_s32(out + (half * Tokens + m) * 4, four);
    }
  }
};

}  // namespace

void int8_direct(const LinearTask& task) {
  static constexpr arm::DirectTile kTiles[] = {arm::int8_direct_tile<Direct, 1>, arm::int8_direct_tile<Direct, 2>,
                                               arm::int8_direct_tile<Direct, 3>};
  arm::direct_product(task, kTiles);
}

void int8(const LinearTask& task) {
  if (task.tokens < Packed::kFewest) return int8_direct(task);
  arm::packed_product<Packed, false>(task);
}

size_t scratch_bytes(size_t tokens, size_t columns) { return arm::packed_scratch<Packed>(tokens, columns); }

}  // namespace linnet::kernels::dotprod
