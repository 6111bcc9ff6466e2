// Eight floats in a 256-bit register, for the loops of lib/kernels/loops. In an anonymous namespace, so that no
// function made with this level's flags can stand in for another's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "../tiles.h"

namespace linnet::kernels {
namespace {

struct Floats {
  using Register = __m256;
  using Mask = __m256;
  static constexpr size_t kLanes = 8;

  static __m256i lanes() { return _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7); }
  static __m256i first_lanes(size_t count) { return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(count)), lanes()); }

  static Register zero() { return _mm256_setzero_ps(); }
  static Register set(float x) { return _mm256_set1_ps(x); }
  static Register load(const float* from) { return _mm256_loadu_ps(from); }
  static Register load_first(const float* from, size_t count) { return _mm256_maskload_ps(from, first_lanes(count)); }
  /// `Count` numbers, again and again.
  template <size_t Count>
  static Register repeated(const float* from) {
    if constexpr (Count == 8) return load(from);
    if constexpr (Count == 4) return _mm256_broadcast_ps(reinterpret_cast<const __m128*>(from));
    double two;
    std::memcpy(&two, from, sizeof two);
    return _mm256_castpd_ps(_mm256_set1_pd(two));
  }
  static void store(float* to, Register x) { _mm256_storeu_ps(to, x); }
  static void store_first(float* to, Register x, size_t count) { _mm256_maskstore_ps(to, first_lanes(count), x); }

  static Register add(Register a, Register b) { return _mm256_add_ps(a, b); }
  static Register subtract(Register a, Register b) { return _mm256_sub_ps(a, b); }
  static Register multiply(Register a, Register b) { return _mm256_mul_ps(a, b); }
  static Register divide(Register a, Register b) { return _mm256_div_ps(a, b); }
  static Register multiply_add(Register a, Register b, Register sum) { return _mm256_fmadd_ps(a, b, sum); }
  // Where one of the two is NaN, b comes back.
  static Register minimum(Register a, Register b) { return _mm256_min_ps(a, b); }
  static Register maximum(Register a, Register b) { return _mm256_max_ps(a, b); }
  static Register absolute(Register x) { return _mm256_andnot_ps(set(-0.0f), x); }
  static Register with_sign(Register magnitude, Register sign) { return _mm256_or_ps(magnitude, _mm256_and_ps(sign, set(-0.0f))); }
  static Register rounded(Register x) { return _mm256_round_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
  static Mask less(Register a, Register b) { return _mm256_cmp_ps(a, b, _CMP_LT_OQ); }
  static Register choose(Mask mask, Register yes, Register no) { return _mm256_blendv_ps(no, yes, mask); }
  static Register zero_where_nan(Register x) { return _mm256_and_ps(x, _mm256_cmp_ps(x, x, _CMP_ORD_Q)); }

  /// x * 2^n for whole n in [-252, 252], in two steps, so that results may be denormal or infinite.
  static Register scaled(Register x, Register n) {
    const __m256i whole = _mm256_cvtps_epi32(n), half = _mm256_srai_epi32(whole, 1);
    const auto power = [](__m256i exponent) {
      return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(exponent, _mm256_set1_epi32(127)), 23));
    };
    return _mm256_mul_ps(_mm256_mul_ps(x, power(half)), power(_mm256_sub_epi32(whole, half)));
  }

  /// Lanes i and i ^ distance meet: the lower gets the sum, the upper lower - upper.
  static Register butterfly(Register x, size_t distance) {
    const __m256i bit = _mm256_set1_epi32(static_cast<int>(distance));
    const Register partner = _mm256_permutevar8x32_ps(x, _mm256_xor_si256(lanes(), bit));
    const __m256i upper = _mm256_cmpeq_epi32(_mm256_and_si256(lanes(), bit), bit);
    return _mm256_add_ps(partner, _mm256_xor_ps(x, _mm256_and_ps(_mm256_castsi256_ps(upper), set(-0.0f))));
  }

  /// The lanes' sum: i + (i ^ 4), then ^ 2, then ^ 1. joined_all does the same for 8 registers at once, sum l in lane l.
  static float joined(Register x) {
    __m128 four = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
    four = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(four, _mm_shuffle_ps(four, four, 1)));
  }
  static Register joined_all(const Register* x) {
    Register pair[4];
    LINNET_UNROLL for (size_t i = 0; i < 4; ++i) pair[i] =
        _mm256_add_ps(_mm256_permute2f128_ps(x[i], x[i + 4], 0x20), _mm256_permute2f128_ps(x[i], x[i + 4], 0x31));
    const Register low = _mm256_add_ps(_mm256_shuffle_ps(pair[0], pair[1], 0x44), _mm256_shuffle_ps(pair[0], pair[1], 0xEE));
    const Register high = _mm256_add_ps(_mm256_shuffle_ps(pair[2], pair[3], 0x44), _mm256_shuffle_ps(pair[2], pair[3], 0xEE));
    return _mm256_add_ps(_mm256_shuffle_ps(low, high, 0x88), _mm256_shuffle_ps(low, high, 0xDD));
  }
  static float largest(Register x) {
    __m128 four = _mm_max_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
    four = _mm_max_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_max_ss(four, _mm_shuffle_ps(four, four, 1)));
  }

  static Register load_half(const uint8_t* from) { return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from))); }
  static Register load_int8(const uint8_t* from) {
    return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(from))));
  }
  static Register load_half_first(const uint8_t* from, size_t count) {
    uint8_t padded[16] = {};
    std::memcpy(padded, from, count * 2);
    return load_half(padded);
  }
  static Register load_int8_first(const uint8_t* from, size_t count) {
    uint8_t padded[8] = {};
    std::memcpy(padded, from, count);
    return load_int8(padded);
  }
  static void store_half_first(uint8_t* to, Register x, size_t count) {
    const __m128i halves = _mm256_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT);
    std::memcpy(to, &halves, count * 2);
  }
  /// x in [-127, 127], rounded to nearest even.
  static void store_int8_first(uint8_t* to, Register x, size_t count) {
    const __m256i numbers = _mm256_cvtps_epi32(x);
    const __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(numbers), _mm256_extracti128_si256(numbers, 1));
    const __m128i bytes = _mm_packs_epi16(words, words);
    std::memcpy(to, &bytes, count);
  }
};

}  // namespace
}  // namespace linnet::kernels
