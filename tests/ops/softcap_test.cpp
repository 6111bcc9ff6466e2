#include <doctest/doctest.h>

#include "single.h"

using namespace linnet;
using namespace linnet::test;

TEST_CASE("a soft-cap bends numbers towards its bound") {
  const auto x = random_numbers(kRows * 10, 13);
  Single capped;
  check(capped.run<schema::Softcap>([](auto& builder) { return schema::CreateSoftcap(builder, 2.5f); }, {capped.trial.input(x, 10)}, 10),
        [&](size_t r, size_t c) { return 2.5 * std::tanh(static_cast<double>(x[r * 10 + c]) / 2.5); });
}
