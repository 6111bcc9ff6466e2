#include <doctest/doctest.h>

#include <cmath>

#include "trial.h"

using namespace linnet;
using namespace linnet::test;

TEST_CASE("rotary turns every head's first channels, in halves or pairs, on every level and thread count") {
  const auto x = random_numbers(5 * 3 * 10, 1);
  for (bool pairs : {false, true})
    for (kernels::Level level : {kernels::Level::portable, kernels::best().level}) {
      Trial trial;
      trial.level = level;
      trial.threads = 2;
      trial.counts[Symbol::tokens] = {5};
      const uint32_t positions = trial.input(std::vector<int32_t>{4, 5, 6, 0, 1}, 1, 100), rows = trial.input(x, 30);
      const uint32_t angles = trial.output(6), out = trial.output(30);
      trial.operation<schema::RotaryAngles>([](auto& builder) { return schema::CreateRotaryAngles(builder, 6); }, {positions}, {angles});
      trial.operation<schema::Rotary>([&](auto& builder) { return schema::CreateRotary(builder, 10, pairs); }, {rows, angles}, {out});
      REQUIRE(trial.run_verified(out) == "");
      const auto got = trial.result(out);
      const int32_t at[] = {4, 5, 6, 0, 1};
      for (size_t row = 0; row < 5; ++row)
        for (size_t head = 0; head < 3; ++head) {
          const size_t base = row * 30 + head * 10;
          for (size_t i = 0; i < 3; ++i) {
            const double angle = at[row] * std::pow(10000.0, -2.0 * static_cast<double>(i) / 6);
            const size_t first = base + (pairs ? 2 * i : i), second = base + (pairs ? 2 * i + 1 : i + 3);
            REQUIRE(got[first] == doctest::Approx(x[first] * std::cos(angle) - x[second] * std::sin(angle)).epsilon(1e-5));
            REQUIRE(got[second] == doctest::Approx(x[second] * std::cos(angle) + x[first] * std::sin(angle)).epsilon(1e-5));
          }
          for (size_t i = 6; i < 10; ++i) REQUIRE(got[base + i] == x[base + i]);
        }
    }
}
