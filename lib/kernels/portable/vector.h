// The plain kernels of vector_kernels.h, one file for each kind. They define what every other level must compute.
#pragma once

#include "kernels/vector_kernels.h"

namespace linnet::kernels::portable {

void layer_norm(const float* x, size_t width, float epsilon, const float* weight, const float* bias, float* out);
void rms_norm(const float* x, size_t width, float epsilon, const float* weight, float* out);
void l2_norm(const float* x, size_t width, float epsilon, float* out);

void activate(Activation function, const float* x, size_t count, float* out);
void gate(Activation function, const float* gate, const float* up, size_t count, float* out);

void add(const float* a, const float* b, float b_scale, size_t count, float* out);
void multiply(const float* a, const float* b, float b_scale, size_t count, float* out);
void scale(const float* x, float factor, size_t count, float* out);
void rotate(const float* x, size_t head_width, const float* cosines, const float* sines, size_t width, bool pairs, float* out);
void turn(const float* x, size_t count, size_t block, float* out);

}  // namespace linnet::kernels::portable
