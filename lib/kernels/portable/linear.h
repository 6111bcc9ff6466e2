// The plain kernels of linear_kernels.h, one file for each kind. They define what every other level must compute.
#pragma once

#include "kernels/linear_kernels.h"

namespace linnet::kernels::portable {

void quantize(const float* x, size_t x_stride, size_t rows, size_t columns, QuantizedRows out);

void int8(const LinearTask& task);
void int4(const LinearTask& task);
void mxfp4(const LinearTask& task);

void f32(const LinearTask& task);
void f16(const LinearTask& task);
void bf16(const LinearTask& task);

void transposed_f32(const TransposedTask& task);
void transposed_f16(const TransposedTask& task);
void transposed_bf16(const TransposedTask& task);
void transposed_int8(const TransposedTask& task);
void transposed_int4(const TransposedTask& task);
void transposed_mxfp4(const TransposedTask& task);

// Columns [first, last) of one row of W, decoded to f32: out[k - first]. What `row_*` and `transposed_*` are made of.
void decode_f32(const uint8_t* weights, size_t rows, size_t columns, size_t row, size_t first, size_t last, float* out);
void decode_f16(const uint8_t* weights, size_t rows, size_t columns, size_t row, size_t first, size_t last, float* out);
void decode_bf16(const uint8_t* weights, size_t rows, size_t columns, size_t row, size_t first, size_t last, float* out);
void decode_int8(const uint8_t* weights, size_t rows, size_t columns, size_t row, size_t first, size_t last, float* out);
void decode_int4(const uint8_t* weights, size_t rows, size_t columns, size_t row, size_t first, size_t last, float* out);
void decode_mxfp4(const uint8_t* weights, size_t rows, size_t columns, size_t row, size_t first, size_t last, float* out);

}  // namespace linnet::kernels::portable
