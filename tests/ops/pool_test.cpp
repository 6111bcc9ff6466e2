#include <doctest/doctest.h>

#include <cmath>

#include "trial.h"

using namespace linnet;
using namespace linnet::test;
using schema::PoolKind;
using Numbers = std::vector<float>;

TEST_CASE("pooling makes one row of each sequence and zeros of an empty one") {
  const auto pooled = [](PoolKind kind, format::Rows rows, std::vector<uint32_t> lengths) {
    Trial trial;
    trial.sequences = lengths.size();
    trial.threads = 2;
    trial.counts[Symbol::tokens] = lengths;
    const uint32_t x = trial.input(Numbers{1, -2, 3, 4, 8, -7, 9, 9}, 2, rows), out = trial.output(2, sequences());
    trial.operation<schema::Pool>([&](auto& builder) { return schema::CreatePool(builder, kind); }, {x}, {out});
    REQUIRE(trial.run_verified(out) == "");
    return trial.result(out);
  };
  const std::vector<uint32_t> lengths = {3, 0, 1};
  CHECK(pooled(PoolKind::first, tokens(), lengths) == Numbers{1, -2, 0, 0, 9, 9});
  CHECK(pooled(PoolKind::last, tokens(), lengths) == Numbers{8, -7, 0, 0, 9, 9});
  CHECK(pooled(PoolKind::max, tokens(), lengths) == Numbers{8, 4, 0, 0, 9, 9});
  const Numbers mean = pooled(PoolKind::mean, tokens(), lengths), root = pooled(PoolKind::mean_sqrt, tokens(), lengths);
  CHECK(mean[0] == doctest::Approx(4));
  CHECK(mean[1] == doctest::Approx(-5.0 / 3));
  CHECK(root[0] == doctest::Approx(12 / std::sqrt(3.0)));
  CHECK(root[4] == 9);
  // Two rows of each sequence whatever it brings.
  CHECK(pooled(PoolKind::last, {.per_sequence = 2}, {1, 1}) == Numbers{3, 4, 9, 9});
}
