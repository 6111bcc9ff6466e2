// The AVX2 level's part of the kernel table.
#include "kernels/levels.h"
#include "linear.h"

namespace linnet::kernels {

void fill_linear_avx2(LinearKernels& kernels) noexcept {
  kernels.int8 = avx2::int8;
  kernels.int4 = avx2::int4;
  kernels.scratch_bytes = avx2::scratch_bytes;
}

}  // namespace linnet::kernels
