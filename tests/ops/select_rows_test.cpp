#include <doctest/doctest.h>

#include "trial.h"

using namespace linnet;
using namespace linnet::test;
using Numbers = std::vector<float>;

TEST_CASE("selected rows come in the order asked for, any number of times") {
  Trial trial;
  trial.sequences = 2;
  trial.counts[Symbol::tokens] = {1, 2};
  trial.counts[Symbol::outputs] = {1, 3};
  const uint32_t x = trial.input(Numbers{1, 2, 3, 4, 5, 6}, 2);
  const uint32_t rows = trial.input(std::vector<int32_t>{0, 2, 1, 2}, 1, 0, outputs(), schema::Role::output_rows);
  const uint32_t out = trial.output(2, outputs());
  trial.operation<schema::SelectRows>([](auto& builder) { return schema::CreateSelectRows(builder); }, {x, rows}, {out});
  REQUIRE(trial.run_verified(out) == "");
  CHECK(trial.result(out) == Numbers{1, 2, 5, 6, 3, 4, 5, 6});
}
