#include <doctest/doctest.h>

#include "single.h"

using namespace linnet;
using namespace linnet::test;

TEST_CASE("scale multiplies every number") {
  const auto x = random_numbers(kRows * 10, 13);
  Single scaled;
  check(scaled.run<schema::Scale>([](auto& builder) { return schema::CreateScale(builder, 1.5f); }, {scaled.trial.input(x, 10)}, 10),
        [&](size_t r, size_t c) { return 1.5 * static_cast<double>(x[r * 10 + c]); });
}
