#include "kernels/levels.h"

namespace linnet::kernels {

void fill_vector_avx512vnni(VectorKernels&) noexcept {}

}  // namespace linnet::kernels
