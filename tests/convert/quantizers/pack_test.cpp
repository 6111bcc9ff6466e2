// Matrices into bytes and back. Where the bytes lie is written out here a second time, from the text of FORMAT.md.
#include "convert/pack.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <random>

#include "convert/checkpoint.h"
#include "core/half.h"

using namespace linnet;
using namespace linnet::convert;

namespace {

std::vector<float> numbers(size_t count, uint32_t seed = 1) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0, 0.5f);
  std::vector<float> all(count);
  for (float& value : all) value = normal(random);
  return all;
}

struct Shape {
  uint32_t rows, columns;
};
const Shape kShapes[] = {{1, 1}, {3, 7}, {8, 64}, {9, 65}, {16, 32}, {17, 172}, {5, 256}, {7, 257}, {2, 300}, {31, 520}};

float float_at(const Packed& packed, size_t at) {
  float value;
  std::memcpy(&value, packed.bytes.data() + at, sizeof value);
  return value;
}

size_t up(size_t value, size_t unit) { return (value + unit - 1) / unit * unit; }

}  // namespace

TEST_CASE("int8: every row has its own step, and each number is the nearest multiple of it") {
  for (const Shape& s : kShapes) {
    CAPTURE(s.rows);
    CAPTURE(s.columns);
    const std::vector<float> w = numbers(s.rows * s.columns);
    const Packed packed = pack("w", w, s.rows, s.columns, 1, Encoding::int8);
    const size_t width = up(s.columns, 64), panels = up(s.rows, 8) / 8;
    REQUIRE(packed.bytes.size() == panels * (8 * width + 32));
    size_t used = 0;
    for (size_t n = 0; n < s.rows; ++n) {
      double largest = 0;
      for (size_t k = 0; k < s.columns; ++k) largest = std::max(largest, std::fabs(double(w[n * s.columns + k])));
      const float step = float_at(packed, panels * 8 * width + 4 * n);
      CHECK(step == doctest::Approx(largest / 127).epsilon(1e-6));
      for (size_t k = 0; k < s.columns; ++k) {
        // Panels of 8 rows; lines of 64 bytes hold 8 columns of each row.
        const auto q = static_cast<int8_t>(packed.bytes[n / 8 * 8 * width + k / 8 * 64 + n % 8 * 8 + k % 8]);
        CHECK(q >= -127);
        CHECK(std::fabs(double(w[n * s.columns + k]) / step - q) < 0.5001);
        used += q != 0;
      }
    }
    size_t nonzero = 0;
    for (size_t i = 0; i < panels * 8 * width; ++i) nonzero += packed.bytes[i] != 0;
    CHECK(nonzero == used);  // padding is zero
    for (size_t n = s.rows; n < 8 * panels; ++n) CHECK(float_at(packed, panels * 8 * width + 4 * n) == 0);
  }
}

TEST_CASE("int4: bytes lie as FORMAT.md draws them and decode to R s q - M m") {
  for (const Shape& s : kShapes) {
    CAPTURE(s.rows);
    CAPTURE(s.columns);
    const std::vector<float> w = numbers(s.rows * s.columns, 2);
    const Packed packed = pack("w", w, s.rows, s.columns, 1, Encoding::int4);
    const size_t groups = up(s.columns, 64) / 32, panels = up(s.rows, 8) / 8;
    const size_t panel = 64 * (up(groups, 8) / 8) + 128 * groups, ends = panels * panel;
    REQUIRE(packed.bytes.size() == ends + panels * 64);
    CHECK(packed.group == 32);
    const std::vector<float> stored = unpack(packed, s.rows, s.columns, 1);
    for (size_t n = 0; n < s.rows; ++n)
      for (size_t k = 0; k < s.columns; ++k) {
        const size_t g = k / 32, block = n / 8 * panel + g / 8 * (64 + 8 * 128);  // a scale line, then 2 lines for each of 8 groups
        const uint8_t scale = packed.bytes[block + g % 8 * 8 + n % 8];
        const uint8_t pair = packed.bytes[block + 64 + g % 8 * 128 + k % 32 / 16 * 64 + n % 8 * 8 + k % 8];
        const double q = k % 16 < 8 ? pair & 15 : pair >> 4;
        const double R = float_at(packed, ends + 4 * n), M = float_at(packed, ends + 32 * panels + 4 * n);
        const double expected = R * ((scale & 15) + 1) * q - M * (scale >> 4);
        CHECK(std::fabs(stored[n * s.columns + k] - expected) <= 1e-6 * (std::fabs(expected) + 15 * M));
      }
  }
}

