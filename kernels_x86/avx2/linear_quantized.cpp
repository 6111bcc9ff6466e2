// int8 and int4 products with vpmaddubsw. It saturates unless the unsigned side is small: |w| with x of w's sign (int8), or a
// nibble (int4), where four products of 15 * 127 twice still fit int16 and vpmaddwd then multiplies by s for nothing. mxfp4 looks its
// values up by vpshufb.
#include "../lanes256.h"
#include "../mxfp4.h"
#include "linear.h"

namespace linnet::kernels::avx2 {
namespace {

struct Avx2 : x86::Lanes256<Avx2> {
  static constexpr size_t kStreamTokens = 1;
  static constexpr size_t kInt8Tokens = 4;
  static constexpr size_t kInt4Tokens = 4;
  static constexpr size_t kExpandFrom = 0;  // s * nibble up to 240 would saturate

  template <bool Expanded>
  struct Int8Weights {
    static_assert(!Expanded);
    Register signs, magnitude;
    void load(const uint8_t* line) {
      signs = Lanes256::load(line);
      magnitude = _mm256_abs_epi8(signs);
    }
    Register dot(Register sum, Register a) const {
      const Register pairs = _mm256_maddubs_epi16(magnitude, _mm256_sign_epi8(a, signs));
      return _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
    }
  };
  static Register start_int8(int32_t) { return zero(); }

  static Register scale_lanes(const uint8_t* scales, size_t v) { return scale_words(scales, v); }
  struct GroupSum {
    Register sum = zero();
    void add(Register low, Register a0, Register high, Register a1) {
      sum = _mm256_add_epi16(sum, _mm256_add_epi16(_mm256_maddubs_epi16(low, a0), _mm256_maddubs_epi16(high, a1)));
    }
    Register times(Register scale, Register total) const { return _mm256_add_epi32(total, _mm256_madd_epi16(sum, scale)); }
  };

  // mxfp4: at most 12 * 127 * 2 in each of four sums, which fit int16 together.
  static constexpr bool kRowsMixed = true;
  struct Values {
    Register signs, magnitude;
    void look_up(Register nibbles) {
      signs = _mm256_shuffle_epi8(table(kMxfp4Halves), nibbles);
      magnitude = _mm256_abs_epi8(signs);
    }
  };
  struct ValueSum {
    Register sum = zero();
    explicit ValueSum(int32_t) {}
    void add(const Values& w, Register a) { sum = _mm256_add_epi16(sum, _mm256_maddubs_epi16(w.magnitude, _mm256_sign_epi8(a, w.signs))); }
    Register total() const { return _mm256_madd_epi16(sum, _mm256_set1_epi16(1)); }
  };
  static Register dot16(Register sum, Register a, Register b) { return _mm256_add_epi32(sum, _mm256_madd_epi16(a, b)); }
};

}  // namespace

void int8(const LinearTask& task) { x86::int8_product<Avx2>(task); }
void int4(const LinearTask& task) { x86::int4_product<Avx2>(task); }
void mxfp4(const LinearTask& task) { x86::mxfp4_product<Avx2>(task); }
size_t scratch_bytes(size_t tokens, size_t columns) { return x86::product_scratch<Avx2>(tokens, columns); }

}  // namespace linnet::kernels::avx2
