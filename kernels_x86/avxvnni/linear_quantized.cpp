// int8 and int4 products with vpdpbusd on 256 bits: unsigned weights times signed x, exact. int8 weights become unsigned by
// their sign bit, and -128 * sum(x) starts the sum.
#include "../lanes256.h"
#include "../mxfp4.h"
#include "kernels/levels.h"

namespace linnet::kernels {
namespace {

struct AvxVnni : x86::Lanes256<AvxVnni> {
  static constexpr size_t kStreamTokens = 1;
  static constexpr size_t kInt8Tokens = 6;
  static constexpr size_t kInt4Tokens = 4;
  static constexpr size_t kExpandFrom = 12;

  template <bool Expanded>
  struct Int8Weights {
    Register bytes;
    void load(const uint8_t* line) {
      bytes = Lanes256::load(line);
      if constexpr (!Expanded) bytes = _mm256_xor_si256(bytes, _mm256_set1_epi8(-128));
      asm("" : "+x"(bytes));  // stay in a register: folded into each use, the load is repeated for each row of x
    }
    Register dot(Register sum, Register a) const { return _mm256_dpbusd_avx_epi32(sum, bytes, a); }
  };
  static Register start_int8(int32_t row_sum) { return _mm256_set1_epi64x(static_cast<uint32_t>(-128 * row_sum)); }

  static Register scale_lanes(const uint8_t* scales, size_t v) { return scale_low_words(scales, v); }
  struct GroupSum {
    Register sum = zero();
    void add(Register low, Register a0, Register high, Register a1) {
      sum = _mm256_dpbusd_avx_epi32(_mm256_dpbusd_avx_epi32(sum, low, a0), high, a1);
    }
    // A group's sum is at most 16 * 15 * 127, so its lower half says it all.
    Register times(Register scale, Register total) const { return _mm256_dpwssd_avx_epi32(total, sum, scale); }
  };

  // mxfp4: twice the values, from 0 to 24 when 12 is added, and -12 * sum(x) starts the sum.
  static constexpr bool kRowsMixed = true;
  struct Values {
    Register shifted;
    void look_up(Register nibbles) { shifted = _mm256_shuffle_epi8(table(x86::kShiftedHalves), nibbles); }
  };
  struct ValueSum {
    Register sum;
    explicit ValueSum(int32_t group_sum) : sum(_mm256_set1_epi64x(static_cast<uint32_t>(-12 * group_sum))) {}
    void add(const Values& w, Register a) { sum = _mm256_dpbusd_avx_epi32(sum, w.shifted, a); }
    Register total() const { return sum; }
  };
  static Register dot16(Register sum, Register a, Register b) { return _mm256_dpwssd_avx_epi32(sum, a, b); }
};

}  // namespace

void fill_linear_avxvnni(LinearKernels& kernels) noexcept {
  kernels.int8 = x86::int8_product<AvxVnni>;
  kernels.int4 = x86::int4_product<AvxVnni>;
  kernels.mxfp4 = x86::mxfp4_product<AvxVnni>;
  kernels.scratch_bytes = x86::product_scratch<AvxVnni>;
}

}  // namespace linnet::kernels