TEST_CASE("mxfp4: bytes lie as FORMAT.md draws them and decode to value 2^(e - 127)") {
  constexpr double kValues[] = {0, 0.5, 1, 1.5, 2, 3, 4, 6, 0, -0.5, -1, -1.5, -2, -3, -4, -6};
  for (const Shape& s : kShapes) {
    CAPTURE(s.rows);
    CAPTURE(s.columns);
    const std::vector<float> w = numbers(s.rows * s.columns, 2);
    const Packed packed = pack("w", w, s.rows, s.columns, 1, Encoding::mxfp4);
    const size_t groups = up(s.columns, 64) / 32, panel = 64 * (up(groups, 8) / 8) + 128 * groups;
    REQUIRE(packed.bytes.size() == up(s.rows, 8) / 8 * panel);
    CHECK(packed.group == 32);
    const std::vector<float> stored = unpack(packed, s.rows, s.columns, 1);
    for (size_t n = 0; n < s.rows; ++n)
      for (size_t k = 0; k < s.columns; ++k) {
        const size_t g = k / 32, block = n / 8 * panel + g / 8 * (64 + 8 * 128);
        const int exponent = packed.bytes[block + g % 8 * 8 + n % 8];
        const uint8_t pair = packed.bytes[block + 64 + g % 8 * 128 + k % 32 / 16 * 64 + n % 8 * 8 + k % 8];
        REQUIRE(stored[n * s.columns + k] == std::ldexp(kValues[k % 16 < 8 ? pair & 15 : pair >> 4], exponent - 127));
      }
  }
}

TEST_CASE("mxfp4 keeps blocks that are such floats already, whichever of their values occur") {
  constexpr float kValues[] = {0, 0.5f, 1, 1.5f, 2, 3, 4, 6};
  std::vector<float> w;
  for (int exponent : {-126, -60, -2, 0, 5, 120})
    for (int largest = 1; largest < 8; ++largest)
      for (int k = 0; k < 32; ++k)
        w.push_back(std::ldexp(k % 3 == 1 ? -kValues[k % (largest + 1)] : kValues[k == 0 ? largest : k * 5 % (largest + 1)], exponent));
  const uint32_t rows = static_cast<uint32_t>(w.size() / 32);
  CHECK(pack("w", w, rows, 32, 1, Encoding::mxfp4).squared_error == 0);
  CHECK(unpack(pack("w", w, rows, 32, 1, Encoding::mxfp4), rows, 32, 1) == w);
}

TEST_CASE("the damage is the squared error of what is stored over the squared weights") {
  for (Encoding encoding : {Encoding::f32, Encoding::f16, Encoding::bf16, Encoding::int8, Encoding::int4, Encoding::mxfp4}) {
    const std::vector<float> w = numbers(13 * 75, 3);
    const Packed packed = pack("w", w, 13, 75, 1, encoding);
    const std::vector<float> stored = unpack(packed, 13, 75, 1);
    double error = 0, whole = 0;
    for (size_t i = 0; i < w.size(); ++i) error += std::pow(double(stored[i]) - w[i], 2), whole += double(w[i]) * w[i];
    CHECK(packed.squared_error == doctest::Approx(error));
    CHECK(packed.squared_weight == doctest::Approx(whole));
    const double damage = error / whole;
    CHECK(damage <= (encoding == Encoding::f32     ? 0
                     : encoding == Encoding::f16   ? 1e-7
                     : encoding == Encoding::bf16  ? 1e-5
                     : encoding == Encoding::int8  ? 1e-4
                     : encoding == Encoding::mxfp4 ? 0.02
                                                   : 8e-3));
  }
}

TEST_CASE("f16 and bf16 keep each number as their own rounding has it") {
  const std::vector<float> w = {1, -0.1f, 65504, 0x1p-24f, 1e-9f, 0};
  const std::vector<float> half = unpack(pack("w", w, 2, 3, 1, Encoding::f16), 2, 3, 1),
                           brain = unpack(pack("w", w, 2, 3, 1, Encoding::bf16), 2, 3, 1);
  for (size_t i = 0; i < w.size(); ++i) {
    CHECK(half[i] == core::float_from_half(core::half_from_float(w[i])));
    CHECK(brain[i] == core::float_from_bfloat16(core::bfloat16_from_float(w[i])));
  }
}

