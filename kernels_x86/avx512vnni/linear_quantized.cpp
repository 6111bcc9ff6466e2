// int8 and int4 products with vpdpbusd on 512 bits: a line of weights is one register, two panels share each load of x.
#include "../mxfp4.h"
#include "linear.h"

namespace linnet::kernels::avx512vnni {
namespace {

struct Avx512 {
  using Register = __m512i;
  static constexpr size_t kVectors = 1;
  static constexpr size_t kPanels = 2;
  static constexpr size_t kStreamTokens = 1;
  static constexpr size_t kInt8Tokens = 8;
  static constexpr size_t kInt4Tokens = 8;
  static constexpr size_t kExpandFrom = 16;

  static Register load(const void* from) { return _mm512_loadu_si512(from); }
  static void store(void* to, Register x) { _mm512_storeu_si512(to, x); }
  static Register zero() { return _mm512_setzero_si512(); }
  static Register add(Register a, Register b) { return _mm512_add_epi32(a, b); }
  static Register multiply16(Register a, Register b) { return _mm512_mullo_epi16(a, b); }
  static void forget() { asm volatile("" ::: "memory"); }

  static Register broadcast(const int8_t* columns) {
    int64_t eight;
    __builtin_memcpy(&eight, columns, sizeof eight);
    return _mm512_set1_epi64(eight);
  }
  static Register broadcast_four(const int16_t* sums) {
    int64_t four;
    __builtin_memcpy(&four, sums, sizeof four);
    return _mm512_set1_epi64(four);
  }
  static Register broadcast_two(const int16_t* sums) {
    uint32_t two;
    __builtin_memcpy(&two, sums, sizeof two);
    return _mm512_set1_epi64(two);
  }

  static void nibbles(const uint8_t* line, Register* low, Register* high) {
    const Register fifteen = _mm512_set1_epi8(15), x = load(line);
    *low = _mm512_and_si512(x, fifteen);
    *high = _mm512_and_si512(_mm512_srli_epi16(x, 4), fifteen);
  }
  static void unpack_scales(const uint8_t* line, uint8_t* scales) {
    store(scales, _mm512_add_epi8(_mm512_and_si512(load(line), _mm512_set1_epi8(15)), _mm512_set1_epi8(1)));
  }
  /// s of one group in the lower half of every 32-bit lane of its row, zero in the upper.
  static Register scale_lanes(const uint8_t* scales, size_t) { return spread(scales, 0x8080800080808000); }
  /// s of one group in every 16-bit lane of its row.
  static Register scale_words(const uint8_t* scales, size_t) { return spread(scales, 0x8000800080008000); }
  /// m of four groups (32 bytes of a scale line): one 16-bit lane for each group within a row's 64 bits.
  static void unpack_offsets(const uint8_t* bytes, Register* offsets) {
    const __m128i* from = reinterpret_cast<const __m128i*>(bytes);
    const __m128i fifteen = _mm_set1_epi8(15);
    const __m128i groups01 = _mm_and_si128(_mm_srli_epi16(_mm_loadu_si128(from), 4), fifteen);
    const __m128i groups23 = _mm_and_si128(_mm_srli_epi16(_mm_loadu_si128(from + 1), 4), fifteen);
    const __m128i pairs01 = _mm_unpacklo_epi8(groups01, _mm_srli_si128(groups01, 8));
    const __m128i pairs23 = _mm_unpacklo_epi8(groups23, _mm_srli_si128(groups23, 8));
    const __m128i rows0123 = _mm_unpacklo_epi16(pairs01, pairs23), rows4567 = _mm_unpackhi_epi16(pairs01, pairs23);
    offsets[0] = _mm512_cvtepu8_epi16(_mm256_inserti128_si256(_mm256_castsi128_si256(rows0123), rows4567, 1));
  }
  /// The two int32 of each of 8 rows added up.
  static void rows(const Register* sum, int32_t* out) { _mm256_store_si256(reinterpret_cast<__m256i*>(out), eight(sum)); }

  template <bool Expanded>
  struct Int8Weights {
    Register bytes;
    void load(const uint8_t* line) {
      bytes = Avx512::load(line);
      if constexpr (!Expanded) bytes = _mm512_xor_si512(bytes, _mm512_set1_epi8(-128));
      asm("" : "+v"(bytes));  // stay in a register: folded into each use, the load is repeated for each row of x
    }
    Register dot(Register sum, Register a) const { return _mm512_dpbusd_epi32(sum, bytes, a); }
  };
  static Register start_int8(int32_t row_sum) { return _mm512_set1_epi64(static_cast<uint32_t>(-128 * row_sum)); }

  struct GroupSum {
    Register sum = zero();
    void add(Register low, Register a0, Register high, Register a1) {
      sum = _mm512_dpbusd_epi32(_mm512_dpbusd_epi32(sum, low, a0), high, a1);
    }
    // A group's sum is at most 16 * 15 * 127, so its lower half says it all.
    Register times(Register scale, Register total) const { return _mm512_dpwssd_epi32(total, sum, scale); }
  };

  // mxfp4: twice the values, from 0 to 24 when 12 is added, and -12 * sum(x) starts the sum.
  static constexpr bool kRowsMixed = false;
  struct Values {
    Register shifted;
    void look_up(Register nibbles) {
      const __m128i table = _mm_loadu_si128(reinterpret_cast<const __m128i*>(x86::kShiftedHalves));
      shifted = _mm512_shuffle_epi8(_mm512_broadcast_i32x4(table), nibbles);
    }
  };
  struct ValueSum {
    Register sum;
    explicit ValueSum(int32_t group_sum) : sum(_mm512_set1_epi64(static_cast<uint32_t>(-12 * group_sum))) {}
    void add(const Values& w, Register a) { sum = _mm512_dpbusd_epi32(sum, w.shifted, a); }
    Register total() const { return sum; }
  };
  static __m256i eight(const Register* sum) { return _mm512_cvtepi64_epi32(_mm512_add_epi32(sum[0], _mm512_srli_epi64(sum[0], 32))); }
  static Register dot16(Register sum, Register a, Register b) { return _mm512_dpwssd_epi32(sum, a, b); }

 private:
  // Row n's 64 bits get byte n wherever `places` has a zero byte.
  static Register spread(const uint8_t* scales, uint64_t places) {
    const uint64_t ones = (~places & 0x8080808080808080) >> 7;
    const Register rows = _mm512_mullo_epi64(_mm512_set_epi64(7, 6, 5, 4, 3, 2, 1, 0), _mm512_set1_epi64(static_cast<int64_t>(ones)));
    const Register control = _mm512_or_si512(rows, _mm512_set1_epi64(static_cast<int64_t>(places)));
    return _mm512_shuffle_epi8(broadcast(reinterpret_cast<const int8_t*>(scales)), control);
  }
};

}  // namespace

void int8(const LinearTask& task) { x86::int8_product<Avx512>(task); }
void int4(const LinearTask& task) { x86::int4_product<Avx512>(task); }
void mxfp4(const LinearTask& task) { x86::mxfp4_product<Avx512>(task); }
size_t scratch_bytes(size_t tokens, size_t columns) { return x86::product_scratch<Avx512>(tokens, columns); }

}  // namespace linnet::kernels::avx512vnni
