#include "convert/quantizers/mxfp4.h"

#include <algorithm>
#include <cmath>

#include "kernels/layout.h"

namespace linnet::convert {

namespace {

// Nearest value; of two equally near ones the even nibble.
uint8_t nearest(double halves) {
  const double magnitude = std::fabs(halves);
  uint8_t best = 0;
  for (uint8_t i = 1; i < 8; ++i) {
    const double gain = std::fabs(magnitude - kernels::kMxfp4Halves[best]) - std::fabs(magnitude - kernels::kMxfp4Halves[i]);
    if (gain > 0 || (gain == 0 && i % 2 == 0)) best = i;
  }
  return static_cast<uint8_t>(best | (std::signbit(halves) ? 8 : 0));
}

double round_to(const float* weights, size_t count, int exponent, Mxfp4Group* out) {
  double error = 0;
  out->exponent = static_cast<uint8_t>(exponent + 127);
  for (size_t k = 0; k < count; ++k) {
    const double halves = std::ldexp(static_cast<double>(weights[k]), 1 - exponent);
    out->nibbles[k] = nearest(halves);
    const double difference = halves - kernels::kMxfp4Halves[out->nibbles[k]];
    error += std::ldexp(difference * difference, 2 * exponent);
  }
  return error;
}

}  // namespace

Mxfp4Group quantize_mxfp4(const float* weights, size_t count) {
  float largest = 0;
  for (size_t k = 0; k < count; ++k) largest = std::max(largest, std::fabs(weights[k]));
  Mxfp4Group low, high;
  // The largest becomes 4 to 8, of which all beyond 6 is cut off, or 2 to 4. A group of such floats has no error in the first form: there
  // the steps of half their size exist too.
  const int exponent = largest > 0 ? std::clamp(std::ilogb(largest) - 2, -127, 126) : -127;
  const double of_low = round_to(weights, count, exponent, &low);
  return round_to(weights, count, exponent + 1, &high) < of_low ? high : low;
}

}  // namespace linnet::convert
