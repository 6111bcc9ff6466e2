// The NEON level's part of the kernel table.
#include "kernels/levels.h"
#include "linear.h"

namespace linnet::kernels {

void fill_linear_neon(LinearKernels& kernels) noexcept {
  kernels.quantize = neon::quantize;
  kernels.int8 = neon::int8;
  kernels.int4 = neon::int4;
  kernels.mxfp4 = neon::mxfp4;
  kernels.f32 = neon::f32;
  kernels.f16 = neon::f16;
  kernels.bf16 = neon::bf16;
  neon::fill_transposed(kernels);
}

}  // namespace linnet::kernels
