// Attention, one block of up to 64 keys at a time. A block is one page's (or one stretch of 64 absolute positions') rows of
// one key/value head. The operation walks blocks in order and keeps a running maximum and sum per query row, so that a result
// depends on its own query and the keys it sees alone, and softmax blocks lie at absolute positions.
#pragma once

#include <cstddef>
#include <cstdint>

namespace linnet::kernels {

constexpr size_t kBlockPositions = 64;

enum class StateEncoding : uint8_t { f32 = 0, f16 = 1, int8 = 2, int4 = 3 };

/// Rows of keys or values of one head: row r at data + r * stride bytes; int8: times scale[r].
struct StateRows {
  const uint8_t* data;
  size_t stride;         // bytes
  const float* scale;    // int8 only
  StateEncoding encoding;
};

struct AttentionKernels {
  // scores[r][j] = factor * q[r] . key[j]  for rows r < queries, keys j in [first, last); the other scores are left alone.
  void (*scores)(const float* q, size_t q_stride, size_t queries, size_t width, StateRows keys, size_t first, size_t last, float factor,
                 float* scores /* [queries][64] */);
  // One online softmax step of one query over scores [first, last): updates the running maximum and sum, replaces the scores by
  // weights exp(score - maximum) and returns the factor by which what was accumulated so far must be multiplied.
  float (*softmax_step)(float* scores, size_t first, size_t last, float* maximum, float* sum);
  // out[r] = rescale[r] * out[r] + sum over j in [first, last) of weights[r][j] * value[j]
  void (*accumulate)(const float* weights /* [queries][64] */, size_t queries, StateRows values, size_t width, size_t first, size_t last,
                     const float* rescale, float* out, size_t out_stride);
  // Stores one row of `width` numbers in a state's encoding; int8 also writes its scale (max|x| / 127, to nearest even).
  void (*store)(const float* x, size_t width, StateEncoding encoding, uint8_t* row, float* scale);
};

}  // namespace linnet::kernels
