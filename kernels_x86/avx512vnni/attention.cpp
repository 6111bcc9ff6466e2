#include "../attention_blocks.h"
#include "floats.h"
#include "kernels/levels.h"

namespace linnet::kernels {

void fill_attention_avx512vnni(AttentionKernels& kernels) noexcept { x86::fill_attention<Floats>(kernels); }

}  // namespace linnet::kernels
