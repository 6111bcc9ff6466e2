#include <doctest/doctest.h>

#include "single.h"

using namespace linnet;
using namespace linnet::test;
using schema::Function;

TEST_CASE("a gate takes both halves of one value, or two values") {
  const auto gates = random_numbers(kRows * 13, 11), up = random_numbers(kRows * 13, 12);
  std::vector<float> fused;
  for (size_t r = 0; r < kRows; ++r) {
    fused.insert(fused.end(), gates.begin() + static_cast<long>(r * 13), gates.begin() + static_cast<long>((r + 1) * 13));
    fused.insert(fused.end(), up.begin() + static_cast<long>(r * 13), up.begin() + static_cast<long>((r + 1) * 13));
  }
  const auto create = [](auto& builder) { return schema::CreateGate(builder, Function::silu); };
  const auto expected = [&](size_t r, size_t column) {
    const double g = static_cast<double>(gates[r * 13 + column]);
    return g / (1 + std::exp(-g)) * static_cast<double>(up[r * 13 + column]);
  };
  Single one, two;
  const auto of_one = one.run<schema::Gate>(create, {one.trial.input(fused, 26)}, 13);
  const auto of_two = two.run<schema::Gate>(create, {two.trial.input(gates, 13), two.trial.input(up, 13)}, 13);
  check(of_one, expected);
  CHECK(of_one == of_two);
}
