#include "convert/quantizers/int4.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "kernels/layout.h"

using namespace linnet;
using namespace linnet::convert;

namespace {

using Row = std::vector<float>;

Int4Row quantize(const Row& w, const Row& importance = {}) {
  Int4Row row;
  quantize_int4(w.data(), w.size(), kernels::padded_columns(w.size()), importance.empty() ? nullptr : importance.data(), &row);
  return row;
}

double value(const Int4Row& row, size_t k) { return double(row.R) * row.s[k / 32] * row.q[k] - double(row.M) * row.m[k / 32]; }

double error(const Row& w, const Int4Row& row, const Row& importance = {}) {
  double sum = 0;
  for (size_t k = 0; k < w.size(); ++k) sum += (importance.empty() ? 1.0 : importance[k]) * std::pow(w[k] - value(row, k), 2);
  return sum;
}

/// From the extremes, without any search: what quantization.md calls naive.
double naive_error(const Row& w) {
  const size_t groups = (w.size() + 31) / 32;
  std::vector<double> high(groups, -1e300), low(groups, 1e300);
  for (size_t k = 0; k < w.size(); ++k)
    high[k / 32] = std::max<double>(high[k / 32], w[k]), low[k / 32] = std::min<double>(low[k / 32], w[k]);
  double R = 0, M = 0;
  for (size_t g = 0; g < groups; ++g) {
    R = std::max(R, (high[g] + std::max(0.0, -low[g])) / 240);
    M = std::max(M, std::max(0.0, -low[g]) / 15);
  }
  double sum = 0;
  for (size_t k = 0; k < w.size(); ++k) {
    const double m = M > 0 ? std::clamp(std::round(-low[k / 32] / M), 0.0, 15.0) : 0;
    const double s = R > 0 ? std::clamp(std::ceil((high[k / 32] + m * M) / (15 * R)), 1.0, 16.0) : 1;
    const double q = R > 0 ? std::clamp(std::round((w[k] + m * M) / (R * s)), 0.0, 15.0) : 0;
    sum += std::pow(w[k] - (R * s * q - M * m), 2);
  }
  return sum;
}

/// Rows of many kinds: even, normal, one-sided, with outliers, with ranges that vary from group to group.
Row make(size_t columns, int kind, uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0, 1);
  std::uniform_real_distribution<float> even(-1, 1);
  Row w(columns);
  for (size_t k = 0; k < columns; ++k) {
    w[k] = kind == 0 ? even(random) : normal(random);
    if (kind == 2) w[k] = std::fabs(w[k]) + 0.3f;
    if (kind == 3) w[k] = -std::fabs(w[k]) - 0.3f;
    if (kind == 4 && k % 17 == 5) w[k] *= 30;
    if (kind == 5) w[k] *= std::exp(normal(random) * 0.1f + static_cast<float>(k / 32 % 5) - 2);
  }
  return w;
}

double squares(const Row& w) {
  double sum = 0;
  for (float x : w) sum += double(x) * x;
  return sum;
}

}  // namespace

TEST_CASE("the search never falls behind the naive start, and all integers stay in their ranges") {
  for (size_t columns : {1, 2, 31, 32, 33, 64, 95, 172, 256, 300, 520})
    for (int kind = 0; kind < 6; ++kind)
      for (uint32_t seed : {1u, 2u, 3u}) {
        CAPTURE(columns);
        CAPTURE(kind);
        const Row w = make(columns, kind, seed);
        const Int4Row row = quantize(w);
        CHECK(error(w, row) <= naive_error(w) * (1 + 1e-4) + 1e-9 * squares(w));
        CHECK(row.q.size() == kernels::padded_columns(columns));
        for (uint8_t q : row.q) CHECK(q <= 15);
        for (size_t k = columns; k < row.q.size(); ++k) CHECK(row.q[k] == 0);
        for (uint8_t s : row.s) CHECK((s >= 1 && s <= 16));
        for (uint8_t m : row.m) CHECK(m <= 15);
        CHECK(row.R >= 0);
        CHECK(row.M >= 0);
      }
}

TEST_CASE("normal weights lose what the design measured, not more") {
  double lost = 0, whole = 0;
  for (uint32_t seed = 1; seed <= 20; ++seed) {
    const Row w = make(512, 1, seed);
    lost += error(w, quantize(w));
    whole += squares(w);
  }
  CHECK(lost / whole < 0.0062);  // .0055 on trained rows of 512, .0072 for Q4_0
}

TEST_CASE("each integer is the nearest one for the row's R and M") {
  const Row w = make(100, 1, 9);
  const Int4Row row = quantize(w);
  for (size_t k = 0; k < w.size(); ++k) {
    const double step = double(row.R) * row.s[k / 32], shift = double(row.M) * row.m[k / 32];
    const double exact = std::clamp((w[k] + shift) / step, 0.0, 15.0);
    CHECK(std::fabs(exact - row.q[k]) <= 0.5001);
  }
}

TEST_CASE("constant rows come back as they were, zero rows as zeros") {
  for (size_t columns : {1, 32, 50, 64, 128})
    for (float c : {1.0f, -1.0f, 0.37f, -0.37f, 1e-20f, -1e-20f, 1e30f, -1e30f}) {
      const Row w(columns, c);
      const Int4Row row = quantize(w);
      CAPTURE(c);
      CAPTURE(columns);
      for (size_t k = 0; k < columns; ++k) CHECK(std::fabs(value(row, k) - c) <= 1e-6 * std::fabs(c));
    }
  for (float c : {0.0f, 1e-31f, -1e-38f}) {  // the last two are below what R and M could tell precisely
    const Int4Row row = quantize(Row(40, c));
    CHECK(row.R == 0);
    CHECK(row.M == 0);
  }
}

TEST_CASE("a row's size does not matter: the integers are the same at any power of two") {
  const Row w = make(172, 1, 4);
  const Int4Row plain = quantize(w);
  for (int exponent : {-90, -40, 3, 60, 120}) {
    Row scaled = w;
    for (float& x : scaled) x = std::ldexp(x, exponent);
    const Int4Row row = quantize(scaled);
    CHECK(row.q == plain.q);
    CHECK(row.s == plain.s);
    CHECK(row.m == plain.m);
    CHECK(row.R == std::ldexp(plain.R, exponent));
    CHECK(row.M == std::ldexp(plain.M, exponent));
  }
}

TEST_CASE("columns of more importance lose less") {
  const Row w = make(256, 1, 6);
  Row importance(256, 1);
  for (size_t k = 0; k < 256; k += 4) importance[k] = 200;
  auto of_important = [&](const Int4Row& row) {
    double sum = 0;
    for (size_t k = 0; k < 256; k += 4) sum += std::pow(w[k] - value(row, k), 2);
    return sum;
  };
  CHECK(of_important(quantize(w, importance)) < 0.8 * of_important(quantize(w)));
  CHECK(error(w, quantize(w, importance), importance) <= error(w, quantize(w), importance));
}
