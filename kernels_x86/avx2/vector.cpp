#include "../vector_rows.h"
#include "floats.h"
#include "kernels/levels.h"

namespace linnet::kernels {

void fill_vector_avx2(VectorKernels& kernels) noexcept { x86::fill_vector<Floats>(kernels); }

}  // namespace linnet::kernels
