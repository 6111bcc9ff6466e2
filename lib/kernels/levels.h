// What each level's folder gives to the tables of kernels.cpp: functions that put the level's own kernels over those of the
// levels below it. A fill function runs on any processor of the family; only the kernels that it names need the level.
#pragma once

#include "kernels/kernels.h"

namespace linnet::kernels {

void fill_linear_portable(LinearKernels& kernels) noexcept;
void fill_vector_portable(VectorKernels& kernels) noexcept;
void fill_attention_portable(AttentionKernels& kernels) noexcept;

#if LINNET_WITH_AVX2
void fill_linear_avx2(LinearKernels& kernels) noexcept;
void fill_vector_avx2(VectorKernels& kernels) noexcept;
void fill_attention_avx2(AttentionKernels& kernels) noexcept;
#endif

#if LINNET_WITH_AVXVNNI
void fill_linear_avxvnni(LinearKernels& kernels) noexcept;
#endif

#if LINNET_WITH_AVX512VNNI
void fill_linear_avx512vnni(LinearKernels& kernels) noexcept;
void fill_vector_avx512vnni(VectorKernels& kernels) noexcept;
void fill_attention_avx512vnni(AttentionKernels& kernels) noexcept;
#endif

#if LINNET_WITH_NEON
void fill_linear_neon(LinearKernels& kernels) noexcept;
void fill_vector_neon(VectorKernels& kernels) noexcept;
void fill_attention_neon(AttentionKernels& kernels) noexcept;
#endif

#if LINNET_WITH_DOTPROD
void fill_linear_dotprod(LinearKernels& kernels) noexcept;
#endif

#if LINNET_WITH_I8MM
void fill_linear_i8mm(LinearKernels& kernels) noexcept;
#endif

}  // namespace linnet::kernels
