// Row-wise kernels on f32. A row's result depends on that row alone. In and out may be the same memory.
#pragma once

#include <cstddef>
#include <cstdint>

namespace linnet::kernels {

/// As schema::Function.
enum class Activation : uint8_t { identity, gelu, gelu_tanh, gelu_quick, silu, relu, tanh, sigmoid, exp, softplus };

struct VectorKernels {
  // Over `width` numbers: (x - mean) / sqrt(variance + epsilon) * weight + bias; null weight = 1, null bias = 0.
  void (*layer_norm)(const float* x, size_t width, float epsilon, const float* weight, const float* bias, float* out);
  void (*rms_norm)(const float* x, size_t width, float epsilon, const float* weight, float* out);
  // x / max(|x|, epsilon)
  void (*l2_norm)(const float* x, size_t width, float epsilon, float* out);
  void (*activate)(Activation function, const float* x, size_t count, float* out);
  // out = function(gate) * up
  void (*gate)(Activation function, const float* gate, const float* up, size_t count, float* out);
  void (*add)(const float* a, const float* b, float b_scale, size_t count, float* out);       // a + b_scale * b
  void (*multiply)(const float* a, const float* b, float b_scale, size_t count, float* out);  // a * (b_scale * b)
  void (*scale)(const float* x, float factor, size_t count, float* out);
  // One head: channels i and i + width/2 (pairs: 2i and 2i + 1) turn by angle i; channels from width on are copied.
  void (*rotate)(const float* x, size_t head_width, const float* cosines, const float* sines, size_t width, bool pairs, float* out);
  // Blocks of `block` (a power of two, 16..256) times the Sylvester-Hadamard matrix / sqrt(block), by butterflies in fixed order.
  void (*turn)(const float* x, size_t count, size_t block, float* out);
};

}  // namespace linnet::kernels
