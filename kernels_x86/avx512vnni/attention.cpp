#include "kernels/levels.h"

namespace linnet::kernels {

void fill_attention_avx512vnni(AttentionKernels&) noexcept {}

}  // namespace linnet::kernels
