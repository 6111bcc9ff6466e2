// int4 products with sdot: group by group for few rows of x; from four on, turning a panel into int8 first costs less than unpacking
// and multiplying by s each time.
#include "linear.h"
#include "tile.h"

namespace linnet::kernels::dotprod {
namespace {

struct Direct {
  // Rows 2i and 2i + 1 of a group, 32 columns: low and high nibbles of its first line, then of its second.
  template <size_t Tokens>
  static void add_rows(const uint8_t* lines, const int8x16_t (&a)[Tokens][4], int32x4_t (&group)[Tokens]) {
    const uint8x16_t first = vld1q_u8(lines), second = vld1q_u8(lines + kLine);
    const int8x16_t w0 = arm::low_nibbles(first), w1 = arm::high_nibbles(first);
    const int8x16_t w2 = arm::low_nibbles(second), w3 = arm::high_nibbles(second);
    LINNET_UNROLL for (size_t m = 0; m < Tokens; ++m) {
      const int32x4_t half = vdotq_s32(vdotq_s32(vdupq_n_s32(0), w0, a[m][0]), w1, a[m][1]);
      group[m] = vdotq_s32(vdotq_s32(half, w2, a[m][2]), w3, a[m][3]);
    }
  }

  template <size_t Tokens>
  static void sums(const uint8_t* panel, const QuantizedRows& x, size_t first_token, int32_t* out) {
    const size_t groups = x.stride / kGroup, ahead = arm::stream_ahead(first_token);
    const int8_t* row = x.data + first_token * x.stride;
    int32x4_t sum[Tokens][2];
    LINNET_UNROLL for (size_t m = 0; m < Tokens; ++m) LINNET_UNROLL for (size_t half = 0; half < 2; ++half) sum[m][half] = vdupq_n_s32(0);
    for (size_t g = 0; g < groups; ++g) {
      const uint8_t* block = panel + g / kGroupsPerScaleLine * arm::kBlockBytes;
      const uint8_t* lines = block + kLine + g % kGroupsPerScaleLine * 2 * kLine;
      __builtin_prefetch(lines + ahead);
      __builtin_prefetch(lines + ahead + kLine);
      const uint16x8_t scales = vmovl_u8(arm::group_scales(block + g % kGroupsPerScaleLine * kPanelRows));
      int8x16_t a[Tokens][4];
      LINNET_UNROLL for (size_t m = 0; m < Tokens; ++m) LINNET_UNROLL for (size_t i = 0; i < 4; ++i) a[m][i] =
          arm::columns_twice(row + m * x.stride + g * kGroup + i * 8);
      LINNET_UNROLL for (size_t half = 0; half < 2; ++half) {
        const int32x4_t scale = vreinterpretq_s32_u32(half == 0 ? vmovl_u16(vget_low_u16(scales)) : vmovl_high_u16(scales));
        int32x4_t rows01[Tokens], rows23[Tokens];
        add_rows<Tokens>(lines + half * 32, a, rows01);
        add_rows<Tokens>(lines + half * 32 + 16, a, rows23);
        LINNET_UNROLL for (size_t m = 0; m < Tokens; ++m) sum[m][half] = vmlaq_s32(sum[m][half], vpaddq_s32(rows01[m], rows23[m]), scale);
      }
    }
    LINNET_UNROLL for (size_t m = 0; m < Tokens; ++m) LINNET_UNROLL for (size_t half = 0; half < 2; ++half)
        vst1q_s32(out + (half * Tokens + m) * 4, sum[m][half]);
  }
};

}  // namespace

void int4_direct(const LinearTask& task) {
  static constexpr arm::DirectTile kTiles[] = {arm::int4_direct_tile<Direct, 1>, arm::int4_direct_tile<Direct, 2>,
                                               arm::int4_direct_tile<Direct, 3>};
  arm::direct_product(task, kTiles);
}

void int4(const LinearTask& task) {
  if (task.tokens < Packed::kFewest) return int4_direct(task);
  arm::packed_product<Packed, true>(task);
}

}  // namespace linnet::kernels::dotprod
