// The NEON level's kernels of linear_kernels.h, one file for each kind.
#pragma once

#include "kernels/linear_kernels.h"

namespace linnet::kernels::neon {

void quantize(const float* x, size_t x_stride, size_t rows, size_t columns, QuantizedRows out);

void int8(const LinearTask& task);
void int4(const LinearTask& task);
void mxfp4(const LinearTask& task);

void f32(const LinearTask& task);
void f16(const LinearTask& task);
void bf16(const LinearTask& task);

/// The transposed products and the single rows of all encodings.
void fill_transposed(LinearKernels& kernels);

}  // namespace linnet::kernels::neon
