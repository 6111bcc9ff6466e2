// f32, f16 and bf16 products on 512-bit registers, 4 rows of W by 5 rows of x.
#include "../tiles.h"
#include "kernels/loops/dense_tiles.h"
#include "linear.h"

namespace linnet::kernels::avx512vnni {
namespace {

__mmask16 first_lanes(size_t count) { return static_cast<__mmask16>((1u << count) - 1); }

struct Floats {
  using Register = __m512;
  static constexpr size_t kLanes = 16;
  static constexpr size_t kStreamAhead = x86::kStreamAhead;
  static constexpr size_t kDenseTokens = 5;
  static constexpr size_t kDenseRows = 4;

  static Register zero() { return _mm512_setzero_ps(); }
  static Register load(const float* from) { return _mm512_loadu_ps(from); }
  static Register load_first(const float* from, size_t count) { return _mm512_maskz_loadu_ps(first_lanes(count), from); }
  static Register multiply_add(Register a, Register b, Register sum) { return _mm512_fmadd_ps(a, b, sum); }
  static float joined(Register sum) {
    const __m256 eight = _mm256_add_ps(_mm512_castps512_ps256(sum), _mm512_extractf32x8_ps(sum, 1));
    __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    four = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(four, _mm_shuffle_ps(four, four, 1)));
  }
};

struct F32 {
  using Stored = float;
  static __m512 load(const float* from) { return Floats::load(from); }
  static __m512 load_first(const float* from, size_t count) { return Floats::load_first(from, count); }
};

struct F16 {
  using Stored = uint16_t;
  static __m512 load(const uint16_t* from) { return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from))); }
  static __m512 load_first(const uint16_t* from, size_t count) {
    return _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(first_lanes(count), from));
  }
};

struct Bf16 {
  using Stored = uint16_t;
  static __m512 widened(__m256i bits) { return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(bits), 16)); }
  static __m512 load(const uint16_t* from) { return widened(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from))); }
  static __m512 load_first(const uint16_t* from, size_t count) { return widened(_mm256_maskz_loadu_epi16(first_lanes(count), from)); }
};

}  // namespace

void f32(const LinearTask& task) { loops::dense_product<Floats, F32>(task); }
void f16(const LinearTask& task) { loops::dense_product<Floats, F16>(task); }
void bf16(const LinearTask& task) { loops::dense_product<Floats, Bf16>(task); }

}  // namespace linnet::kernels::avx512vnni
