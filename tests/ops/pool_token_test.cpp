#include <doctest/doctest.h>

#include "trial.h"

using namespace linnet;
using namespace linnet::test;
using Numbers = std::vector<float>;
using Ids = std::vector<int32_t>;

namespace {

Numbers pooled(int32_t id) {
  Trial trial;
  trial.sequences = 4;
  trial.counts[Symbol::tokens] = {3, 0, 2, 2};
  const uint32_t x = trial.input(Numbers{1, 2, 3, 4, 5, 6, 7}, 1), ids = trial.input(Ids{4, 9, 9, 3, 1, 5, 5}, 1, 10);
  const uint32_t out = trial.output(1, sequences());
  trial.operation<schema::PoolToken>([&](auto& builder) { return schema::CreatePoolToken(builder, id); }, {x, ids}, {out});
  REQUIRE(trial.run_verified(out) == "");
  return trial.result(out);
}

}  // namespace

TEST_CASE("the first token of an id is taken, else the first of all, or the one with the largest id") {
  CHECK(pooled(9) == Numbers{2, 0, 4, 6});
  CHECK(pooled(1) == Numbers{1, 0, 5, 6});
  CHECK(pooled(-1) == Numbers{2, 0, 4, 6});
}

TEST_CASE("ids for other rows are refused") {
  Trial trial;
  trial.counts[Symbol::tokens] = {1};
  const uint32_t x = trial.input(Numbers{1}, 1), ids = trial.input(Ids{1}, 1, 2, {.symbol = Symbol::patches}),
                 out = trial.output(1, sequences());
  trial.operation<schema::PoolToken>([](auto& builder) { return schema::CreatePoolToken(builder, 1); }, {x, ids}, {out});
  CHECK(trial.run_verified(out).find("one row for each row") != std::string::npos);
}
