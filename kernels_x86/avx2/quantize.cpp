// f32 rows to int8 rows, 8 numbers at a time, bit-equal to the portable kernel: every float operation here rounds as its twin does.
#include <cfloat>

#include "../intrinsics.h"
#include "linear.h"

namespace linnet::kernels::avx2 {
namespace {

// Up to 8 numbers; those that are missing are 0, NaN is 0, infinity is the largest float.
__m256 tame(__m256 x) {
  const __m256 number = _mm256_and_ps(x, _mm256_cmp_ps(x, x, _CMP_ORD_Q));
  return _mm256_max_ps(_mm256_min_ps(number, _mm256_set1_ps(FLT_MAX)), _mm256_set1_ps(-FLT_MAX));
}
__m256 load(const float* x, size_t count) {
  if (count >= 8) return tame(_mm256_loadu_ps(x));
  const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  return tame(_mm256_maskload_ps(x, _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(count)), lane)));
}

float largest(const float* x, size_t columns) {
  const __m256 magnitude = _mm256_castsi256_ps(_mm256_set1_epi32(0x7fffffff));
  __m256 most = _mm256_setzero_ps();
  for (size_t k = 0; k < columns; k += 8) most = _mm256_max_ps(most, _mm256_and_ps(load(x + k, columns - k), magnitude));
  __m128 four = _mm_max_ps(_mm256_castps256_ps128(most), _mm256_extractf128_ps(most, 1));
  four = _mm_max_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_max_ss(four, _mm_shuffle_ps(four, four, 1)));
}

__m256i rounded(__m256 x, __m256 scale) {
  __m256 steps = _mm256_div_ps(x, scale);
  steps = _mm256_max_ps(_mm256_min_ps(steps, _mm256_set1_ps(127)), _mm256_set1_ps(-127));
  return _mm256_cvttps_epi32(_mm256_round_ps(steps, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
}

// One group of 32 columns, of which `count` exist. Returns its sum.
int32_t quantize_group(const float* x, size_t count, __m256 scale, int8_t* data) {
  __m256i part[4];
  for (size_t i = 0; i < 4; ++i) {
    part[i] = count > i * 8 ? rounded(load(x + i * 8, count - i * 8), scale) : _mm256_setzero_si256();
  }
  const __m256i words01 = _mm256_packs_epi32(part[0], part[1]), words23 = _mm256_packs_epi32(part[2], part[3]);
  const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
  const __m256i bytes = _mm256_permutevar8x32_epi32(_mm256_packs_epi16(words01, words23), order);
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(data), bytes);
  const __m256i words = _mm256_add_epi16(words01, words23);
  const __m256i eight = _mm256_madd_epi16(words, _mm256_set1_epi16(1));
  __m128i four = _mm_add_epi32(_mm256_castsi256_si128(eight), _mm256_extracti128_si256(eight, 1));
  four = _mm_add_epi32(four, _mm_shuffle_epi32(four, 0x4e));
  return _mm_cvtsi128_si32(_mm_add_epi32(four, _mm_shuffle_epi32(four, 0xb1)));
}

}  // namespace

void quantize(const float* x, size_t x_stride, size_t rows, size_t columns, QuantizedRows out) {
  const size_t groups = out.stride / kGroup;
  for (size_t m = 0; m < rows; ++m) {
    const float* row = x + m * x_stride;
    const float scale = largest(row, columns) / 127;
    const __m256 scales = _mm256_set1_ps(scale);
    int32_t row_sum = 0;
    for (size_t g = 0; g < groups; ++g) {
      const size_t first = g * kGroup;
      const size_t count = scale > 0 && columns > first ? columns - first : 0;
      const int32_t sum = quantize_group(row + first, count, scales, out.data + m * out.stride + first);
      out.group_sum[m * groups + g] = static_cast<int16_t>(sum);
      row_sum += sum;
    }
    out.scale[m] = scale;
    out.row_sum[m] = row_sum;
  }
}

}  // namespace linnet::kernels::avx2
