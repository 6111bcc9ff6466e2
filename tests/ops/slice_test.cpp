#include <doctest/doctest.h>

#include "trial.h"

using namespace linnet;
using namespace linnet::test;
using Numbers = std::vector<float>;

TEST_CASE("slices and concatenations cut and join columns") {
  Trial trial;
  trial.counts[Symbol::tokens] = {2};
  const uint32_t x = trial.input(Numbers{1, 2, 3, 4, 5, 6, 7, 8}, 4);
  const uint32_t middle = trial.output(2), joined = trial.output(7);
  trial.operation<schema::Slice>([](auto& builder) { return schema::CreateSlice(builder, 1); }, {x}, {middle});
  const uint32_t last = trial.output(1);
  trial.operation<schema::Slice>([](auto& builder) { return schema::CreateSlice(builder, 3); }, {x}, {last});
  trial.operation<schema::Concat>([](auto& builder) { return schema::CreateConcat(builder); }, {middle, x, last}, {joined});
  REQUIRE(trial.run_verified(joined) == "");
  CHECK(trial.result(middle) == Numbers{2, 3, 6, 7});
  CHECK(trial.result(joined) == Numbers{2, 3, 1, 2, 3, 4, 4, 6, 7, 5, 6, 7, 8, 8});
}
