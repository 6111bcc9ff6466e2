// int4 products on any 64-bit Arm. A group's products are added in int16 until two numbers are left of each row (at most
// 16 * 15 * 127 each), and multiplying by s widens them. Never expanded to int8: that product takes as many instructions.
#include "../products.h"
#include "linear.h"

namespace linnet::kernels::neon {
namespace {

/// Rows 2i and 2i + 1 of a group, 32 columns: low and high nibbles of its first line, then of its second.
struct Pair {
  int8x16_t w[4];
  explicit Pair(const uint8_t* lines) {
    const uint8x16_t first = vld1q_u8(lines), second = vld1q_u8(lines + kLine);
    w[0] = arm::low_nibbles(first);
    w[1] = arm::high_nibbles(first);
    w[2] = arm::low_nibbles(second);
    w[3] = arm::high_nibbles(second);
  }
  /// Four numbers of each row, which add up to the row's sum.
  int16x8_t times(const int8x16_t* a) const {
    int16x8_t even = vmull_s8(vget_low_s8(w[0]), vget_low_s8(a[0])), odd = vmull_high_s8(w[0], a[0]);
    LINNET_UNROLL for (size_t i = 1; i < 4; ++i) {
      even = vmlal_s8(even, vget_low_s8(w[i]), vget_low_s8(a[i]));
      odd = vmlal_high_s8(odd, w[i], a[i]);
    }
    return vpaddq_s16(even, odd);
  }
};

struct Tile {
  template <size_t Tokens>
  static void sums(const uint8_t* panel, const QuantizedRows& x, size_t first_token, int32_t* out) {
    const size_t groups = x.stride / kGroup, ahead = arm::stream_ahead(first_token);
    const int8_t* row = x.data + first_token * x.stride;
    int32x4_t sum[Tokens][4];  // two numbers of each row
    LINNET_UNROLL for (size_t m = 0; m < Tokens; ++m) LINNET_UNROLL for (size_t i = 0; i < 4; ++i) sum[m][i] = vdupq_n_s32(0);
    for (size_t g = 0; g < groups; ++g) {
      const uint8_t* block = panel + g / kGroupsPerScaleLine * arm::kBlockBytes;
      const uint8_t* lines = block + kLine + g % kGroupsPerScaleLine * 2 * kLine;
      __builtin_prefetch(lines + ahead);
      __builtin_prefetch(lines + ahead + kLine);
      const int16x8_t scales = vreinterpretq_s16_u16(vmovl_u8(arm::group_scales(block + g % kGroupsPerScaleLine * kPanelRows)));
      int8x16_t a[Tokens][4];
      LINNET_UNROLL for (size_t m = 0; m < Tokens; ++m) LINNET_UNROLL for (size_t i = 0; i < 4; ++i) a[m][i] =
          arm::columns_twice(row + m * x.stride + g * kGroup + i * 8);
      LINNET_UNROLL for (size_t half = 0; half < 2; ++half) {
        const Pair rows01(lines + half * 32), rows23(lines + half * 32 + 16);
        const int16x8_t scale = half == 0 ? vzip1q_s16(scales, scales) : vzip2q_s16(scales, scales);
        LINNET_UNROLL for (size_t m = 0; m < Tokens; ++m) {
          const int16x8_t group = vpaddq_s16(rows01.times(a[m]), rows23.times(a[m]));
          int32x4_t* total = sum[m] + half * 2;
          total[0] = vmlal_s16(total[0], vget_low_s16(group), vget_low_s16(scale));
          total[1] = vmlal_high_s16(total[1], group, scale);
        }
        arm::forget();
      }
    }
    LINNET_UNROLL for (size_t m = 0; m < Tokens; ++m) LINNET_UNROLL for (size_t half = 0; half < 2; ++half)
        vst1q_s32(out + (half * Tokens + m) * 4, vpaddq_s32(sum[m][half * 2], sum[m][half * 2 + 1]));
  }
};

}  // namespace

void int4(const LinearTask& task) {
  static constexpr arm::DirectTile kTiles[] = {arm::int4_direct_tile<Tile, 1>, arm::int4_direct_tile<Tile, 2>};
  arm::direct_product(task, kTiles);
}

}  // namespace linnet::kernels::neon
