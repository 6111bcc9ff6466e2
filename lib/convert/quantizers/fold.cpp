#include <algorithm>
#include <cmath>

#include "convert/pack.h"

namespace linnet::convert {

namespace {

// Beyond, a factor does nothing for rounding any more, and its inverse may leave the range of f32.
constexpr double kLargestFactor = 1 << 20;

}  // namespace

// s_j = median(c) / c_j where that is beyond 3 or below 1/3, c_j the root mean square of column j over all consumers.
std::vector<float> fold_factors(const std::vector<const std::vector<float>*>& consumers, uint32_t columns) {
  std::vector<double> squares(columns, 0.0);
  size_t rows = 0;
  for (const std::vector<float>* consumer : consumers) {
    rows += consumer->size() / columns;
    for (size_t i = 0; i < consumer->size(); ++i) squares[i % columns] += static_cast<double>((*consumer)[i]) * (*consumer)[i];
  }
  std::vector<double> c(columns);
  for (uint32_t j = 0; j < columns; ++j) c[j] = std::sqrt(squares[j] / static_cast<double>(std::max<size_t>(rows, 1)));
  std::vector<double> sorted = c;
  std::nth_element(sorted.begin(), sorted.begin() + columns / 2, sorted.end());
  double median = sorted[columns / 2];
  std::vector<float> factors(columns, 1.0f);
  for (uint32_t j = 0; j < columns; ++j) {
    double s = c[j] > 0 ? median / c[j] : 1;
    if (median > 0 && (s > 3 || s < 1.0 / 3)) factors[j] = static_cast<float>(std::clamp(s, 1 / kLargestFactor, kLargestFactor));
  }
  return factors;
}

}  // namespace linnet::convert
