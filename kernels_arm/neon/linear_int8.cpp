// int8 products on any 64-bit Arm: products of two lines meet in int16 (|x| <= 127, so 2 * 127 * 128 fits), pairs of them in int32.
#include "../products.h"
#include "linear.h"

namespace linnet::kernels::neon {
namespace {

struct Tile {
  template <size_t Tokens>
  static void sums(const uint8_t* panel, const QuantizedRows& x, size_t first_token, int32_t* out) {
    const int8_t* row = x.data + first_token * x.stride;
    const size_t ahead = arm::stream_ahead(first_token);
    int32x4_t sum[Tokens][kPanelRows];
    LINNET_UNROLL for (size_t m = 0; m < Tokens; ++m) LINNET_UNROLL for (size_t r = 0; r < kPanelRows; ++r) sum[m][r] = vdupq_n_s32(0);
    for (size_t k = 0; k < x.stride; k += 16) {
      const int8_t* lines = reinterpret_cast<const int8_t*>(panel + k * kPanelRows);
      __builtin_prefetch(lines + ahead);
      __builtin_prefetch(lines + ahead + kLine);
      int8x16_t a[Tokens][2];
      LINNET_UNROLL for (size_t m = 0; m < Tokens; ++m) LINNET_UNROLL for (size_t line = 0; line < 2; ++line) a[m][line] =
          arm::columns_twice(row + m * x.stride + k + line * 8);
      LINNET_UNROLL for (size_t r = 0; r < kPanelRows; r += 2) {
        const int8x16_t w0 = vld1q_s8(lines + r * 8), w1 = vld1q_s8(lines + kLine + r * 8);
        LINNET_UNROLL for (size_t m = 0; m < Tokens; ++m) {
          const int16x8_t even = vmull_s8(vget_low_s8(w0), vget_low_s8(a[m][0])), odd = vmull_high_s8(w0, a[m][0]);
          sum[m][r] = vpadalq_s16(sum[m][r], vmlal_s8(even, vget_low_s8(w1), vget_low_s8(a[m][1])));
          sum[m][r + 1] = vpadalq_s16(sum[m][r + 1], vmlal_high_s8(odd, w1, a[m][1]));
        }
        arm::forget();
      }
    }
    LINNET_UNROLL for (size_t m = 0; m < Tokens; ++m) LINNET_UNROLL for (size_t half = 0; half < 2; ++half) {
      const int32x4_t* four = sum[m] + half * 4;
      vst1q_s32(out + (half * Tokens + m) * 4, vpaddq_s32(vpaddq_s32(four[0], four[1]), vpaddq_s32(four[2], four[3])));
    }
  }
};

}  // namespace

void int8(const LinearTask& task) {
  static constexpr arm::DirectTile kTiles[] = {arm::int8_direct_tile<Tile, 1>, arm::int8_direct_tile<Tile, 2>};
  arm::direct_product(task, kTiles);
}

}  // namespace linnet::kernels::neon
