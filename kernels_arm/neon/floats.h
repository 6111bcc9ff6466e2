// Eight floats in two 128-bit registers, for lib/kernels/loops: as many partial sums as the portable kernels have, and enough
// of them to hide the latency of a multiply-add. In an anonymous namespace, as every level's are.
#pragma once

#include <arm_neon.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "kernels/loops/unroll.h"

namespace linnet::kernels {
namespace {

struct Floats {
  struct Register {
    float32x4_t low, high;
  };
  struct Mask {
    uint32x4_t low, high;
  };
  static constexpr size_t kLanes = 8;

  static Register zero() { return set(0.0f); }
  static Register set(float x) { return {vdupq_n_f32(x), vdupq_n_f32(x)}; }
  static Register load(const float* from) { return {vld1q_f32(from), vld1q_f32(from + 4)}; }
  static Register load_first(const float* from, size_t count) {
    const uint8_t* bytes = reinterpret_cast<const uint8_t*>(from);
    const size_t low = count < 4 ? count : 4;
    return {vreinterpretq_f32_u8(first_bytes(bytes, low * 4)), vreinterpretq_f32_u8(first_bytes(bytes + 16, (count - low) * 4))};
  }
  /// `Count` numbers, again and again.
  template <size_t Count>
  static Register repeated(const float* from) {
    if constexpr (Count == 8) return load(from);
    if constexpr (Count == 4) return {vld1q_f32(from), vld1q_f32(from)};
    const float32x2_t two = vld1_f32(from);
    return {vcombine_f32(two, two), vcombine_f32(two, two)};
  }
  static void store(float* to, Register x) {
    vst1q_f32(to, x.low);
    vst1q_f32(to + 4, x.high);
  }
  static void store_first(float* to, Register x, size_t count) {
    float whole[8];
    store(whole, x);
    std::memcpy(to, whole, count * sizeof(float));
  }

  static Register add(Register a, Register b) { return {vaddq_f32(a.low, b.low), vaddq_f32(a.high, b.high)}; }
  static Register subtract(Register a, Register b) { return {vsubq_f32(a.low, b.low), vsubq_f32(a.high, b.high)}; }
  static Register multiply(Register a, Register b) { return {vmulq_f32(a.low, b.low), vmulq_f32(a.high, b.high)}; }
  static Register divide(Register a, Register b) { return {vdivq_f32(a.low, b.low), vdivq_f32(a.high, b.high)}; }
  static Register multiply_add(Register a, Register b, Register sum) {
    return {vfmaq_f32(sum.low, a.low, b.low), vfmaq_f32(sum.high, a.high, b.high)};
  }
  // Where one of the two is NaN, b comes back (fmin and fmax would return the NaN).
  static Register minimum(Register a, Register b) { return choose(less(a, b), a, b); }
  static Register maximum(Register a, Register b) { return choose(less(b, a), a, b); }
  static Register absolute(Register x) { return {vabsq_f32(x.low), vabsq_f32(x.high)}; }
  static Register with_sign(Register magnitude, Register sign) {
    const uint32x4_t bit = vdupq_n_u32(0x80000000);
    return choose({bit, bit}, sign, magnitude);
  }
  static Register rounded(Register x) { return {vrndnq_f32(x.low), vrndnq_f32(x.high)}; }
  static Mask less(Register a, Register b) { return {vcltq_f32(a.low, b.low), vcltq_f32(a.high, b.high)}; }
  static Register choose(Mask mask, Register yes, Register no) {
    return {vbslq_f32(mask.low, yes.low, no.low), vbslq_f32(mask.high, yes.high, no.high)};
  }
  static Register zero_where_nan(Register x) { return choose({vceqq_f32(x.low, x.low), vceqq_f32(x.high, x.high)}, x, zero()); }

  /// x * 2^n for whole n in [-252, 252], in two steps, so that results may be denormal or infinite.
  static Register scaled(Register x, Register n) { return {scaled(x.low, n.low), scaled(x.high, n.high)}; }

  /// Lanes i and i ^ distance meet: the lower gets the sum, the upper lower - upper.
  static Register butterfly(Register x, size_t distance) {
    if (distance == 4) return {vaddq_f32(x.low, x.high), vsubq_f32(x.low, x.high)};
    return {butterfly(x.low, distance), butterfly(x.high, distance)};
  }

  /// The lanes' sum: i + (i ^ 4), then ^ 2, then ^ 1. joined_all does the same for 8 registers at once, sum l in lane l.
  static float joined(Register x) {
    const float32x4_t four = vaddq_f32(x.low, x.high);
    return vpadds_f32(vadd_f32(vget_low_f32(four), vget_high_f32(four)));
  }
  static Register joined_all(const Register* x) { return {joined_four(x), joined_four(x + 4)}; }
  static float largest(Register x) { return vmaxvq_f32(vmaxq_f32(x.low, x.high)); }

