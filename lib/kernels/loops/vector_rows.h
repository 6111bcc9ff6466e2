// The loops of vector_kernels.h, shared by the levels. Whole registers first, then the rest in the first lanes of one: a number's
// result is the same wherever it stands. Sums, products, rotations and turns round exactly as the portable ones do.
// C's own functions are called: the C++ library's inline ones could be emitted with a level's flags and stand in for others'.
#pragma once

#include <math.h>

#include "kernels/loops/vector_functions.h"
#include "kernels/vector_kernels.h"

namespace linnet::kernels::loops {

/// out[i] = function(x[i]...) over rows of one length.
template <class V, class Function>
void map(size_t count, float* out, Function function, const float* x) {
  size_t i = 0;
  for (; i + V::kLanes <= count; i += V::kLanes) V::store(out + i, function(V::load(x + i)));
  if (i < count) V::store_first(out + i, function(V::load_first(x + i, count - i)), count - i);
}
template <class V, class Function>
void map(size_t count, float* out, Function function, const float* a, const float* b) {
  size_t i = 0;
  for (; i + V::kLanes <= count; i += V::kLanes) V::store(out + i, function(V::load(a + i), V::load(b + i)));
  if (i < count) V::store_first(out + i, function(V::load_first(a + i, count - i), V::load_first(b + i, count - i)), count - i);
}

template <class V>
void add(const float* a, const float* b, float b_scale, size_t count, float* out) {
  const auto scale = V::set(b_scale);
  map<V>(
      count, out, [&](auto x, auto y) { return V::add(x, V::multiply(scale, y)); }, a, b);
}

template <class V>
void multiply(const float* a, const float* b, float b_scale, size_t count, float* out) {
  const auto scale = V::set(b_scale);
  map<V>(
      count, out, [&](auto x, auto y) { return V::multiply(x, V::multiply(scale, y)); }, a, b);
}

template <class V>
void scale(const float* x, float factor, size_t count, float* out) {
  const auto factors = V::set(factor);
  map<V>(
      count, out, [&](auto y) { return V::multiply(factors, y); }, x);
}

/// Sum of function(x) in four chains.
template <class V, class Function>
float sum(const float* x, size_t width, Function function) {
  typename V::Register chain[4] = {V::zero(), V::zero(), V::zero(), V::zero()};
  size_t i = 0;
  for (; i + 4 * V::kLanes <= width; i += 4 * V::kLanes)
    for (size_t c = 0; c < 4; ++c) chain[c] = V::add(chain[c], function(V::load(x + i + c * V::kLanes)));
  for (; i + V::kLanes <= width; i += V::kLanes) chain[0] = V::add(chain[0], function(V::load(x + i)));
  float rest = 0;
  if (i < width) {
    float last[V::kLanes];
    V::store(last, function(V::load_first(x + i, width - i)));
    for (size_t lane = 0; i + lane < width; ++lane) rest += last[lane];
  }
  return V::joined(V::add(V::add(chain[0], chain[1]), V::add(chain[2], chain[3]))) + rest;
}

template <class V>
float sum_of_squares(const float* x, size_t width) {
  return sum<V>(x, width, [](auto y) { return V::multiply(y, y); });
}

template <class V>
void layer_norm(const float* x, size_t width, float epsilon, const float* weight, const float* bias, float* out) {
  const float mean = sum<V>(x, width, [](auto y) { return y; }) / static_cast<float>(width);
  const auto means = V::set(mean);
  const float variance =
      sum<V>(x, width, [&](auto y) { return V::multiply(V::subtract(y, means), V::subtract(y, means)); }) / static_cast<float>(width);
  const auto factor = V::set(1 / sqrtf(variance + epsilon));
  const auto normal = [&](auto y) { return V::multiply(V::subtract(y, means), factor); };
  if (weight) {
    map<V>(
        width, out, [&](auto y, auto w) { return V::multiply(normal(y), w); }, x, weight);
  } else {
    map<V>(width, out, normal, x);
  }
  if (bias)
    map<V>(
        width, out, [](auto y, auto b) { return V::add(y, b); }, out, bias);
}

template <class V>
void rms_norm(const float* x, size_t width, float epsilon, const float* weight, float* out) {
  const float factor = 1 / sqrtf(sum_of_squares<V>(x, width) / static_cast<float>(width) + epsilon);
  if (!weight) return scale<V>(x, factor, width, out);
  const auto factors = V::set(factor);
  map<V>(
      width, out, [&](auto y, auto w) { return V::multiply(V::multiply(y, factors), w); }, x, weight);
}

template <class V>
void l2_norm(const float* x, size_t width, float epsilon, float* out) {
  const float length = sqrtf(sum_of_squares<V>(x, width));
  scale<V>(x, 1 / (length > epsilon || length != length ? length : epsilon), width, out);
}

/// Hands the function to `use` as a callable on registers. False for those that no vector version is worth.
template <class V, class Use>
bool with_function(Activation function, Use use) {
  switch (function) {
    case Activation::identity:
      use([](auto x) { return x; });
      return true;
    case Activation::gelu:
      use([](auto x) { return gelu<V>(x); });
      return true;
    case Activation::gelu_tanh:
      use([](auto x) { return gelu_tanh<V>(x); });
      return true;
    case Activation::gelu_quick:
      use([](auto x) { return V::multiply(x, sigmoid<V>(V::multiply(V::set(1.702f), x))); });
      return true;
    case Activation::silu:
      use([](auto x) { return V::multiply(x, sigmoid<V>(x)); });
      return true;
    case Activation::relu:
      use([](auto x) { return V::maximum(V::zero(), x); });
      return true;
    case Activation::tanh:
      use([](auto x) { return hyperbolic_tangent<V>(x); });
      return true;
    case Activation::sigmoid:
      use([](auto x) { return sigmoid<V>(x); });
      return true;
    case Activation::exp:
      use([](auto x) { return exponential<V>(x); });
      return true;
    default:
      return false;
  }
}

template <class V>
float softplus(float x) {
  return x > 20 ? x : log1pf(expf(x));
}

template <class V>
void activate(Activation function, const float* x, size_t count, float* out) {
  if (with_function<V>(function, [&](auto f) { map<V>(count, out, f, x); })) return;
  for (size_t i = 0; i < count; ++i) out[i] = softplus<V>(x[i]);
}

template <class V>
void gate(Activation function, const float* gates, const float* up, size_t count, float* out) {
  const auto through = [&](auto f) {
    map<V>(
        count, out, [&](auto g, auto u) { return V::multiply(f(g), u); }, gates, up);
  };
  if (with_function<V>(function, through)) return;
  for (size_t i = 0; i < count; ++i) out[i] = softplus<V>(gates[i]) * up[i];
}

template <class V>
void rotate(const float* x, size_t head_width, const float* cosines, const float* sines, size_t width, bool pairs, float* out) {
  const size_t half = width / 2;
  size_t i = 0;
  for (; !pairs && i + V::kLanes <= half; i += V::kLanes) {
    const auto a = V::load(x + i), b = V::load(x + half + i), c = V::load(cosines + i), s = V::load(sines + i);
    V::store(out + i, V::subtract(V::multiply(a, c), V::multiply(b, s)));
    V::store(out + half + i, V::add(V::multiply(b, c), V::multiply(a, s)));
  }
  for (; i < half; ++i) {
    const size_t first = pairs ? 2 * i : i, second = pairs ? 2 * i + 1 : i + half;
    const float a = x[first], b = x[second];
    out[first] = a * cosines[i] - b * sines[i];
    out[second] = b * cosines[i] + a * sines[i];
  }
  if (out != x)
    for (i = width; i < head_width; ++i) out[i] = x[i];
}

// Distances within a register first, then register against register: every pair as in the portable kernel.
template <class V>
void turn(const float* x, size_t count, size_t block, float* out) {
  const auto factor = V::set(1 / sqrtf(static_cast<float>(block)));
  for (size_t begin = 0; begin < count; begin += block) {
    float* values = out + begin;
    for (size_t i = 0; i < block; i += V::kLanes) {
      auto y = V::load(x + begin + i);
      for (size_t distance = 1; distance < V::kLanes; distance *= 2) y = V::butterfly(y, distance);
      V::store(values + i, y);
    }
    for (size_t distance = V::kLanes; distance < block; distance *= 2) {
      for (size_t i = 0; i < block; i += V::kLanes) {
        if (i & distance) continue;
        const auto a = V::load(values + i), b = V::load(values + i + distance);
        V::store(values + i, V::add(a, b));
        V::store(values + i + distance, V::subtract(a, b));
      }
    }
    for (size_t i = 0; i < block; i += V::kLanes) V::store(values + i, V::multiply(V::load(values + i), factor));
  }
}

template <class V>
void fill_vector(VectorKernels& kernels) {
  kernels.layer_norm = layer_norm<V>;
  kernels.rms_norm = rms_norm<V>;
  kernels.l2_norm = l2_norm<V>;
  kernels.activate = activate<V>;
  kernels.gate = gate<V>;
  kernels.add = add<V>;
  kernels.multiply = multiply<V>;
  kernels.scale = scale<V>;
  kernels.rotate = rotate<V>;
  kernels.turn = turn<V>;
}

}  // namespace linnet::kernels::loops