TEST_CASE("stacked matrices are packed one by one") {
  for (Encoding encoding : {Encoding::f32, Encoding::int8, Encoding::int4, Encoding::mxfp4}) {
    const std::vector<float> w = numbers(3 * 5 * 40, 5);
    const std::vector<float> all = unpack(pack("w", w, 5, 40, 3, encoding), 5, 40, 3);
    for (size_t i = 0; i < 3; ++i) {
      const std::vector<float> part(w.begin() + static_cast<long>(i * 200), w.begin() + static_cast<long>((i + 1) * 200));
      const std::vector<float> alone = unpack(pack("w", part, 5, 40, 1, encoding), 5, 40, 1);
      CHECK(std::equal(alone.begin(), alone.end(), all.begin() + static_cast<long>(i * 200)));
    }
  }
}

TEST_CASE("packing a large matrix, shared between threads, is packing its rows") {
  const std::vector<float> w = numbers(300 * 256, 6);
  for (Encoding encoding : {Encoding::int8, Encoding::int4, Encoding::mxfp4}) {
    const std::vector<float> all = unpack(pack("w", w, 300, 256, 1, encoding), 300, 256, 1);
    for (size_t n : {0, 7, 8, 151, 152, 299}) {
      const std::vector<float> row(w.begin() + static_cast<long>(n * 256), w.begin() + static_cast<long>((n + 1) * 256));
      const std::vector<float> alone = unpack(pack("w", row, 1, 256, 1, encoding), 1, 256, 1);
      CHECK(std::equal(alone.begin(), alone.end(), all.begin() + static_cast<long>(n * 256)));
    }
  }
}

TEST_CASE("zero, constant and one-column matrices are stored exactly or nearly so") {
  for (Encoding encoding : {Encoding::int8, Encoding::int4}) {
    CHECK(pack("w", std::vector<float>(120, 0), 3, 40, 1, encoding).squared_error == 0);
    for (float c : {0.7f, -0.7f}) CHECK(pack("w", std::vector<float>(120, c), 3, 40, 1, encoding).squared_error < 1e-9);
    const Packed column = pack("w", {1, -2, 3, -4, 0}, 5, 1, 1, encoding);
    CHECK(column.squared_error < 1e-9);
    CHECK(unpack(column, 5, 1, 1)[4] == 0);
    // Too small to be told: nothing, and nothing that is not a number.
    for (float x : unpack(pack("w", std::vector<float>(40, 1e-40f), 1, 40, 1, encoding), 1, 40, 1)) CHECK(std::fabs(x) <= 1e-38f);
  }
}

TEST_CASE("the largest numbers survive") {
  std::vector<float> w = numbers(64, 8);
  for (float& x : w) x *= 1e38f;
  for (Encoding encoding : {Encoding::int8, Encoding::int4, Encoding::mxfp4}) {
    const Packed packed = pack("w", w, 1, 64, 1, encoding);
    CHECK(packed.squared_error < (encoding == Encoding::mxfp4 ? 0.02 : 0.01) * packed.squared_weight);
  }
}

TEST_CASE("what cannot be stored is refused by the tensor's name") {
  for (Encoding encoding : {Encoding::f32, Encoding::f16, Encoding::int8, Encoding::int4, Encoding::mxfp4})
    for (float bad : {NAN, INFINITY, -INFINITY}) {
      std::vector<float> w = numbers(6);
      w[4] = bad;
      CHECK_THROWS_WITH_AS(pack("culprit", w, 2, 3, 1, encoding), doctest::Contains("culprit: holds a number that is not finite"), Error);
    }
  CHECK_THROWS_WITH_AS(pack("culprit", {1, 70000}, 1, 2, 1, Encoding::f16), doctest::Contains("culprit: holds 70000"), Error);
  CHECK_THROWS_WITH_AS(pack("culprit", {1}, 0, 1, 1, Encoding::int8), doctest::Contains("culprit"), Error);
  CHECK_THROWS_WITH_AS(pack("culprit", {1}, 1, 65537, 1, Encoding::int8), doctest::Contains("cannot be stored as int8"), Error);
  CHECK_THROWS_WITH_AS(pack("culprit", {1}, 1, 2, 1, Encoding::f32), doctest::Contains("culprit: has 1 numbers"), Error);
  CHECK_THROWS_WITH_AS(pack("culprit", {1, 2}, 1, 2, 1, Encoding::int4, {1}), doctest::Contains("importance"), Error);
}
