// Every product and sum is rounded to float in the order written, as the format's reference does it; no fused operation may come in
// between (the build says -ffp-contract=off).
#include "convert/readers/gguf_blocks.h"

#include <fmt/format.h>

#include <bit>
#include <cmath>
#include <utility>

#include "convert/checkpoint.h"
#include "core/half.h"

namespace linnet::convert {
namespace {

uint16_t u16(const uint8_t* at) { return static_cast<uint16_t>(at[0] | at[1] << 8); }
uint32_t u32(const uint8_t* at) {
  return at[0] | static_cast<uint32_t>(at[1]) << 8 | static_cast<uint32_t>(at[2]) << 16 | static_cast<uint32_t>(at[3]) << 24;
}
float half(const uint8_t* at) { return core::float_from_half(u16(at)); }

// The nibbles of 32 values: the low ones first, then the high ones.
int nibble(const uint8_t* packed, int i) { return i < 16 ? packed[i] & 15 : packed[i - 16] >> 4; }
int fifth_bit(uint32_t bits, int i) { return static_cast<int>(bits >> i & 1) << 4; }

void f32(const uint8_t* b, float* y) { *y = std::bit_cast<float>(u32(b)); }
void f16(const uint8_t* b, float* y) { *y = half(b); }
void bf16(const uint8_t* b, float* y) { *y = std::bit_cast<float>(static_cast<uint32_t>(u16(b)) << 16); }

void q8_0(const uint8_t* b, float* y) {
  const float d = half(b);
  for (int i = 0; i < 32; ++i) y[i] = d * static_cast<float>(static_cast<int8_t>(b[2 + i]));
}

void q4_0(const uint8_t* b, float* y) {
  const float d = half(b);
  for (int i = 0; i < 32; ++i) y[i] = d * static_cast<float>(nibble(b + 2, i) - 8);
}

void q4_1(const uint8_t* b, float* y) {
  const float d = half(b), m = half(b + 2);
  for (int i = 0; i < 32; ++i) y[i] = d * static_cast<float>(nibble(b + 4, i)) + m;
}

void q5_0(const uint8_t* b, float* y) {
  const float d = half(b);
  const uint32_t high = u32(b + 2);
  for (int i = 0; i < 32; ++i) y[i] = d * static_cast<float>((nibble(b + 6, i) | fifth_bit(high, i)) - 16);
}

void q5_1(const uint8_t* b, float* y) {
  const float d = half(b), m = half(b + 2);
  const uint32_t high = u32(b + 4);
  for (int i = 0; i < 32; ++i) y[i] = d * static_cast<float>(nibble(b + 8, i) | fifth_bit(high, i)) + m;
}

void iq4_nl(const uint8_t* b, float* y) {
  constexpr int8_t kLevels[16] = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};
  const float d = half(b);
  for (int i = 0; i < 32; ++i) y[i] = d * static_cast<float>(kLevels[nibble(b + 2, i)]);
}

// OCP microscaling: a power of two for 32 four-bit floats.
void mxfp4(const uint8_t* b, float* y) {
  constexpr float kLevels[8] = {0, 0.5f, 1, 1.5f, 2, 3, 4, 6};
  for (int i = 0; i < 32; ++i) {
    const int code = nibble(b + 1, i);
    const float level = code & 8 ? -kLevels[code & 7] : kLevels[code & 7];
    y[i] = std::ldexp(level, b[0] - 127);
  }
}

// 256 values: i = 128 n + 32 j + l, groups of 16 and of 32.
template <class Value>
void for_each_of_256(float* y, Value value) {
  for (int n = 0; n < 2; ++n)
    for (int j = 0; j < 4; ++j)
      for (int l = 0; l < 32; ++l, ++y) *y = value(n, j, l, 8 * n + 2 * j + l / 16, 4 * n + j);
}

void q2_k(const uint8_t* b, float* y) {
  const float d = half(b + 80), least = half(b + 82);
  for_each_of_256(y, [&](int n, int j, int l, int g, int) {
    const int q = b[16 + 32 * n + l] >> 2 * j & 3;
    return (d * static_cast<float>(b[g] & 15)) * static_cast<float>(q) - least * static_cast<float>(b[g] >> 4);
  });
}

void q3_k(const uint8_t* b, float* y) {
  const float d = half(b + 108);
  const uint8_t* scales = b + 96;
  for_each_of_256(y, [&](int n, int j, int l, int g, int) {
    const int q = (b[32 + 32 * n + l] >> 2 * j & 3) - (b[l] >> (4 * n + j) & 1 ? 0 : 4);
    const int low = g < 8 ? scales[g] & 15 : scales[g - 8] >> 4, high = scales[8 + g % 4] >> 2 * (g / 4) & 3;
    return (d * static_cast<float>((low | high << 4) - 32)) * static_cast<float>(q);
  });
}

struct ScaleAndLeast {
  int scale, least;
};
// Eight pairs of 6 bits in 12 bytes.
ScaleAndLeast six_bits(const uint8_t* s, int i) {
  if (i < 4) return {s[i] & 63, s[i + 4] & 63};
  return {(s[i + 4] & 15) | s[i - 4] >> 6 << 4, s[i + 4] >> 4 | s[i] >> 6 << 4};
}

void q4_k(const uint8_t* b, float* y) {
  const float d = half(b), least = half(b + 2);
  for_each_of_256(y, [&](int, int, int l, int, int s) {
    const uint8_t pair = b[16 + 32 * (s / 2) + l];
    const ScaleAndLeast group = six_bits(b + 4, s);
    return (d * static_cast<float>(group.scale)) * static_cast<float>(s % 2 ? pair >> 4 : pair & 15) -
           least * static_cast<float>(group.least);
  });
}

void q5_k(const uint8_t* b, float* y) {
  const float d = half(b), least = half(b + 2);
  for_each_of_256(y, [&](int, int, int l, int, int s) {
    const uint8_t pair = b[48 + 32 * (s / 2) + l];
    const ScaleAndLeast group = six_bits(b + 4, s);
    const int q = (s % 2 ? pair >> 4 : pair & 15) + (b[16 + l] >> s & 1 ? 16 : 0);
    return (d * static_cast<float>(group.scale)) * static_cast<float>(q) - least * static_cast<float>(group.least);
  });
}

void q6_k(const uint8_t* b, float* y) {
  const float d = half(b + 208);
  for_each_of_256(y, [&](int n, int j, int l, int g, int) {
    const uint8_t pair = b[64 * n + 32 * (j % 2) + l];
    const int q = ((j < 2 ? pair & 15 : pair >> 4) | (b[128 + 32 * n + l] >> 2 * j & 3) << 4) - 32;
    return (d * static_cast<float>(static_cast<int8_t>(b[192 + g]))) * static_cast<float>(q);
  });
}

template <void (*block)(const uint8_t*, float*), uint32_t values, uint32_t bytes>
void each(const uint8_t* from, size_t blocks, float* to) {
  for (; blocks > 0; --blocks, from += bytes, to += values) block(from, to);
}

template <void (*block)(const uint8_t*, float*), uint32_t values, uint32_t bytes>
constexpr GgufType type(uint32_t id, const char* name) {
  return {id, name, values, bytes, each<block, values, bytes>};
}

constexpr GgufType kTypes[] = {
    type<f32, 1, 4>(0, "f32"),          type<f16, 1, 2>(1, "f16"),        type<q4_0, 32, 18>(2, "q4_0"),
    type<q4_1, 32, 20>(3, "q4_1"),      type<q5_0, 32, 22>(6, "q5_0"),    type<q5_1, 32, 24>(7, "q5_1"),
    type<q8_0, 32, 34>(8, "q8_0"),      type<q2_k, 256, 84>(10, "q2_k"),  type<q3_k, 256, 110>(11, "q3_k"),
    type<q4_k, 256, 144>(12, "q4_k"),   type<q5_k, 256, 176>(13, "q5_k"), type<q6_k, 256, 210>(14, "q6_k"),
    type<iq4_nl, 32, 18>(20, "iq4_nl"), type<bf16, 1, 2>(30, "bf16"),     type<mxfp4, 32, 17>(39, "mxfp4"),
};

// Types that exist but are not read, for the error's sake.
constexpr std::pair<uint32_t, const char*> kOthers[] = {
    {4, "q4_2"},   {5, "q4_3"},   {9, "q8_1"},   {15, "q8_k"},   {16, "iq2_xxs"}, {17, "iq2_xs"}, {18, "iq3_xxs"},
    {19, "iq1_s"}, {21, "iq3_s"}, {22, "iq2_s"}, {23, "iq4_xs"}, {24, "i8"},      {25, "i16"},    {26, "i32"},
    {27, "i64"},   {28, "f64"},   {29, "iq1_m"}, {34, "tq1_0"},  {35, "tq2_0"},   {40, "nvfp4"},
};

}  // namespace

const GgufType& gguf_type(uint32_t id, const std::string& what) {
  for (const GgufType& type : kTypes)
    if (type.id == id) return type;
  std::string read;
  for (const GgufType& type : kTypes) read += (read.empty() ? "" : ", ") + std::string(type.name);
  for (const auto& [other, name] : kOthers)
    if (other == id) throw Error(fmt::format("{} is stored as {}, which is not read (expected one of {})", what, name, read));
  throw Error(fmt::format("{} is of type {}, which is not known (expected one of {})", what, id, read));
}

void expand_blocks(const GgufType& type, const uint8_t* bytes, size_t count, float* values) {
  type.expand(bytes, count / type.values, values);
}

}  // namespace linnet::convert
