// The loops of attention_kernels.h, shared by the levels. `V` is a level's registers (floats.h).
//
// A score is summed in the lanes of one register (lane = column mod the width) and its lanes are joined in one order; a weighted sum
// of values takes the keys one after the other. Both are the same in every tile, so that a query's result does not depend on how
// many queries come with it.
#pragma once

#include <float.h>
#include <math.h>
#include <string.h>

#include "kernels/attention_kernels.h"
#include "kernels/loops/unroll.h"
#include "kernels/loops/vector_functions.h"

namespace linnet::kernels::loops {

template <class V>
struct RowF32 {
  static constexpr size_t kBytes = 4;
  static typename V::Register load(const uint8_t* from) { return V::load(reinterpret_cast<const float*>(from)); }
  static typename V::Register load_first(const uint8_t* from, size_t count) {
    return V::load_first(reinterpret_cast<const float*>(from), count);
  }
};
template <class V>
struct RowF16 {
  static constexpr size_t kBytes = 2;
  static typename V::Register load(const uint8_t* from) { return V::load_half(from); }
  static typename V::Register load_first(const uint8_t* from, size_t count) { return V::load_half_first(from, count); }
};
template <class V>
struct RowInt8 {
  static constexpr size_t kBytes = 1;
  static typename V::Register load(const uint8_t* from) { return V::load_int8(from); }
  static typename V::Register load_first(const uint8_t* from, size_t count) { return V::load_int8_first(from, count); }
};

/// Scores of `Queries` rows and as many keys as fill a register with sums; of these, keys [first, last) are wanted.
template <class V, class Row, size_t Queries>
void score_tile(const float* q, size_t q_stride, size_t width, const StateRows& keys, size_t first, size_t last, float factor,
                float* scores) {
  constexpr size_t kKeys = V::kLanes / Queries;
  using Register = typename V::Register;
  const uint8_t* key[kKeys];
  LINNET_UNROLL for (size_t k = 0; k < kKeys; ++k) key[k] = keys.data + (first + k < last ? first + k : last - 1) * keys.stride;
  Register sum[V::kLanes];
  LINNET_UNROLL for (size_t l = 0; l < V::kLanes; ++l) sum[l] = V::zero();
  size_t i = 0;
  for (; i + V::kLanes <= width; i += V::kLanes) {
    Register a[Queries];
    LINNET_UNROLL for (size_t r = 0; r < Queries; ++r) a[r] = V::load(q + r * q_stride + i);
    LINNET_UNROLL for (size_t k = 0; k < kKeys; ++k) {
      const Register b = Row::load(key[k] + i * Row::kBytes);
      LINNET_UNROLL for (size_t r = 0; r < Queries; ++r) sum[r * kKeys + k] = V::multiply_add(a[r], b, sum[r * kKeys + k]);
    }
  }
  if (i < width) {
    Register a[Queries];
    LINNET_UNROLL for (size_t r = 0; r < Queries; ++r) a[r] = V::load_first(q + r * q_stride + i, width - i);
    LINNET_UNROLL for (size_t k = 0; k < kKeys; ++k) {
      const Register b = Row::load_first(key[k] + i * Row::kBytes, width - i);
      LINNET_UNROLL for (size_t r = 0; r < Queries; ++r) sum[r * kKeys + k] = V::multiply_add(a[r], b, sum[r * kKeys + k]);
    }
  }
  // By a copy: sums whose address is taken live in memory, stored again at every step.
  Register copy[V::kLanes];
  LINNET_UNROLL for (size_t l = 0; l < V::kLanes; ++l) copy[l] = sum[l];
  const Register joined = V::joined_all(copy);
  float sums[V::kLanes];
  if (first + kKeys <= last) {
    auto scale = V::set(factor);
    if constexpr (Row::kBytes == 1) scale = V::multiply(scale, V::template repeated<kKeys>(keys.scale + first));
    V::store(sums, V::multiply(joined, scale));
    LINNET_UNROLL for (size_t r = 0; r < Queries; ++r)
        memcpy(scores + r * kBlockPositions + first, sums + r * kKeys, kKeys * sizeof(float));
    return;
  }
  V::store(sums, joined);
  for (size_t k = 0; first + k < last; ++k) {
    const float scale = Row::kBytes == 1 ? factor * keys.scale[first + k] : factor;
    for (size_t r = 0; r < Queries; ++r) scores[r * kBlockPositions + first + k] = sums[r * kKeys + k] * scale;
  }
}

template <class V, class Row, size_t Queries>
void score_rows(const float* q, size_t q_stride, size_t width, const StateRows& keys, size_t first, size_t last, float factor,
                float* scores) {
  for (size_t j = first; j < last; j += V::kLanes / Queries) score_tile<V, Row, Queries>(q, q_stride, width, keys, j, last, factor, scores);
}

template <class V, class Row>
void scores_of(const float* q, size_t q_stride, size_t queries, size_t width, const StateRows& keys, size_t first, size_t last,
               float factor, float* scores) {
  size_t r = 0;
  for (; r + 4 <= queries; r += 4)
    score_rows<V, Row, 4>(q + r * q_stride, q_stride, width, keys, first, last, factor, scores + r * kBlockPositions);
  for (; r + 2 <= queries; r += 2)
    score_rows<V, Row, 2>(q + r * q_stride, q_stride, width, keys, first, last, factor, scores + r * kBlockPositions);
  if (r < queries) score_rows<V, Row, 1>(q + r * q_stride, q_stride, width, keys, first, last, factor, scores + r * kBlockPositions);
}

template <class V>
void scores(const float* q, size_t q_stride, size_t queries, size_t width, StateRows keys, size_t first, size_t last, float factor,
            float* out) {
  switch (keys.encoding) {
    case StateEncoding::f16:
      return scores_of<V, RowF16<V>>(q, q_stride, queries, width, keys, first, last, factor, out);
    case StateEncoding::int8:
      return scores_of<V, RowInt8<V>>(q, q_stride, queries, width, keys, first, last, factor, out);
    default:
      return scores_of<V, RowF32<V>>(q, q_stride, queries, width, keys, first, last, factor, out);
  }
}

// A row whose scores are all -infinity keeps what it has: its weights are zero.
template <class V>
float softmax_step(float* scores, size_t first, size_t last, float* maximum, float* sum) {
  const size_t count = last - first, whole = count / V::kLanes * V::kLanes;
  float* row = scores + first;
  const float before = *maximum;
  auto most = V::set(before);
  for (size_t j = 0; j < whole; j += V::kLanes) most = V::maximum(V::load(row + j), most);
  float after = V::largest(most);
  for (size_t j = whole; j < count; ++j) after = row[j] > after ? row[j] : after;
  *maximum = after;
  const float shift = after == -HUGE_VALF ? 0.0f : after;
  const auto shifts = V::set(shift);
  auto added = V::zero();
  for (size_t j = 0; j < whole; j += V::kLanes) {
    const auto weight = exponential<V>(V::subtract(V::load(row + j), shifts));
    V::store(row + j, weight);
    added = V::add(added, weight);
  }
  float rest = 0;
  if (whole < count) {
    V::store_first(row + whole, exponential<V>(V::subtract(V::load_first(row + whole, count - whole), shifts)), count - whole);
    for (size_t j = whole; j < count; ++j) rest += row[j];
  }
  const float rescale = before == after ? 1.0f : expf(before - shift);
  *sum = *sum * rescale + (V::joined(added) + rest);
  return rescale;
}

/// Adds up `Chunks` registers' worth of columns for `Queries` rows; `rest` columns of the last register, 0 = all.
template <class V, class Row, size_t Queries, size_t Chunks>
void accumulate_tile(const float* weights, const StateRows& values, size_t column, size_t rest, size_t first, size_t last,
                     const float* rescale, float* out, size_t out_stride) {
  using Register = typename V::Register;
  Register sum[Queries][Chunks];
  LINNET_UNROLL for (size_t r = 0; r < Queries; ++r) LINNET_UNROLL for (size_t c = 0; c < Chunks; ++c) {
    const float* from = out + r * out_stride + column + c * V::kLanes;
    sum[r][c] = V::multiply(V::set(rescale[r]), rest ? V::load_first(from, rest) : V::load(from));
  }
  for (size_t j = first; j < last; ++j) {
    const uint8_t* from = values.data + j * values.stride + column * Row::kBytes;
    const Register scale = V::set(Row::kBytes == 1 ? values.scale[j] : 1.0f);
    Register value[Chunks];
    LINNET_UNROLL for (size_t c = 0; c < Chunks; ++c) value[c] =
        rest ? Row::load_first(from, rest) : Row::load(from + c * V::kLanes * Row::kBytes);
    LINNET_UNROLL for (size_t r = 0; r < Queries; ++r) {
      Register weight = V::set(weights[r * kBlockPositions + j]);
      if constexpr (Row::kBytes == 1) weight = V::multiply(weight, scale);
      LINNET_UNROLL for (size_t c = 0; c < Chunks; ++c) sum[r][c] = V::multiply_add(weight, value[c], sum[r][c]);
    }
  }
  LINNET_UNROLL for (size_t r = 0; r < Queries; ++r) LINNET_UNROLL for (size_t c = 0; c < Chunks; ++c) {
    float* to = out + r * out_stride + column + c * V::kLanes;
    if (rest)
      V::store_first(to, sum[r][c], rest);
    else
      V::store(to, sum[r][c]);
  }
}

template <class V, class Row, size_t Queries>
void accumulate_rows(const float* weights, const StateRows& values, size_t width, size_t first, size_t last, const float* rescale,
                     float* out, size_t out_stride) {
  constexpr size_t kChunks = V::kLanes == 16 ? 4 : 2;
  size_t column = 0;
  for (; column + kChunks * V::kLanes <= width; column += kChunks * V::kLanes)
    accumulate_tile<V, Row, Queries, kChunks>(weights, values, column, 0, first, last, rescale, out, out_stride);
  for (; column + V::kLanes <= width; column += V::kLanes)
    accumulate_tile<V, Row, Queries, 1>(weights, values, column, 0, first, last, rescale, out, out_stride);
  if (column < width) accumulate_tile<V, Row, Queries, 1>(weights, values, column, width - column, first, last, rescale, out, out_stride);
}

template <class V, class Row>
void accumulate_of(const float* weights, size_t queries, const StateRows& values, size_t width, size_t first, size_t last,
                   const float* rescale, float* out, size_t out_stride) {
  size_t r = 0;
  for (; r + 4 <= queries; r += 4)
    accumulate_rows<V, Row, 4>(weights + r * kBlockPositions, values, width, first, last, rescale + r, out + r * out_stride, out_stride);
  for (; r < queries; ++r)
    accumulate_rows<V, Row, 1>(weights + r * kBlockPositions, values, width, first, last, rescale + r, out + r * out_stride, out_stride);
}

template <class V>
void accumulate(const float* weights, size_t queries, StateRows values, size_t width, size_t first, size_t last, const float* rescale,
                float* out, size_t out_stride) {
  switch (values.encoding) {
    case StateEncoding::f16:
      return accumulate_of<V, RowF16<V>>(weights, queries, values, width, first, last, rescale, out, out_stride);
    case StateEncoding::int8:
      return accumulate_of<V, RowInt8<V>>(weights, queries, values, width, first, last, rescale, out, out_stride);
    default:
      return accumulate_of<V, RowF32<V>>(weights, queries, values, width, first, last, rescale, out, out_stride);
  }
}

/// body(register, first number, how many of it) over a row.
template <class V, class Body>
void for_each_register(const float* x, size_t width, Body body) {
  size_t i = 0;
  for (; i + V::kLanes <= width; i += V::kLanes) body(V::load(x + i), i, V::kLanes);
  if (i < width) body(V::load_first(x + i, width - i), i, width - i);
}

template <class V>
typename V::Register tame(typename V::Register x) {
  return V::maximum(V::set(-FLT_MAX), V::minimum(V::set(FLT_MAX), V::zero_where_nan(x)));
}

template <class V>
void store_int8(const float* x, size_t width, uint8_t* row, float* scale) {
  auto most = V::zero();
  for_each_register<V>(x, width, [&](auto y, size_t, size_t) { most = V::maximum(V::absolute(tame<V>(y)), most); });
  *scale = V::largest(most) / 127;
  if (!(*scale > 0)) {
    memset(row, 0, width);
    return;
  }
  const auto step = V::set(*scale), limit = V::set(127.0f), lower = V::set(-127.0f);
  for_each_register<V>(x, width, [&](auto y, size_t i, size_t count) {
    V::store_int8_first(row + i, V::maximum(lower, V::minimum(limit, V::divide(tame<V>(y), step))), count);
  });
}

template <class V>
void store(const float* x, size_t width, StateEncoding encoding, uint8_t* row, float* scale) {
  if (encoding == StateEncoding::int8) {
    store_int8<V>(x, width, row, scale);
  } else if (encoding == StateEncoding::f16) {
    for_each_register<V>(x, width, [&](auto y, size_t i, size_t count) { V::store_half_first(row + i * 2, y, count); });
  } else {
    memcpy(row, x, width * sizeof(float));
  }
}

template <class V>
void fill_attention(AttentionKernels& kernels) {
  kernels.scores = scores<V>;
  kernels.softmax_step = softmax_step<V>;
  kernels.accumulate = accumulate<V>;
  kernels.store = store<V>;
}

}  // namespace linnet::kernels::loops
