#include <cmath>

#include "kernels/portable/vector.h"

namespace linnet::kernels::portable {
namespace {

float sigmoid(float x) { return 1 / (1 + std::exp(-x)); }

float gelu(float x) { return 0.5f * x * (1 + std::erf(x * 0.70710678f)); }

float gelu_tanh(float x) {
  const float inner = 0.79788456f * (x + 0.044715f * x * x * x);
  return 0.5f * x * (1 + std::tanh(inner));
}

// Beyond 20 the logarithm adds nothing that a float can hold.
float softplus(float x) { return x > 20 ? x : std::log1p(std::exp(x)); }

float apply(Activation function, float x) {
  switch (function) {
    case Activation::gelu:
      return gelu(x);
    case Activation::gelu_tanh:
      return gelu_tanh(x);
    case Activation::gelu_quick:
      return x * sigmoid(1.702f * x);
    case Activation::silu:
      return x * sigmoid(x);
    case Activation::relu:
      return x > 0 ? x : x < 0 ? 0.0f : x;  // NaN stays NaN
    case Activation::tanh:
      return std::tanh(x);
    case Activation::sigmoid:
      return sigmoid(x);
    case Activation::exp:
      return std::exp(x);
    case Activation::softplus:
      return softplus(x);
    default:
      return x;
  }
}

}  // namespace

void activate(Activation function, const float* x, size_t count, float* out) {
  for (size_t i = 0; i < count; ++i) out[i] = apply(function, x[i]);
}

void gate(Activation function, const float* gate, const float* up, size_t count, float* out) {
  for (size_t i = 0; i < count; ++i) out[i] = apply(function, gate[i]) * up[i];
}

}  // namespace linnet::kernels::portable
