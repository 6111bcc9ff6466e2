#include <doctest/doctest.h>

#include <cmath>

#include "convert/pack.h"

using namespace linnet;
using namespace linnet::convert;

namespace {

using Matrix = std::vector<float>;

/// Three rows whose columns have these sizes.
Matrix columns_of(const std::vector<float>& sizes) {
  Matrix all;
  for (float sign : {1.0f, -1.0f, 1.0f})
    for (float size : sizes) all.push_back(sign * size);
  return all;
}

std::vector<float> factors(const std::vector<float>& sizes) {
  const Matrix matrix = columns_of(sizes);
  return fold_factors({&matrix}, static_cast<uint32_t>(sizes.size()));
}

}  // namespace

TEST_CASE("columns within a third and three times of the median stay, others come to the median") {
  CHECK(factors({1, 1, 1, 2.9f, 0.35f}) == std::vector<float>(5, 1));
  const std::vector<float> by = factors({1, 1, 1, 50, 0.01f});
  CHECK(by[0] == 1);
  CHECK(by[3] == doctest::Approx(1.0 / 50));
  CHECK(by[4] == doctest::Approx(100));
}

TEST_CASE("all consumers count together, by their root mean square") {
  const Matrix small = {1, 1, 1, 0.1f, 0.1f, 0.1f}, large = {1, 1, 20};  // two rows and one row of three columns
  const std::vector<float> by = fold_factors({&small, &large}, 3);
  const double usual = std::sqrt((1 + 0.01 + 1) / 3), outlying = std::sqrt((1 + 0.01 + 400) / 3);
  CHECK(by[0] == 1);
  CHECK(by[2] == doctest::Approx(usual / outlying));
}

TEST_CASE("columns of zeros stay, and factors keep within what f32 can undo") {
  CHECK(factors({1, 1, 1, 0}) == std::vector<float>(4, 1));
  CHECK(factors({0, 0, 0, 1}) == std::vector<float>(4, 1));
  const std::vector<float> by = factors({1, 1, 1, 1e-38f, 1e30f});
  CHECK(by[3] == 0x1p20f);
  CHECK(by[4] == 0x1p-20f);
}
