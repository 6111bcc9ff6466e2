// A row of logits as numbers. Loops run over blocks of fixed lanes, so that compilers turn them into registers and sums have one order.
#pragma once

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <cstddef>
#include <span>

namespace linnet::generation {

constexpr float kExcluded = -INFINITY;  // of an id that must not be drawn; no other logit is infinite after `finite`
constexpr size_t kBlock = 64;

/// NaN and minus infinity become the lowest number, infinity the highest.
inline float finite(float logit) {
  const float raised = logit > -FLT_MAX ? logit : -FLT_MAX;
  return raised < FLT_MAX ? raised : FLT_MAX;
}

void copy_finite(std::span<const float> logits, float* out) noexcept;

/// Minus infinity when the row is empty, excluded or all NaN.
float maximum(std::span<const float> row) noexcept;

/// Infinity when the row is empty.
float minimum(std::span<const float> row) noexcept;

/// The first place of the largest number; row.size() when nothing is above minus infinity.
size_t largest(std::span<const float> row) noexcept;

/// e^((x - top) / temperature) in place, within 2e-7 of it and 0 below e^-88; `top` is finite and the row's maximum, temperature > 0.
void exponentials(std::span<float> row, float top, float temperature) noexcept;

/// The natural logarithms of numbers in (0, 1], in place, within 2e-7 of them or of 1.
void logarithms(std::span<float> numbers) noexcept;

/// Block by block.
double sum(std::span<const float> weights) noexcept;

/// Sum of a[i] b[i].
double dot(std::span<const float> a, const float* b) noexcept;

/// log(sum of e^(finite(x) - top)), exact to about 1e-6; `top` is finite(maximum).
double log_sum_exp(std::span<const float> logits, float top) noexcept;

/// The place where the running sum of the weights passes `target`, which is at least 0 and below sum(weights); never one of weight 0
/// unless all are.
size_t place_of(std::span<const float> weights, double target) noexcept;

}  // namespace linnet::generation