  static Register load_half(const uint8_t* from) { return from_halves(vld1q_u8(from)); }
  static Register load_bfloat16(const uint8_t* from) { return from_bfloat16s(vld1q_u8(from)); }
  static Register load_int8(const uint8_t* from) { return from_int8s(vld1_u8(from)); }
  static Register load_half_first(const uint8_t* from, size_t count) { return from_halves(first_bytes(from, count * 2)); }
  static Register load_bfloat16_first(const uint8_t* from, size_t count) { return from_bfloat16s(first_bytes(from, count * 2)); }
  static Register load_int8_first(const uint8_t* from, size_t count) { return from_int8s(vcreate_u8(below_eight(from, count))); }
  static void store_half_first(uint8_t* to, Register x, size_t count) {
    const float16x8_t halves = vcombine_f16(vcvt_f16_f32(x.low), vcvt_f16_f32(x.high));
    std::memcpy(to, &halves, count * 2);
  }
  /// x in [-127, 127], rounded to nearest even.
  static void store_int8_first(uint8_t* to, Register x, size_t count) {
    const int16x8_t words = vcombine_s16(vmovn_s32(vcvtnq_s32_f32(x.low)), vmovn_s32(vcvtnq_s32_f32(x.high)));
    const int8x8_t bytes = vmovn_s16(words);
    std::memcpy(to, &bytes, count);
  }

 private:
  /// Fewer than 8 bytes as one number. Piece by piece: a call of memcpy would have every sum in a loop saved around it.
  static uint64_t below_eight(const uint8_t* from, size_t count) {
    uint64_t bytes = 0;
    uint16_t two;
    uint32_t four;
    if (count & 1) bytes = from[count - 1];
    if (count & 2) {
      std::memcpy(&two, from + (count & 4), 2);
      bytes = bytes << 16 | two;
    }
    if (count & 4) {
      std::memcpy(&four, from, 4);
      bytes = bytes << 32 | four;
    }
    return bytes;
  }
  /// The first `count` of 16 bytes, zero behind them.
  static uint8x16_t first_bytes(const uint8_t* from, size_t count) {
    if (count >= 16) return vld1q_u8(from);
    if (count < 8) return vcombine_u8(vcreate_u8(below_eight(from, count)), vcreate_u8(0));
    return vcombine_u8(vld1_u8(from), vcreate_u8(below_eight(from + 8, count - 8)));
  }
  static Register from_halves(uint8x16_t bytes) {
    const float16x8_t eight = vreinterpretq_f16_u8(bytes);
    return {vcvt_f32_f16(vget_low_f16(eight)), vcvt_high_f32_f16(eight)};
  }
  static Register from_bfloat16s(uint8x16_t bytes) {
    const uint16x8_t eight = vreinterpretq_u16_u8(bytes);
    return {vreinterpretq_f32_u32(vshll_n_u16(vget_low_u16(eight), 16)), vreinterpretq_f32_u32(vshll_high_n_u16(eight, 16))};
  }
  static Register from_int8s(uint8x8_t bytes) {
    const int16x8_t eight = vmovl_s8(vreinterpret_s8_u8(bytes));
    return {vcvtq_f32_s32(vmovl_s16(vget_low_s16(eight))), vcvtq_f32_s32(vmovl_high_s16(eight))};
  }
  static float32x4_t scaled(float32x4_t x, float32x4_t n) {
    const int32x4_t whole = vcvtnq_s32_f32(n), half = vshrq_n_s32(whole, 1);
    return vmulq_f32(vmulq_f32(x, power(half)), power(vsubq_s32(whole, half)));
  }
  static float32x4_t power(int32x4_t exponent) { return vreinterpretq_f32_s32(vshlq_n_s32(vaddq_s32(exponent, vdupq_n_s32(127)), 23)); }
  // The upper lane's own number is subtracted by adding it with its sign turned.
  static float32x4_t butterfly(float32x4_t x, size_t distance) {
    const uint64x2_t odd = vdupq_n_u64(0x8000000000000000), second = vcombine_u64(vcreate_u64(0), vcreate_u64(0x8000000080000000));
    const float32x4_t partner = distance == 1 ? vrev64q_f32(x) : vextq_f32(x, x, 2);
    const uint32x4_t turned = veorq_u32(vreinterpretq_u32_f32(x), vreinterpretq_u32_u64(distance == 1 ? odd : second));
    return vaddq_f32(partner, vreinterpretq_f32_u32(turned));
  }
  static float32x4_t joined_two(Register a, Register b) {
    const float32x4_t fours_a = vaddq_f32(a.low, a.high), fours_b = vaddq_f32(b.low, b.high);
    return vaddq_f32(vcombine_f32(vget_low_f32(fours_a), vget_low_f32(fours_b)),
                     vcombine_f32(vget_high_f32(fours_a), vget_high_f32(fours_b)));
  }
  static float32x4_t joined_four(const Register* x) { return vpaddq_f32(joined_two(x[0], x[1]), joined_two(x[2], x[3])); }
};

}  // namespace
}  // namespace linnet::kernels
