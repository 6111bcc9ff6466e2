// The transposed product and single rows: each encoding decodes 8 columns of a row at a time. Bit-equal to the portable kernels:
// a product rounds before it is added.
#include "../products.h"
#include "floats.h"
#include "linear.h"

namespace linnet::kernels::neon {
namespace {

using Register = Floats::Register;

// One row of W: `eight(k)` gives columns k .. k + 7 (k a multiple of 8), those past the end as anything.
struct F32 {
  const float* row;
  size_t columns;
  F32(const uint8_t* weights, size_t, size_t k, size_t n) : row(reinterpret_cast<const float*>(weights) + n * k), columns(k) {}
  Register eight(size_t k) const { return k + 8 <= columns ? Floats::load(row + k) : Floats::load_first(row + k, columns - k); }
};

struct F16 {
  const uint8_t* row;
  size_t columns;
  F16(const uint8_t* weights, size_t, size_t k, size_t n) : row(weights + n * k * 2), columns(k) {}
  Register eight(size_t k) const {
    return k + 8 <= columns ? Floats::load_half(row + k * 2) : Floats::load_half_first(row + k * 2, columns - k);
  }
};

struct Bf16 {
  const uint8_t* row;
  size_t columns;
  Bf16(const uint8_t* weights, size_t, size_t k, size_t n) : row(weights + n * k * 2), columns(k) {}
  Register eight(size_t k) const {
    return k + 8 <= columns ? Floats::load_bfloat16(row + k * 2) : Floats::load_bfloat16_first(row + k * 2, columns - k);
  }
};

struct Int8 {
  const uint8_t* lines;
  Register scale;
  Int8(const uint8_t* weights, size_t rows, size_t k, size_t n)
      : lines(weights + n / kPanelRows * int8_panel_bytes(k) + n % kPanelRows * 8),
        scale(Floats::set(reinterpret_cast<const float*>(weights + panels(rows) * int8_panel_bytes(k))[n])) {}
  Register eight(size_t k) const { return Floats::multiply(scale, Floats::load_int8(lines + k / 8 * kLine)); }
};

struct Int4 {
  const uint8_t* panel;
  size_t row;
  Register scale, offset;
  Int4(const uint8_t* weights, size_t rows, size_t k, size_t n)
      : panel(weights + n / kPanelRows * int4_panel_bytes(k)), row(n % kPanelRows) {
    const float* scales = reinterpret_cast<const float*>(weights + panels(rows) * int4_panel_bytes(k));
    scale = Floats::set(scales[n]);
    offset = Floats::set(scales[panels(rows) * kPanelRows + n]);
  }
  Register eight(size_t k) const {
    const size_t g = k / kGroup % kGroupsPerScaleLine;
    const uint8_t* block = panel + k / (kGroup * kGroupsPerScaleLine) * arm::kBlockBytes;
    const uint8_t group = block[g * 8 + row];
    const uint8x8_t pair = vld1_u8(block + kLine + (g * 2 + k % kGroup / 16) * kLine + row * 8);
    const uint8x8_t nibbles = k % 16 < 8 ? vand_u8(pair, vdup_n_u8(15)) : vshr_n_u8(pair, 4);
    const uint16x8_t steps = vmull_u8(nibbles, vdup_n_u8(static_cast<uint8_t>((group & 15) + 1)));
    const Register numbers = {vcvtq_f32_u32(vmovl_u16(vget_low_u16(steps))), vcvtq_f32_u32(vmovl_u16(vget_high_u16(steps)))};
    const Register product = Floats::multiply(scale, numbers);
    return Floats::subtract(product, Floats::multiply(offset, Floats::set(static_cast<float>(group >> 4))));
  }
};

/// Columns [first, first + 8 * Eights) of out for `Tokens` rows of x.
template <class Encoding, size_t Tokens, size_t Eights>
void transposed_tile(const TransposedTask& task, size_t first, size_t m) {
  const float* x = task.dense + m * task.dense_stride;
  Register sum[Tokens][Eights];
  LINNET_UNROLL for (size_t t = 0; t < Tokens; ++t) LINNET_UNROLL for (size_t i = 0; i < Eights; ++i) sum[t][i] = Floats::zero();
  for (size_t n = task.first_row; n < task.end_row; ++n) {
    const Encoding row(task.weights, task.rows, task.columns, n);
    Register w[Eights];
    LINNET_UNROLL for (size_t i = 0; i < Eights; ++i) w[i] = row.eight(first + i * 8);
    LINNET_UNROLL for (size_t t = 0; t < Tokens; ++t) {
      const Register a = Floats::set(x[t * task.dense_stride + n - task.first_row]);
      LINNET_UNROLL for (size_t i = 0; i < Eights; ++i) sum[t][i] = Floats::add(sum[t][i], Floats::multiply(a, w[i]));
    }
  }
  LINNET_UNROLL for (size_t t = 0; t < Tokens; ++t) LINNET_UNROLL for (size_t i = 0; i < Eights; ++i) {
    const size_t k = first + i * 8;
    float* out = task.out + (m + t) * task.out_stride + k;
    if (k + 8 <= task.last_column) {
      Floats::store(out, sum[t][i]);
    } else {
      Floats::store_first(out, sum[t][i], task.last_column - k);
    }
  }
}

template <class Encoding>
void transposed(const TransposedTask& task) {
  constexpr size_t kEights = 4;
  size_t k = task.first_column;
  for (; k + 8 * kEights <= task.last_column; k += 8 * kEights) {
    size_t m = 0;
    for (; m + 2 <= task.tokens; m += 2) transposed_tile<Encoding, 2, kEights>(task, k, m);
    if (m < task.tokens) transposed_tile<Encoding, 1, kEights>(task, k, m);
  }
  for (; k < task.last_column; k += 8)
    for (size_t m = 0; m < task.tokens; ++m) transposed_tile<Encoding, 1, 1>(task, k, m);
}

template <class Encoding>
void one_row(const uint8_t* weights, size_t rows, size_t columns, size_t n, float* out) {
  const Encoding row(weights, rows, columns, n);
  size_t k = 0;
  for (; k + 8 <= columns; k += 8) Floats::store(out + k, row.eight(k));
  if (k < columns) Floats::store_first(out + k, row.eight(k), columns - k);
}

}  // namespace

void fill_transposed(LinearKernels& kernels) {
  kernels.transposed_f32 = transposed<F32>;
  kernels.transposed_f16 = transposed<F16>;
  kernels.transposed_bf16 = transposed<Bf16>;
  kernels.transposed_int8 = transposed<Int8>;
  kernels.transposed_int4 = transposed<Int4>;
  kernels.row_f32 = one_row<F32>;
  kernels.row_f16 = one_row<F16>;
  kernels.row_bf16 = one_row<Bf16>;
  kernels.row_int8 = one_row<Int8>;
  kernels.row_int4 = one_row<Int4>;
}

}  // namespace linnet::kernels::neon
