#include <immintrin.h>

#include "kernels/levels.h"

namespace linnet::kernels {

void fill_attention_avx2(AttentionKernels&) noexcept {}

}  // namespace linnet::kernels
