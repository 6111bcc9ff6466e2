#include <doctest/doctest.h>

#include "trial.h"

using namespace linnet;
using namespace linnet::test;
using Numbers = std::vector<float>;

TEST_CASE("a prepended row stands before each sequence's own, empty ones included") {
  Trial trial;
  trial.sequences = 3;
  trial.counts[Symbol::tokens] = {2, 0, 1};
  const int32_t row = trial.tensor("class", 1, 2, {-1, -2});
  const uint32_t x = trial.input(Numbers{1, 2, 3, 4, 5, 6}, 2);
  const uint32_t out = trial.output(2, {.symbol = Symbol::tokens, .per_sequence = 1});
  trial.operation<schema::Prepend>([&](auto& builder) { return schema::CreatePrepend(builder, row); }, {x}, {out});
  REQUIRE(trial.run_verified(out) == "");
  CHECK(trial.result(out) == Numbers{-1, -2, 1, 2, 3, 4, -1, -2, -1, -2, 5, 6});
}
