// The AVX-512-VNNI level's kernels of linear_kernels.h, one file for each kind.
#pragma once

#include "kernels/linear_kernels.h"

namespace linnet::kernels::avx512vnni {

void int8(const LinearTask& task);
void int4(const LinearTask& task);
void mxfp4(const LinearTask& task);
size_t scratch_bytes(size_t tokens, size_t columns);

void f32(const LinearTask& task);
void f16(const LinearTask& task);
void bf16(const LinearTask& task);

}  // namespace linnet::kernels::avx512vnni
