#include "ops/rotary_frequencies.h"

#include <algorithm>
#include <cmath>

namespace linnet::ops {
namespace {

constexpr double kPi = 3.14159265358979323846;

using schema::RotaryScaling;

// Long waves are stretched, short ones kept, those between blended by wavelength.
double llama3(const schema::RotaryAngles& options, double frequency) {
  const double original = options.original_positions(), low = options.low_frequency_factor(), high = options.high_frequency_factor();
  const double wavelength = 2 * kPi / frequency;
  if (wavelength < original / high) return frequency;
  if (wavelength > original / low) return frequency / options.factor();
  const double t = (original / wavelength - low) / (high - low);
  return (1 - t) * frequency / options.factor() + t * frequency;
}

// Channels between which YaRN goes over from kept to stretched frequencies.
struct Ramp {
  double low, high;
};

Ramp yarn_ramp(const schema::RotaryAngles& options) {
  const double width = options.width();
  const auto channel = [&](double turns) {
    return width * std::log(options.original_positions() / (turns * 2 * kPi)) / (2 * std::log(static_cast<double>(options.base())));
  };
  Ramp ramp{channel(options.beta_fast()), channel(options.beta_slow())};
  if (options.truncate()) ramp = {std::floor(ramp.low), std::ceil(ramp.high)};
  ramp.low = std::max(ramp.low, 0.0);
  ramp.high = std::min(ramp.high, width - 1);
  if (ramp.low == ramp.high) ramp.high += 0.001;
  return ramp;
}

void frequencies_of_base(double base, uint32_t width, const float* factors, double divisor, float* out) {
  for (uint32_t i = 0; i < width / 2; ++i) {
    const double frequency = std::pow(base, -2.0 * i / width) / (factors ? static_cast<double>(factors[i]) : 1.0);
    out[i] = static_cast<float>(frequency / divisor);
  }
}

}  // namespace

void rotary_frequencies(const schema::RotaryAngles& options, const float* factors, float* out) {
  const double base = options.base(), factor = options.factor();
  const uint32_t width = options.width();
  if (options.grid()) {
    frequencies_of_base(base, width / 2, nullptr, 1.0, out);
    std::copy_n(out, width / 4, out + width / 4);
    return;
  }
  if (options.scaling() != RotaryScaling::llama3 && options.scaling() != RotaryScaling::yarn) {
    frequencies_of_base(base, width, factors, options.scaling() == RotaryScaling::linear ? factor : 1.0, out);
    return;
  }
  const bool is_yarn = options.scaling() == RotaryScaling::yarn;
  const Ramp ramp = is_yarn ? yarn_ramp(options) : Ramp{0, 1};
  for (uint32_t i = 0; i < width / 2; ++i) {
    const double frequency = std::pow(base, -2.0 * i / width) / (factors ? static_cast<double>(factors[i]) : 1.0);
    if (is_yarn) {
      const double stretched = std::clamp((i - ramp.low) / (ramp.high - ramp.low), 0.0, 1.0);
      out[i] = static_cast<float>(frequency / factor * stretched + frequency * (1 - stretched));
    } else {
      out[i] = static_cast<float>(llama3(options, frequency));
    }
  }
}

void dynamic_frequencies(const schema::RotaryAngles& options, uint32_t length, const float* factors, float* out) {
  const double width = options.width(), factor = options.factor();
  const double growth = factor * length / options.original_positions() - (factor - 1);
  const double base = options.base() * std::pow(growth, width / (width - 2));
  frequencies_of_base(base, options.width(), factors, 1.0, out);
}

}  // namespace linnet::ops
