// Matrix products: y[m][n] = sum_k x[m][k] w[n][k] (+ bias[n]), on weights as layout.h lays them.
//
// Every function computes the rows of W in panels [first_panel, last_panel): threads share a product by panels only, and a
// result depends on its own row of x and its own row of W alone. So results are bit-equal for any sharing and any number of rows.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/layout.h"

namespace linnet::kernels {

struct LinearTask {
  const uint8_t* weights;   // the matrix, 64-byte aligned (dense encodings: aligned to an element)
  size_t rows;              // N of the matrix
  size_t columns;           // K
  size_t first_panel;       // this call's share, in panels of 8 rows
  size_t last_panel;
  size_t first_row;         // weight row n goes to out column n - first_row; rows below it or >= end_row are not stored
  size_t end_row;
  size_t tokens;            // M
  QuantizedRows x;          // quantized encodings
  const float* dense;       // dense encodings: [M][dense_stride]
  size_t dense_stride;
  float* out;               // [M][out_stride]
  size_t out_stride;
  const float* bias;        // [out columns], or null
  void* scratch;            // this worker's: scratch_bytes()
};

/// out[m][k] = sum_n x[m][n] w[n][k], x dense f32 [tokens][rows] (dense, dense_stride), for columns k in [first_column, last_column),
/// both multiples of 8 except the end. Weights are decoded to f32; the order of the sum is n = 0, 1, ...
struct TransposedTask {
  const uint8_t* weights;
  size_t rows, columns;         // of the matrix as stored
  size_t first_row, end_row;    // the slice of W that takes part; x has end_row - first_row columns
  size_t first_column, last_column;
  size_t tokens;
  const float* dense;
  size_t dense_stride;
  float* out;                   // [tokens][out_stride], column k at out[k]
  size_t out_stride;
};

struct LinearKernels {
  // x (f32) -> quantized rows. Rounding is to nearest even; scale = max|x| / 127, an all-zero row has scale 0; NaN counts as 0 and
  // infinity as the largest finite float. Bit-equal on every level.
  void (*quantize)(const float* x, size_t x_stride, size_t rows, size_t columns, QuantizedRows out);

  // y = a[m] * scale[n] * sum(x w) + bias, in exactly that order of float operations; the sum is exact int32.
  void (*int8)(const LinearTask&);
  // y = a[m] * (R[n] * A - M[n] * B) + bias,  A = sum_g s sum_k nibble * x,  B = sum_g m * group_sum, both exact int32.
  void (*int4)(const LinearTask&);
  // y = (a[m] * 0.5) * sum_g 2^(e[n][g] - 127) * S_g + bias,  S_g = sum_k 2 * value(nibble) * x, exact int32; groups are added in order.
  void (*mxfp4)(const LinearTask&);
  // Scratch that int8, int4 and mxfp4 need for `tokens` rows of `columns`.
  size_t (*scratch_bytes)(size_t tokens, size_t columns);

  void (*f32)(const LinearTask&);
  void (*f16)(const LinearTask&);
  void (*bf16)(const LinearTask&);

  void (*transposed_f32)(const TransposedTask&);
  void (*transposed_f16)(const TransposedTask&);
  void (*transposed_bf16)(const TransposedTask&);
  void (*transposed_int8)(const TransposedTask&);
  void (*transposed_int4)(const TransposedTask&);
  void (*transposed_mxfp4)(const TransposedTask&);

  // out[k] = w[row][k], k < columns: one row of an embedding table.
  void (*row_f32)(const uint8_t* weights, size_t rows, size_t columns, size_t row, float* out);
  void (*row_f16)(const uint8_t* weights, size_t rows, size_t columns, size_t row, float* out);
  void (*row_bf16)(const uint8_t* weights, size_t rows, size_t columns, size_t row, float* out);
  void (*row_int8)(const uint8_t* weights, size_t rows, size_t columns, size_t row, float* out);
  void (*row_int4)(const uint8_t* weights, size_t rows, size_t columns, size_t row, float* out);
  void (*row_mxfp4)(const uint8_t* weights, size_t rows, size_t columns, size_t row, float* out);
};

}  // namespace linnet::kernels
