// The matrix multiply level's part of the kernel table.
#include "kernels/levels.h"
#include "linear.h"

namespace linnet::kernels {

void fill_linear_i8mm(LinearKernels& kernels) noexcept {
  kernels.int8 = i8mm::int8;
  kernels.int4 = i8mm::int4;
  kernels.scratch_bytes = i8mm::scratch_bytes;
}

}  // namespace linnet::kernels
