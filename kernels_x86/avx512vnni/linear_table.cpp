// The AVX-512-VNNI level's part of the kernel table.
#include "kernels/levels.h"
#include "linear.h"

namespace linnet::kernels {

void fill_linear_avx512vnni(LinearKernels& kernels) noexcept {
  kernels.int8 = avx512vnni::int8;
  kernels.int4 = avx512vnni::int4;
  kernels.mxfp4 = avx512vnni::mxfp4;
  kernels.scratch_bytes = avx512vnni::scratch_bytes;
  kernels.f32 = avx512vnni::f32;
  kernels.f16 = avx512vnni::f16;
  kernels.bf16 = avx512vnni::bf16;
}

}  // namespace linnet::kernels
