#include <doctest/doctest.h>

#include <limits>

#include "single.h"

using namespace linnet;
using namespace linnet::test;

TEST_CASE("a clamp keeps what lies in its range, NaN included") {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN(), kInfinity = std::numeric_limits<float>::infinity();
  Single single;
  const auto got = single.run<schema::Clamp>([](auto& builder) { return schema::CreateClamp(builder, -1.5f, 2); },
                                             {single.trial.input({-3, -1.5f, 0, 2, 2.5f, 1, -kInfinity, kInfinity, -1, kNan}, 2)}, 2);
  const std::vector<float> expected = {-1.5f, -1.5f, 0, 2, 2, 1, -1.5f, 2, -1};
  CHECK(std::vector<float>(got.begin(), got.end() - 1) == expected);
  CHECK(std::isnan(got.back()));
}

TEST_CASE("a clamp to an empty range is refused") {
  Single single;
  const uint32_t x = single.trial.input(random_numbers(kRows, 1), 1), out = single.trial.output(1);
  single.trial.operation<schema::Clamp>([](auto& builder) { return schema::CreateClamp(builder, 2, 1); }, {x}, {out});
  CHECK(single.trial.run_verified(out).find("from 2 to 1, expected a rising range") != std::string::npos);
}
