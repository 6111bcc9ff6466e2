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

TEST_CASE("the row of the last id that is the wanted one, or the last row of all") {
  Trial trial;
  trial.sequences = 4;
  trial.counts[Symbol::tokens] = {3, 0, 2, 1};
  const uint32_t x = trial.input(Numbers{1, -1, 2, -2, 3, -3, 4, -4, 5, -5, 6, -6}, 2),
                 ids = trial.input(std::vector<int32_t>{7, 7, 8, 1, 2, 7}, 1, 9), out = trial.output(2, sequences());
  trial.operation<schema::Pool>([](auto& builder) { return schema::CreatePool(builder, PoolKind::last_of, 7); }, {x, ids}, {out});
  REQUIRE(trial.run_verified(out) == "");
  CHECK(trial.result(out) == Numbers{2, -2, 0, 0, 5, -5, 6, -6});
}

TEST_CASE("ids that are not one for each row are refused") {
  Trial trial;
  const uint32_t x = trial.input(Numbers{}, 2), ids = trial.input(std::vector<int32_t>{}, 1, 9, sequences()),
                 out = trial.output(2, sequences());
  trial.operation<schema::Pool>([](auto& builder) { return schema::CreatePool(builder, PoolKind::last_of, 7); }, {x, ids}, {out});
  CHECK(std::string(trial.verify().message()).find("one for each row") != std::string::npos);
}
