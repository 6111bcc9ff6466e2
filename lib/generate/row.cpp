#include "generate/row.h"

#include <bit>
#include <cstdint>
#include <functional>

namespace linnet::generation {
namespace {

constexpr size_t kLanes = 16;

constexpr float kLeast = -88.0f;  // e^x from here on is 0

// e^x for kLeast <= x <= 0: 2^n e^r with |r| <= ln(2) / 2, the polynomial of Cephes' expf. At kLeast n is -127, whose power comes out as 0.
inline float exponential(float x) {
  const float n = (x * 1.44269504f + 12582912.0f) - 12582912.0f;  // to the nearest whole number: 1.5 * 2^23 has no bits below 1
  const float r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = (p * r) * r + r + 1.0f;
  return p * std::bit_cast<float>((static_cast<int32_t>(n) + 127) << 23);
}

// log(x) for 0 < x <= 1: x = 2^n m with m around 1, the polynomial of Cephes' logf. The detour over 2^24 x spares numbers too small to be
// normal.
inline float logarithm(float x) {
  const auto bits = std::bit_cast<int32_t>(x * 16777216.0f);
  const int32_t exponent = (bits - 0x3f3504f3) >> 23;  // 0x3f3504f3: the square root of a half
  const float n = static_cast<float>(exponent - 24), r = std::bit_cast<float>(bits - exponent * (1 << 23)) - 1.0f;
  float p = 7.0376836292e-2f;
  p = p * r - 1.1514610310e-1f;
  p = p * r + 1.1676998740e-1f;
  p = p * r - 1.2420140846e-1f;
  p = p * r + 1.4249322787e-1f;
  p = p * r - 1.6668057665e-1f;
  p = p * r + 2.0000714765e-1f;
  p = p * r - 2.4999993993e-1f;
  p = p * r + 3.3333331174e-1f;
  const float square = r * r;
  return (r + (p * r * square - n * 2.12194440e-4f - 0.5f * square)) + n * 0.693359375f;
}

// In two loops: bounding and raising in one, compilers branch on the bound and compute number by number.
void raise(float* numbers, size_t count) {
  for (size_t i = 0; i < count; ++i) numbers[i] = numbers[i] > kLeast ? numbers[i] : kLeast;
  for (size_t i = 0; i < count; ++i) numbers[i] = exponential(numbers[i]);
}

double block_sum(const float* weights, size_t count) {
  double lanes[8] = {};
  size_t i = 0;
  for (; i + 8 <= count; i += 8)
    for (size_t j = 0; j < 8; ++j) lanes[j] += static_cast<double>(weights[i + j]);
  double all = ((lanes[0] + lanes[1]) + (lanes[2] + lanes[3])) + ((lanes[4] + lanes[5]) + (lanes[6] + lanes[7]));
  for (; i < count; ++i) all += static_cast<double>(weights[i]);
  return all;
}

}  // namespace

void copy_finite(std::span<const float> logits, float* out) noexcept {
  for (size_t i = 0; i < logits.size(); ++i) out[i] = finite(logits[i]);
}

namespace {

// NaN is never better.
template <class Better>
float best(std::span<const float> row, float worst, Better better) {
  float lanes[kLanes];
  std::fill(lanes, lanes + kLanes, worst);
  size_t i = 0;
  for (; i + kLanes <= row.size(); i += kLanes)
    for (size_t j = 0; j < kLanes; ++j) lanes[j] = better(row[i + j], lanes[j]) ? row[i + j] : lanes[j];
  for (; i < row.size(); ++i) lanes[0] = better(row[i], lanes[0]) ? row[i] : lanes[0];
  for (float lane : lanes) worst = better(lane, worst) ? lane : worst;
  return worst;
}

}  // namespace

float maximum(std::span<const float> row) noexcept { return best(row, -INFINITY, std::greater<float>()); }
float minimum(std::span<const float> row) noexcept { return best(row, INFINITY, std::less<float>()); }

size_t largest(std::span<const float> row) noexcept {
  const float top = maximum(row);
  if (top == -INFINITY) return row.size();
  return static_cast<size_t>(std::find(row.begin(), row.end(), top) - row.begin());
}

void exponentials(std::span<float> row, float top, float temperature) noexcept {
  for (float& x : row) x = (x - top) / temperature;
  raise(row.data(), row.size());
}

void logarithms(std::span<float> numbers) noexcept {
  for (float& x : numbers) x = logarithm(x);
}

double dot(std::span<const float> a, const float* b) noexcept {
  double lanes[8] = {};
  size_t i = 0;
  for (; i + 8 <= a.size(); i += 8)
    for (size_t j = 0; j < 8; ++j) lanes[j] += static_cast<double>(a[i + j]) * static_cast<double>(b[i + j]);
  double all = ((lanes[0] + lanes[1]) + (lanes[2] + lanes[3])) + ((lanes[4] + lanes[5]) + (lanes[6] + lanes[7]));
  for (; i < a.size(); ++i) all += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  return all;
}

double sum(std::span<const float> weights) noexcept {
  double all = 0;
  for (size_t i = 0; i < weights.size(); i += kBlock) all += block_sum(weights.data() + i, std::min(kBlock, weights.size() - i));
  return all;
}

double log_sum_exp(std::span<const float> logits, float top) noexcept {
  double all = 0;
  float block[kBlock];
  for (size_t i = 0; i < logits.size(); i += kBlock) {
    const size_t count = std::min(kBlock, logits.size() - i);
    for (size_t j = 0; j < count; ++j) block[j] = finite(logits[i + j]) - top;
    raise(block, count);
    all += block_sum(block, count);
  }
  return std::log(all);
}

size_t place_of(std::span<const float> weights, double target) noexcept {
  size_t last = 0, begin = 0;
  for (; begin < weights.size(); begin += kBlock) {
    const double block = block_sum(weights.data() + begin, std::min(kBlock, weights.size() - begin));
    if (block > 0) last = begin;
    if (target < block) break;
    target -= block;
  }
  // Rounding may carry the target past the end: the last place that has any weight takes it.
  const size_t end = std::min(last + kBlock, weights.size());
  size_t place = last;
  for (size_t i = last; i < end; ++i) {
    if (!(weights[i] > 0)) continue;
    place = i;
    target -= static_cast<double>(weights[i]);
    if (target < 0) break;
  }
  return place;
}

}  // namespace linnet::generation
