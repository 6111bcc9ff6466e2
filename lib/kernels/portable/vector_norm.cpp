// Sums run in f64: they define what the vector levels' many partial sums approach.
#include <algorithm>
#include <cmath>

#include "kernels/portable/vector.h"

namespace linnet::kernels::portable {
namespace {

double sum_of_squares(const float* x, size_t width, double mean) {
  double sum = 0;
  for (size_t i = 0; i < width; ++i) sum += (x[i] - mean) * (x[i] - mean);
  return sum;
}

}  // namespace

void layer_norm(const float* x, size_t width, float epsilon, const float* weight, const float* bias, float* out) {
  double sum = 0;
  for (size_t i = 0; i < width; ++i) sum += x[i];
  const double mean = sum / static_cast<double>(width);
  const double variance = sum_of_squares(x, width, mean) / static_cast<double>(width);
  const double factor = 1 / std::sqrt(variance + epsilon);
  for (size_t i = 0; i < width; ++i) {
    const float normal = static_cast<float>((x[i] - mean) * factor);
    out[i] = normal * (weight ? weight[i] : 1.0f) + (bias ? bias[i] : 0.0f);
  }
}

void rms_norm(const float* x, size_t width, float epsilon, const float* weight, float* out) {
  const double mean_square = sum_of_squares(x, width, 0) / static_cast<double>(width);
  const float factor = static_cast<float>(1 / std::sqrt(mean_square + epsilon));
  for (size_t i = 0; i < width; ++i) out[i] = x[i] * factor * (weight ? weight[i] : 1.0f);
}

void l2_norm(const float* x, size_t width, float epsilon, float* out) {
  const float factor = static_cast<float>(1 / std::max(std::sqrt(sum_of_squares(x, width, 0)), static_cast<double>(epsilon)));
  for (size_t i = 0; i < width; ++i) out[i] = x[i] * factor;
}

}  // namespace linnet::kernels::portable
