// Sixteen floats in a 512-bit register, for the loops of lib/kernels/loops. In an anonymous namespace, so that
// no function made with this level's flags can stand in for another's.
#pragma once

#include <cstddef>
#include <cstdint>

#include "../tiles.h"

namespace linnet::kernels {
namespace {

struct Floats {
  using Register = __m512;
  using Mask = __mmask16;
  static constexpr size_t kLanes = 16;

  static __m512i lanes() { return _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15); }
  static __mmask16 first_lanes(size_t count) { return static_cast<__mmask16>((1u << count) - 1); }

  static Register zero() { return _mm512_setzero_ps(); }
  static Register set(float x) { return _mm512_set1_ps(x); }
  static Register load(const float* from) { return _mm512_loadu_ps(from); }
  static Register load_first(const float* from, size_t count) { return _mm512_maskz_loadu_ps(first_lanes(count), from); }
  /// `Count` numbers, again and again.
  template <size_t Count>
  static Register repeated(const float* from) {
    if constexpr (Count == 16) return load(from);
    if constexpr (Count == 8) return _mm512_broadcast_f32x8(_mm256_loadu_ps(from));
    return _mm512_broadcast_f32x4(_mm_loadu_ps(from));
  }
  static void store(float* to, Register x) { _mm512_storeu_ps(to, x); }
  static void store_first(float* to, Register x, size_t count) { _mm512_mask_storeu_ps(to, first_lanes(count), x); }

  static Register add(Register a, Register b) { return _mm512_add_ps(a, b); }
  static Register subtract(Register a, Register b) { return _mm512_sub_ps(a, b); }
  static Register multiply(Register a, Register b) { return _mm512_mul_ps(a, b); }
  static Register divide(Register a, Register b) { return _mm512_div_ps(a, b); }
  static Register multiply_add(Register a, Register b, Register sum) { return _mm512_fmadd_ps(a, b, sum); }
  // Where one of the two is NaN, b comes back.
  static Register minimum(Register a, Register b) { return _mm512_min_ps(a, b); }
  static Register maximum(Register a, Register b) { return _mm512_max_ps(a, b); }
  static Register absolute(Register x) { return _mm512_andnot_ps(set(-0.0f), x); }
  static Register with_sign(Register magnitude, Register sign) { return _mm512_or_ps(magnitude, _mm512_and_ps(sign, set(-0.0f))); }
  static Register rounded(Register x) { return _mm512_roundscale_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
  static Mask less(Register a, Register b) { return _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ); }
  static Register choose(Mask mask, Register yes, Register no) { return _mm512_mask_blend_ps(mask, no, yes); }
  static Register zero_where_nan(Register x) { return _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(x, x, _CMP_ORD_Q), x); }

  /// x * 2^n for whole n.
  static Register scaled(Register x, Register n) { return _mm512_scalef_ps(x, n); }

  /// Lanes i and i ^ distance meet: the lower gets the sum, the upper lower - upper.
  static Register butterfly(Register x, size_t distance) {
    const __m512i bit = _mm512_set1_epi32(static_cast<int>(distance));
    const Register partner = _mm512_permutexvar_ps(_mm512_xor_si512(lanes(), bit), x);
    return _mm512_mask_sub_ps(_mm512_add_ps(partner, x), _mm512_test_epi32_mask(lanes(), bit), partner, x);
  }

  /// The lanes' sum: i + (i ^ 8), then ^ 4, ^ 2, ^ 1. joined_all does the same for 16 registers at once, sum l in lane l.
  static float joined(Register x) {
    const __m256 eight = _mm256_add_ps(_mm512_castps512_ps256(x), _mm512_extractf32x8_ps(x, 1));
    __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    four = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(four, _mm_shuffle_ps(four, four, 1)));
  }
  static Register joined_all(const Register* x) {
    Register eight[8], four[4];
    LINNET_UNROLL for (size_t i = 0; i < 8; ++i) eight[i] =
        _mm512_add_ps(_mm512_shuffle_f32x4(x[i], x[i + 8], 0x44), _mm512_shuffle_f32x4(x[i], x[i + 8], 0xEE));
    LINNET_UNROLL for (size_t i = 0; i < 4; ++i) four[i] =
        _mm512_add_ps(_mm512_shuffle_f32x4(eight[i], eight[i + 4], 0x88), _mm512_shuffle_f32x4(eight[i], eight[i + 4], 0xDD));
    const Register low = _mm512_add_ps(_mm512_shuffle_ps(four[0], four[1], 0x44), _mm512_shuffle_ps(four[0], four[1], 0xEE));
    const Register high = _mm512_add_ps(_mm512_shuffle_ps(four[2], four[3], 0x44), _mm512_shuffle_ps(four[2], four[3], 0xEE));
    const Register mixed = _mm512_add_ps(_mm512_shuffle_ps(low, high, 0x88), _mm512_shuffle_ps(low, high, 0xDD));
    return _mm512_shuffle_f32x4(mixed, mixed, 0xD8);  // quarters hold sums 0.., 8.., 4.., 12..
  }
  static float largest(Register x) { return _mm512_reduce_max_ps(x); }

  static Register load_half(const uint8_t* from) { return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from))); }
  static Register load_int8(const uint8_t* from) {
    return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from))));
  }
  static Register load_half_first(const uint8_t* from, size_t count) {
    return _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(first_lanes(count), from));
  }
  static Register load_int8_first(const uint8_t* from, size_t count) {
    return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_maskz_loadu_epi8(first_lanes(count), from)));
  }
  static void store_half_first(uint8_t* to, Register x, size_t count) {
    _mm256_mask_storeu_epi16(to, first_lanes(count), _mm512_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT));
  }
  /// x in [-127, 127], rounded to nearest even.
  static void store_int8_first(uint8_t* to, Register x, size_t count) {
    _mm_mask_storeu_epi8(to, first_lanes(count), _mm512_cvtepi32_epi8(_mm512_cvtps_epi32(x)));
  }
};

}  // namespace
}  // namespace linnet::kernels
