// The plain kernels of attention_kernels.h. They define what every other level must compute.
#include <algorithm>
#include <cfloat>
#include <cmath>
#include <cstring>

#include "core/half.h"
#include "kernels/levels.h"

namespace linnet::kernels {
namespace {

// Number i of a stored row, without its scale.
float number(const uint8_t* row, size_t i, StateEncoding encoding) {
  if (encoding == StateEncoding::int8) return static_cast<float>(reinterpret_cast<const int8_t*>(row)[i]);
  if (encoding == StateEncoding::f16) {
    uint16_t half;
    std::memcpy(&half, row + i * sizeof(half), sizeof(half));
    return core::float_from_half(half);
  }
  float value;
  std::memcpy(&value, row + i * sizeof(value), sizeof(value));
  return value;
}

float scale_of(const StateRows& rows, size_t row) { return rows.encoding == StateEncoding::int8 ? rows.scale[row] : 1.0f; }

void scores(const float* q, size_t q_stride, size_t queries, size_t width, StateRows keys, size_t first, size_t last, float factor,
            float* out) {
  for (size_t r = 0; r < queries; ++r) {
    for (size_t j = first; j < last; ++j) {
      const uint8_t* key = keys.data + j * keys.stride;
      float sum = 0;
      for (size_t i = 0; i < width; ++i) sum += q[r * q_stride + i] * number(key, i, keys.encoding);
      out[r * kBlockPositions + j] = sum * (factor * scale_of(keys, j));
    }
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
  for (size_t r = 0; r < queries; ++r) {
    float* to = out + r * out_stride;
    for (size_t i = 0; i < width; ++i) to[i] *= rescale[r];
    for (size_t j = first; j < last; ++j) {
      const uint8_t* value = values.data + j * values.stride;
      const float weight = weights[r * kBlockPositions + j] * scale_of(values, j);
      for (size_t i = 0; i < width; ++i) to[i] += weight * number(value, i, values.encoding);
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
