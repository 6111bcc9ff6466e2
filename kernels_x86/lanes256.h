// 256-bit registers for the products of tiles.h: a line of weights is two registers of four rows. `Level` is the level's own
// type, in an anonymous namespace of its file.
#pragma once

#include "tiles.h"

namespace linnet::kernels::x86 {

template <class Level>
struct Lanes256 {
  using Register = __m256i;
  static constexpr size_t kVectors = 2;
  static constexpr size_t kPanels = 1;

  static Register load(const void* from) { return _mm256_loadu_si256(static_cast<const __m256i*>(from)); }
  static void store(void* to, Register x) { _mm256_storeu_si256(static_cast<__m256i*>(to), x); }
  static Register zero() { return _mm256_setzero_si256(); }
  static Register add(Register a, Register b) { return _mm256_add_epi32(a, b); }
  static Register multiply16(Register a, Register b) { return _mm256_mullo_epi16(a, b); }
  static void forget() { asm volatile("" ::: "memory"); }

  /// 8 columns, once for each row.
  static Register broadcast(const int8_t* columns) {
    int64_t eight;
    __builtin_memcpy(&eight, columns, sizeof eight);
    return _mm256_set1_epi64x(eight);
  }
  static Register broadcast_four(const int16_t* sums) {
    int64_t four;
    __builtin_memcpy(&four, sums, sizeof four);
    return _mm256_set1_epi64x(four);
  }
  static Register broadcast_two(const int16_t* sums) {
    uint32_t two;
    __builtin_memcpy(&two, sums, sizeof two);
    return _mm256_set1_epi64x(two);
  }

  static void nibbles(const uint8_t* line, Register* low, Register* high) {
    const Register fifteen = _mm256_set1_epi8(15), x = load(line);
    *low = _mm256_and_si256(x, fifteen);
    *high = _mm256_and_si256(_mm256_srli_epi16(x, 4), fifteen);
  }
  /// 16 bytes in both halves, for look-ups by nibble.
  static Register table(const int8_t* bytes) {
    return _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes)));
  }
  /// A scale line's s, 1 .. 16, as bytes.
  static void unpack_scales(const uint8_t* line, uint8_t* scales) {
    for (size_t i = 0; i < kLine; i += 32)
      store(scales + i, _mm256_add_epi8(_mm256_and_si256(load(line + i), _mm256_set1_epi8(15)), _mm256_set1_epi8(1)));
  }
  /// s of one group in every 16-bit lane of its row.
  static Register scale_words(const uint8_t* scales, size_t v) {
    const __m256i spread = _mm256_setr_epi8(0, -1, 0, -1, 0, -1, 0, -1, 1, -1, 1, -1, 1, -1, 1, -1,  //
                                            2, -1, 2, -1, 2, -1, 2, -1, 3, -1, 3, -1, 3, -1, 3, -1);
    return _mm256_shuffle_epi8(broadcast(reinterpret_cast<const int8_t*>(scales)), _mm256_or_si256(spread, rows_of(v)));
  }
  /// The same in the lower half of every 32-bit lane, zero in the upper.
  static Register scale_low_words(const uint8_t* scales, size_t v) {
    const __m256i spread = _mm256_setr_epi8(0, -1, -1, -1, 0, -1, -1, -1, 1, -1, -1, -1, 1, -1, -1, -1,  //
                                            2, -1, -1, -1, 2, -1, -1, -1, 3, -1, -1, -1, 3, -1, -1, -1);
    return _mm256_shuffle_epi8(broadcast(reinterpret_cast<const int8_t*>(scales)), _mm256_or_si256(spread, rows_of(v)));
  }
  /// m of four groups (32 bytes of a scale line): one 16-bit lane for each group within a row's 64 bits.
  static void unpack_offsets(const uint8_t* bytes, Register* offsets) {
    const __m128i* from = reinterpret_cast<const __m128i*>(bytes);
    const __m128i fifteen = _mm_set1_epi8(15);
    const __m128i groups01 = _mm_and_si128(_mm_srli_epi16(_mm_loadu_si128(from), 4), fifteen);
    const __m128i groups23 = _mm_and_si128(_mm_srli_epi16(_mm_loadu_si128(from + 1), 4), fifteen);
    const __m128i pairs01 = _mm_unpacklo_epi8(groups01, _mm_srli_si128(groups01, 8));
    const __m128i pairs23 = _mm_unpacklo_epi8(groups23, _mm_srli_si128(groups23, 8));
    offsets[0] = _mm256_cvtepu8_epi16(_mm_unpacklo_epi16(pairs01, pairs23));
    offsets[1] = _mm256_cvtepu8_epi16(_mm_unpackhi_epi16(pairs01, pairs23));
  }
  /// The two int32 of each of 8 rows added up.
  static void rows(const Register* sum, int32_t* out) {
    const __m256i mixed = _mm256_hadd_epi32(sum[0], sum[1]);
    _mm256_store_si256(reinterpret_cast<__m256i*>(out), _mm256_permute4x64_epi64(mixed, 0xD8));
  }
  /// The same, rows in the order 0 1 4 5 2 3 6 7.
  static __m256i eight(const Register* sum) { return _mm256_hadd_epi32(sum[0], sum[1]); }

 private:
  static __m256i rows_of(size_t v) { return _mm256_set1_epi8(v == 0 ? 0 : 4); }
};

}  // namespace linnet::kernels::x86
