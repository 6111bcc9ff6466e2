// The portable level's part of the kernel table.
#include "kernels/levels.h"
#include "kernels/portable/linear.h"

namespace linnet::kernels {
namespace {

size_t no_scratch(size_t, size_t) { return 0; }

template <auto* decode>
void row(const uint8_t* weights, size_t rows, size_t columns, size_t row_index, float* out) {
  decode(weights, rows, columns, row_index, 0, columns, out);
}

}  // namespace

void fill_linear_portable(LinearKernels& kernels) noexcept {
  kernels.quantize = portable::quantize;
  kernels.int8 = portable::int8;
  kernels.int4 = portable::int4;
  kernels.mxfp4 = portable::mxfp4;
  kernels.scratch_bytes = no_scratch;
  kernels.f32 = portable::f32;
  kernels.f16 = portable::f16;
  kernels.bf16 = portable::bf16;
  kernels.transposed_f32 = portable::transposed_f32;
  kernels.transposed_f16 = portable::transposed_f16;
  kernels.transposed_bf16 = portable::transposed_bf16;
  kernels.transposed_int8 = portable::transposed_int8;
  kernels.transposed_int4 = portable::transposed_int4;
  kernels.transposed_mxfp4 = portable::transposed_mxfp4;
  kernels.row_f32 = row<portable::decode_f32>;
  kernels.row_f16 = row<portable::decode_f16>;
  kernels.row_bf16 = row<portable::decode_bf16>;
  kernels.row_int8 = row<portable::decode_int8>;
  kernels.row_int4 = row<portable::decode_int4>;
  kernels.row_mxfp4 = row<portable::decode_mxfp4>;
}

}  // namespace linnet::kernels
