// Products with f32, f16 and bf16 weights, shared by the levels. A sum runs along the columns in the lanes of one register
// (lane = column mod the width), a short last stretch is padded with zeros, and lanes are joined once at the end. That order is
// the same in every tile, so a row's result does not depend on how many rows come with it.
//
// `V` is a level's float registers, in an anonymous namespace of its file (floats.h).
#pragma once

#include "kernels/linear_kernels.h"
#include "kernels/loops/unroll.h"

namespace linnet::kernels::loops {

/// out = x W^T for `Tokens` rows of x and `Rows` rows of W.
template <class V, class Encoding, size_t Tokens, size_t Rows>
void dense_tile(const LinearTask& task, size_t n, size_t m) {
  using Register = typename V::Register;
  using Stored = typename Encoding::Stored;
  const float* x = task.dense + m * task.dense_stride;
  const Stored* w = reinterpret_cast<const Stored*>(task.weights) + n * task.columns;
  Register sum[Tokens][Rows];
  LINNET_UNROLL for (size_t t = 0; t < Tokens; ++t)
    LINNET_UNROLL for (size_t r = 0; r < Rows; ++r) sum[t][r] = V::zero();
  const size_t whole = task.columns / V::kLanes * V::kLanes;
  for (size_t k = 0; k < whole; k += V::kLanes) {
    Register a[Tokens];
    LINNET_UNROLL for (size_t t = 0; t < Tokens; ++t) a[t] = V::load(x + t * task.dense_stride + k);
    LINNET_UNROLL for (size_t r = 0; r < Rows; ++r) {
      const Stored* from = w + r * task.columns + k;
      if constexpr (Tokens == 1) __builtin_prefetch(reinterpret_cast<const char*>(from) + V::kStreamAhead / Rows);
      const Register b = Encoding::load(from);
      LINNET_UNROLL for (size_t t = 0; t < Tokens; ++t) sum[t][r] = V::multiply_add(a[t], b, sum[t][r]);
    }
  }
  if (const size_t rest = task.columns - whole; rest > 0) {
    LINNET_UNROLL for (size_t r = 0; r < Rows; ++r) {
      const Register b = Encoding::load_first(w + r * task.columns + whole, rest);
      LINNET_UNROLL for (size_t t = 0; t < Tokens; ++t)
        sum[t][r] = V::multiply_add(V::load_first(x + t * task.dense_stride + whole, rest), b, sum[t][r]);
    }
  }
  LINNET_UNROLL for (size_t t = 0; t < Tokens; ++t)
    LINNET_UNROLL for (size_t r = 0; r < Rows; ++r) {
      const size_t column = n + r - task.first_row;
      const float y = V::joined(sum[t][r]);
      task.out[(m + t) * task.out_stride + column] = task.bias ? y + task.bias[column] : y;
    }
}

/// All rows of x for `Rows` rows of W, in tiles of V::kDenseTokens and then of one.
template <class V, class Encoding, size_t Rows>
void dense_rows(const LinearTask& task, size_t n) {
  size_t m = 0;
  for (; m + V::kDenseTokens <= task.tokens; m += V::kDenseTokens) dense_tile<V, Encoding, V::kDenseTokens, Rows>(task, n, m);
  for (; m + 2 <= task.tokens; m += 2) dense_tile<V, Encoding, 2, Rows>(task, n, m);
  if (m < task.tokens) dense_tile<V, Encoding, 1, Rows>(task, n, m);
}

template <class V, class Encoding>
void dense_product(const LinearTask& task) {
  size_t n = task.first_panel * kPanelRows, last = task.last_panel * kPanelRows;
  if (n < task.first_row) n = task.first_row;
  if (last > task.end_row) last = task.end_row;
  for (; n + V::kDenseRows <= last; n += V::kDenseRows) dense_rows<V, Encoding, V::kDenseRows>(task, n);
  for (; n < last; ++n) dense_rows<V, Encoding, 1>(task, n);
}

}  // namespace linnet::kernels::loops
