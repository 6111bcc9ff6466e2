#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <random>

#include "convert/pack.h"

using namespace linnet;
using namespace linnet::convert;

TEST_CASE("the turn multiplies blocks of columns by the Sylvester matrix over the root of its size") {
  for (uint32_t block : {16u, 32u, 64u}) {
    const uint32_t columns = 2 * block, rows = 3;
    std::mt19937 random(block);
    std::normal_distribution<float> normal(0, 1);
    std::vector<float> w(rows * columns);
    for (float& x : w) x = normal(random);
    std::vector<float> turned = w;
    turn_columns(turned, columns, block);
    for (uint32_t i = 0; i < w.size(); ++i) {
      double expected = 0;
      for (uint32_t j = 0; j < block; ++j)  // H[j][c] is -1 where j and c share an odd number of bits
        expected += (std::popcount(j & (i % block)) % 2 ? -1.0 : 1.0) * w[i / block * block + j] / std::sqrt(double(block));
      CHECK(turned[i] == doctest::Approx(expected).epsilon(1e-5));
    }
    turn_columns(turned, columns, block);  // its own inverse
    for (size_t i = 0; i < w.size(); ++i) CHECK(turned[i] == doctest::Approx(w[i]).epsilon(1e-5));
  }
}

TEST_CASE("turned weights times a turned input are the plain product") {
  std::mt19937 random(3);
  std::normal_distribution<float> normal(0, 1);
  std::vector<float> w(5 * 192), x(192);
  for (float& value : w) value = normal(random);
  for (float& value : x) value = normal(random);
  std::vector<float> w2 = w, x2 = x;
  turn_columns(w2, 192, 64);
  turn_columns(x2, 192, 64);
  for (size_t n = 0; n < 5; ++n) {
    double plain = 0, turned = 0;
    for (size_t k = 0; k < 192; ++k) plain += double(w[n * 192 + k]) * x[k], turned += double(w2[n * 192 + k]) * x2[k];
    CHECK(turned == doctest::Approx(plain).epsilon(1e-4));
  }
}

TEST_CASE("blocks are 64 where that divides the width, else the largest power of two from 16") {
  CHECK(turn_block(64) == 64);
  CHECK(turn_block(1280) == 64);
  CHECK(turn_block(96) == 32);
  CHECK(turn_block(176) == 16);
  CHECK(turn_block(172) == 0);
  CHECK(turn_block(8) == 0);
  CHECK(turn_block(1) == 0);
}
