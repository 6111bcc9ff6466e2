#include <doctest/doctest.h>

#include <cmath>

#include "trial.h"

using namespace linnet;
using namespace linnet::test;
using Numbers = std::vector<float>;
using Ids = std::vector<int32_t>;

namespace {

constexpr uint32_t kSide = 5, kColumns = 3;

Numbers embedded(const Ids& places, uint32_t threads = 1) {
  Trial trial;
  trial.threads = threads;
  trial.counts[Symbol::tokens] = {static_cast<uint32_t>(places.size() / 4)};
  const int32_t table = trial.tensor("positions", kSide * kSide, kColumns, random_numbers(kSide * kSide * kColumns, 9));
  const uint32_t at = trial.input(places, 4, 100, tokens(), schema::Role::image_positions), out = trial.output(kColumns);
  trial.operation<schema::GridEmbed>([&](auto& builder) { return schema::CreateGridEmbed(builder, table, kSide); }, {at}, {out});
  REQUIRE(trial.run_verified(out) == "");
  return trial.result(out);
}

}  // namespace

TEST_CASE("a picture as large as the table has its rows, and any other their blend") {
  const Numbers table = random_numbers(kSide * kSide * kColumns, 9);
  for (const auto& [rows, columns] : {std::pair{5, 5}, {1, 1}, {2, 9}, {12, 7}, {1, 3}}) {
    Ids places;
    for (int r = 0; r < rows; ++r)
      for (int c = 0; c < columns; ++c) places.insert(places.end(), {r, c, rows, columns});
    const Numbers got = embedded(places);
    CHECK(embedded(places, 3) == got);
    for (int r = 0; r < rows; ++r)
      for (int c = 0; c < columns; ++c)
        for (size_t k = 0; k < kColumns; ++k) {
          const double y = rows > 1 ? 4.0 * r / (rows - 1) : 0, x = columns > 1 ? 4.0 * c / (columns - 1) : 0;
          double expected = 0;
          for (int ty = 0; ty < 5; ++ty)
            for (int tx = 0; tx < 5; ++tx)
              expected += std::max(0.0, 1 - std::fabs(y - ty)) * std::max(0.0, 1 - std::fabs(x - tx)) *
                          table[static_cast<size_t>(ty * 5 + tx) * kColumns + k];
          REQUIRE(got[static_cast<size_t>(r * columns + c) * kColumns + k] == doctest::Approx(expected).epsilon(1e-5));
        }
  }
}

TEST_CASE("places outside of their picture are those at its edge") {
  CHECK(embedded({90, 0, 3, 1, 0, 90, 1, 3, 50, 50, 0, 0}) == embedded({2, 0, 3, 1, 0, 2, 1, 3, 0, 0, 1, 1}));
}

TEST_CASE("tables that are not square and places of another width are refused") {
  const auto refusal = [](uint32_t rows, uint32_t side, uint32_t columns) {
    Trial trial;
    trial.counts[Symbol::tokens] = {1};
    const int32_t table = trial.tensor("positions", rows, 2, Numbers(rows * 2));
    const uint32_t at = trial.input(Ids(columns), columns, 100, tokens(), schema::Role::image_positions), out = trial.output(2);
    trial.operation<schema::GridEmbed>([&](auto& builder) { return schema::CreateGridEmbed(builder, table, side); }, {at}, {out});
    return trial.run_verified(out);
  };
  CHECK(refusal(9, 3, 4) == "");
  CHECK(refusal(8, 3, 4) != "");
  CHECK(refusal(9, 3, 3).find("3 columns, expected 4") != std::string::npos);
  CHECK(refusal(9, 0, 4).find("a side of 0") != std::string::npos);
  CHECK(refusal(9, 1u << 16, 4) != "");
}
