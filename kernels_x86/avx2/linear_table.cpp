// The AVX2 level's part of the kernel table.
#include "kernels/levels.h"
#include "linear.h"

namespace linnet::kernels {

void fill_linear_avx2(LinearKernels& kernels) noexcept {
  kernels.quantize = avx2::quantize;
  kernels.int8 = avx2::int8;
  kernels.int4 = avx2::int4;
  kernels.mxfp4 = avx2::mxfp4;
  kernels.scratch_bytes = avx2::scratch_bytes;
  kernels.f32 = avx2::f32;
  kernels.f16 = avx2::f16;
  kernels.bf16 = avx2::bf16;
  avx2::fill_transposed(kernels);
}

}  // namespace linnet::kernels
