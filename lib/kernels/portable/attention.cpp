// The plain kernels of attention_kernels.h. They define what every other level must compute.
#include <algorithm>
#include <cfloat>
#include <cmath>
#include <cstring>

#include "core/half.h"
#include "kernels/levels.h"

namespace linnet::kernels {
namespace {

constexpr size_t kChunk = 64;  // numbers of a row that are decoded at a time, once for all queries
constexpr size_t kLanes = 8;   // partial sums, which compilers turn into registers

/// Numbers [first, first + count) of a stored row, without its scale.
void decode(const StateRows& rows, size_t row, size_t first, size_t count, float* out) {
  const uint8_t* from = rows.data + row * rows.stride;
  if (rows.encoding == StateEncoding::int8) {
    for (size_t i = 0; i < count; ++i) out[i] = static_cast<float>(static_cast<int8_t>(from[first + i]));
  } else if (rows.encoding == StateEncoding::f16) {
    uint16_t halves[kChunk];
    std::memcpy(halves, from + first * sizeof(uint16_t), count * sizeof(uint16_t));
    for (size_t i = 0; i < count; ++i) out[i] = core::float_from_half(halves[i]);
  } else {
    std::memcpy(out, from + first * sizeof(float), count * sizeof(float));
  }
}

float scale_of(const StateRows& rows, size_t row) { return rows.encoding == StateEncoding::int8 ? rows.scale[row] : 1.0f; }

float product(const float* a, const float* b, size_t count) {
  float sums[kLanes] = {};
  const size_t whole = count / kLanes * kLanes;
  for (size_t i = 0; i < whole; i += kLanes)
    for (size_t lane = 0; lane < kLanes; ++lane) sums[lane] += a[i + lane] * b[i + lane];
  for (size_t i = whole; i < count; ++i) sums[i - whole] += a[i] * b[i];
  return ((sums[0] + sums[4]) + (sums[2] + sums[6])) + ((sums[1] + sums[5]) + (sums[3] + sums[7]));
}

void scores(const float* q, size_t q_stride, size_t queries, size_t width, StateRows keys, size_t first, size_t last, float factor,
            float* out) {
  float chunk[kChunk];
  for (size_t j = first; j < last; ++j) {
    for (size_t r = 0; r < queries; ++r) out[r * kBlockPositions + j] = 0;
    for (size_t i = 0; i < width; i += kChunk) {
      const size_t count = std::min(kChunk, width - i);
      decode(keys, j, i, count, chunk);
      for (size_t r = 0; r < queries; ++r) out[r * kBlockPositions + j] += product(q + r * q_stride + i, chunk, count);
    }
    const float scale = factor * scale_of(keys, j);
    for (size_t r = 0; r < queries; ++r) out[r * kBlockPositions + j] *= scale;
  }
}

// A row whose scores are all -infinity keeps what it has: its weights are zero.
float softmax_step(float* scores, size_t first, size_t last, float* maximum, float* sum) {
  const float before = *maximum;
  float most = before;
  for (size_t j = first; j < last; ++j) most = scores[j] > most ? scores[j] : most;
  *maximum = most;
  const float shift = most == -HUGE_VALF ? 0.0f : most;
  const float rescale = before == most ? 1.0f : std::exp(before - shift);
  float added = 0;
  for (size_t j = first; j < last; ++j) {
    scores[j] = std::exp(scores[j] - shift);
    added += scores[j];
  }
  *sum = *sum * rescale + added;
  return rescale;
}

void accumulate(const float* weights, size_t queries, StateRows values, size_t width, size_t first, size_t last, const float* rescale,
                float* out, size_t out_stride) {
  float chunk[kChunk];
  for (size_t r = 0; r < queries; ++r)
    for (size_t i = 0; i < width; ++i) out[r * out_stride + i] *= rescale[r];
  for (size_t j = first; j < last; ++j) {
    for (size_t i = 0; i < width; i += kChunk) {
      const size_t count = std::min(kChunk, width - i);
      decode(values, j, i, count, chunk);
      for (size_t r = 0; r < queries; ++r) {
        const float weight = weights[r * kBlockPositions + j] * scale_of(values, j);
        float* to = out + r * out_stride + i;
        for (size_t k = 0; k < count; ++k) to[k] += weight * chunk[k];
      }
    }
  }
}

float tame(float x) { return std::isnan(x) ? 0.0f : std::clamp(x, -FLT_MAX, FLT_MAX); }

// As rows of activations are quantized (quantize.cpp): a denormal scale is too coarse for 127 steps and would pass 127.
void store_int8(const float* x, size_t width, uint8_t* row, float* scale) {
  float largest = 0;
  for (size_t i = 0; i < width; ++i) largest = std::max(largest, std::fabs(tame(x[i])));
  *scale = largest / 127;
  for (size_t i = 0; i < width; ++i) {
    const float steps = *scale > 0 ? std::clamp(tame(x[i]) / *scale, -127.0f, 127.0f) : 0.0f;
    reinterpret_cast<int8_t*>(row)[i] = static_cast<int8_t>(std::nearbyint(steps));
  }
}

void store(const float* x, size_t width, StateEncoding encoding, uint8_t* row, float* scale) {
  if (encoding == StateEncoding::int8) {
    store_int8(x, width, row, scale);
  } else if (encoding == StateEncoding::f16) {
    for (size_t i = 0; i < width; ++i) {
      const uint16_t half = core::half_from_float(x[i]);
      std::memcpy(row + i * sizeof(half), &half, sizeof(half));
    }
  } else {
    std::memcpy(row, x, width * sizeof(float));
  }
}

}  // namespace

void fill_attention_portable(AttentionKernels& kernels) noexcept {
  kernels.scores = scores;
  kernels.softmax_step = softmax_step;
  kernels.accumulate = accumulate;
  kernels.store = store;
}

}  // namespace linnet::kernels
