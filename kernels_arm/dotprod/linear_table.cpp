// The dot product level's part of the kernel table.
#include "kernels/levels.h"
#include "linear.h"

namespace linnet::kernels {

void fill_linear_dotprod(LinearKernels& kernels) noexcept {
  kernels.int8 = dotprod::int8;
  kernels.int4 = dotprod::int4;
  kernels.scratch_bytes = dotprod::scratch_bytes;
}

}  // namespace linnet::kernels
