#include "floats.h"
#include "kernels/levels.h"
#include "kernels/loops/vector_rows.h"

namespace linnet::kernels {

void fill_vector_neon(VectorKernels& kernels) noexcept { loops::fill_vector<Floats>(kernels); }

}  // namespace linnet::kernels
