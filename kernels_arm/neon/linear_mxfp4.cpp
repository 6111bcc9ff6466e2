// mxfp4 products on any 64-bit Arm: vqtbl1q turns nibbles into twice their values, and a group's products are added in int16 until two
// numbers are left of each row (at most 16 * 12 * 127 each). As floats they are multiplied by their power of two and added in order of
// groups: bit-equal to the portable kernel.
#include "../products.h"
#include "linear.h"

namespace linnet::kernels::neon {
namespace {

/// Rows 2i and 2i + 1 of a group, 32 columns: low and high nibbles of its first line, then of its second.
struct Pair {
  int8x16_t w[4];
  explicit Pair(const uint8_t* lines) {
    const uint8x16_t first = vld1q_u8(lines), second = vld1q_u8(lines + kLine);
    const int8x16_t halves = vld1q_s8(kMxfp4Halves);
    w[0] = vqtbl1q_s8(halves, vandq_u8(first, vdupq_n_u8(15)));
    w[1] = vqtbl1q_s8(halves, vshrq_n_u8(first, 4));
    w[2] = vqtbl1q_s8(halves, vandq_u8(second, vdupq_n_u8(15)));
    w[3] = vqtbl1q_s8(halves, vshrq_n_u8(second, 4));
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

/// 2^(e - 127) of four rows.
float32x4_t powers(uint16x4_t exponents) {
  const uint32x4_t bits = vshlq_n_u32(vmovl_u16(exponents), 23);
  return vreinterpretq_f32_u32(vmaxq_u32(bits, vdupq_n_u32(0x00400000)));
}

template <size_t Tokens>
void tile(const LinearTask& task, size_t panel, size_t first_token) {
  const size_t groups = task.x.stride / kGroup, ahead = arm::stream_ahead(first_token);
  const uint8_t* from = task.weights + panel * mxfp4_panel_bytes(task.columns);
  const int8_t* row = task.x.data + first_token * task.x.stride;
  float32x4_t sum[Tokens][2];
  LINNET_UNROLL for (size_t m = 0; m < Tokens; ++m) sum[m][0] = sum[m][1] = vdupq_n_f32(0);
  for (size_t g = 0; g < groups; ++g) {
    const uint8_t* block = from + g / kGroupsPerScaleLine * arm::kBlockBytes;
    const uint8_t* lines = block + kLine + g % kGroupsPerScaleLine * 2 * kLine;
    __builtin_prefetch(lines + ahead);
    __builtin_prefetch(lines + ahead + kLine);
    const uint16x8_t exponents = vmovl_u8(vld1_u8(block + g % kGroupsPerScaleLine * kPanelRows));
    int8x16_t a[Tokens][4];
    LINNET_UNROLL for (size_t m = 0; m < Tokens; ++m) LINNET_UNROLL for (size_t i = 0; i < 4; ++i) a[m][i] =
        arm::columns_twice(row + m * task.x.stride + g * kGroup + i * 8);
    LINNET_UNROLL for (size_t half = 0; half < 2; ++half) {
      const Pair rows01(lines + half * 32), rows23(lines + half * 32 + 16);
      const float32x4_t power = powers(half == 0 ? vget_low_u16(exponents) : vget_high_u16(exponents));
      LINNET_UNROLL for (size_t m = 0; m < Tokens; ++m) {
        const int32x4_t group = vpaddlq_s16(vpaddq_s16(rows01.times(a[m]), rows23.times(a[m])));
        sum[m][half] = vaddq_f32(sum[m][half], vmulq_f32(power, vcvtq_f32_s32(group)));
      }
      arm::forget();
    }
  }
  for (size_t m = 0; m < Tokens; ++m)
    for (size_t half = 0; half < 2; ++half)
      arm::store(task, first_token + m, panel * kPanelRows + half * 4, vmulq_n_f32(sum[m][half], task.x.scale[first_token + m] * 0.5f));
}

}  // namespace

void mxfp4(const LinearTask& task) {
  static constexpr arm::DirectTile kTiles[] = {tile<1>, tile<2>};
  arm::direct_product(task, kTiles);
}

}  // namespace linnet::kernels::neon
