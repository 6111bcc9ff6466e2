#include <doctest/doctest.h>

#include "trial.h"

using namespace linnet;
using namespace linnet::test;
using Numbers = std::vector<float>;
using Ids = std::vector<int32_t>;

namespace {

constexpr Rows kPatches = {.symbol = Symbol::patches};

/// Tokens 2, 3 and 1 of three sequences; id 7 stands for a row.
Numbers placed(const std::vector<uint32_t>& given, bool add, uint32_t threads = 1) {
  Trial trial;
  trial.sequences = 3;
  trial.threads = threads;
  trial.counts[Symbol::tokens] = {2, 3, 1};
  trial.counts[Symbol::patches] = given;
  size_t count = 0;
  for (uint32_t rows : given) count += rows;
  Numbers rows(count * 2);
  for (size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<float>(100 + i);
  const uint32_t x = trial.input(Numbers{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, 2), ids = trial.input(Ids{7, 1, 7, 2, 7, 7}, 1, 8);
  const uint32_t from = trial.input(rows, 2, kPatches), out = trial.output(2);
  trial.operation<schema::PlaceRows>([&](auto& builder) { return schema::CreatePlaceRows(builder, 7, add); }, {x, ids, from}, {out});
  REQUIRE(trial.run_verified(out) == "");
  return trial.result(out);
}

}  // namespace

TEST_CASE("tokens of one id get their own sequence's rows in order, or have them added") {
  for (const uint32_t threads : {1u, 3u}) {
    CHECK(placed({1, 2, 1}, false, threads) == Numbers{100, 101, 3, 4, 102, 103, 7, 8, 104, 105, 106, 107});
    CHECK(placed({1, 2, 1}, true, threads) == Numbers{101, 103, 3, 4, 107, 109, 7, 8, 113, 115, 117, 119});
  }
}

TEST_CASE("too few rows leave tokens as they are, and too many are not read") {
  CHECK(placed({0, 1, 0}, false) == Numbers{1, 2, 3, 4, 100, 101, 7, 8, 9, 10, 11, 12});
  CHECK(placed({3, 0, 2}, false) == Numbers{100, 101, 3, 4, 5, 6, 7, 8, 9, 10, 106, 107});
  CHECK(placed({0, 0, 0}, true) == Numbers{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12});
}

TEST_CASE("rows of another width and ids for other rows are refused") {
  const auto refusal = [](uint32_t columns, Rows ids_rows, Rows from_rows) {
    Trial trial;
    trial.counts[Symbol::tokens] = {2};
    trial.counts[Symbol::patches] = {1};
    const uint32_t x = trial.input(Numbers(4), 2), ids = trial.input(Ids(2), 1, 8, ids_rows);
    const uint32_t from = trial.input(Numbers(columns), columns, from_rows), out = trial.output(2);
    trial.operation<schema::PlaceRows>([](auto& builder) { return schema::CreatePlaceRows(builder, 7, false); }, {x, ids, from}, {out});
    return trial.run_verified(out);
  };
  CHECK(refusal(2, tokens(), kPatches) == "");
  CHECK(refusal(3, tokens(), kPatches).find("rows of 3 columns") != std::string::npos);
  CHECK(refusal(2, kPatches, kPatches).find("one row for each row") != std::string::npos);
  CHECK(refusal(2, tokens(), {.symbol = Symbol::none, .constant = 1}).find("no sequence") != std::string::npos);
}
