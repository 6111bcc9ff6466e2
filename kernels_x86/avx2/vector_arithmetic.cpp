// Sums, products and scaling of rows, 8 numbers at a time; what is left over goes through the same arithmetic one by one.
#include <immintrin.h>

#include "kernels/levels.h"

namespace linnet::kernels {
namespace {

void add(const float* a, const float* b, float b_scale, size_t count, float* out) {
  const __m256 scale = _mm256_set1_ps(b_scale);
  size_t i = 0;
  for (; i + 8 <= count; i += 8)
    _mm256_storeu_ps(out + i, _mm256_add_ps(_mm256_loadu_ps(a + i), _mm256_mul_ps(scale, _mm256_loadu_ps(b + i))));
  for (; i < count; ++i) out[i] = a[i] + b_scale * b[i];
}

void multiply(const float* a, const float* b, float b_scale, size_t count, float* out) {
  const __m256 scale = _mm256_set1_ps(b_scale);
  size_t i = 0;
  for (; i + 8 <= count; i += 8)
    _mm256_storeu_ps(out + i, _mm256_mul_ps(_mm256_loadu_ps(a + i), _mm256_mul_ps(scale, _mm256_loadu_ps(b + i))));
  for (; i < count; ++i) out[i] = a[i] * (b_scale * b[i]);
}

void scale(const float* x, float factor, size_t count, float* out) {
  const __m256 factors = _mm256_set1_ps(factor);
  size_t i = 0;
  for (; i + 8 <= count; i += 8) _mm256_storeu_ps(out + i, _mm256_mul_ps(factors, _mm256_loadu_ps(x + i)));
  for (; i < count; ++i) out[i] = factor * x[i];
}

}  // namespace

void fill_vector_avx2(VectorKernels& kernels) noexcept {
  kernels.add = add;
  kernels.multiply = multiply;
  kernels.scale = scale;
}

}  // namespace linnet::kernels
