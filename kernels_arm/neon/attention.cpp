#include "floats.h"
#include "kernels/levels.h"
#include "kernels/loops/attention_blocks.h"

namespace linnet::kernels {

void fill_attention_neon(AttentionKernels& kernels) noexcept { loops::fill_attention<Floats>(kernels); }

}  // namespace linnet::kernels
