// f32, f16 and bf16 products on 256-bit registers, 4 rows of W by 2 rows of x.
#include "../tiles.h"
#include "kernels/loops/dense_tiles.h"
#include "linear.h"

namespace linnet::kernels::avx2 {
namespace {

struct Floats {
  using Register = __m256;
  static constexpr size_t kLanes = 8;
  static constexpr size_t kStreamAhead = x86::kStreamAhead;
  static constexpr size_t kDenseTokens = 3;
  static constexpr size_t kDenseRows = 4;

  static Register zero() { return _mm256_setzero_ps(); }
  static Register load(const float* from) { return _mm256_loadu_ps(from); }
  static Register load_first(const float* from, size_t count) {
    const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    return _mm256_maskload_ps(from, _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(count)), lane));
  }
  static Register multiply_add(Register a, Register b, Register sum) { return _mm256_fmadd_ps(a, b, sum); }
  static float joined(Register sum) {
    __m128 four = _mm_add_ps(_mm256_castps256_ps128(sum), _mm256_extractf128_ps(sum, 1));
    four = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(four, _mm_shuffle_ps(four, four, 1)));
  }
};

struct F32 {
  using Stored = float;
  static __m256 load(const float* from) { return Floats::load(from); }
  static __m256 load_first(const float* from, size_t count) { return Floats::load_first(from, count); }
};

__m128i first_halves(const uint16_t* from, size_t count) {
  alignas(16) uint16_t padded[8] = {};
  for (size_t i = 0; i < count; ++i) padded[i] = from[i];
  return _mm_load_si128(reinterpret_cast<const __m128i*>(padded));
}

struct F16 {
  using Stored = uint16_t;
  static __m256 load(const uint16_t* from) { return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from))); }
  static __m256 load_first(const uint16_t* from, size_t count) { return _mm256_cvtph_ps(first_halves(from, count)); }
};

struct Bf16 {
  using Stored = uint16_t;
  static __m256 widened(__m128i bits) { return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(bits), 16)); }
  static __m256 load(const uint16_t* from) { return widened(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from))); }
  static __m256 load_first(const uint16_t* from, size_t count) { return widened(first_halves(from, count)); }
};

}  // namespace

void f32(const LinearTask& task) { loops::dense_product<Floats, F32>(task); }
void f16(const LinearTask& task) { loops::dense_product<Floats, F16>(task); }
void bf16(const LinearTask& task) { loops::dense_product<Floats, Bf16>(task); }

}  // namespace linnet::kernels::avx2
