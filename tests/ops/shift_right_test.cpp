#include <doctest/doctest.h>

#include "trial.h"

using namespace linnet;
using namespace linnet::test;
using Indices = std::vector<int32_t>;

namespace {

Indices shifted(const Trial& trial, uint32_t value) {
  Indices ids;
  for (float bits : trial.result(value)) {
    int32_t id;
    std::memcpy(&id, &bits, sizeof id);
    ids.push_back(id);
  }
  return ids;
}

std::string refusal(uint32_t first, uint32_t bound, uint32_t columns = 1, Rows rows = tokens()) {
  Trial trial;
  const uint32_t ids = trial.input(Indices{}, columns, bound, rows), out = trial.value(ValueType::index, columns, rows, bound);
  trial.operation<schema::ShiftRight>([&](auto& builder) { return schema::CreateShiftRight(builder, first); }, {ids}, {out});
  return trial.verify().message();
}

}  // namespace

TEST_CASE("each sequence's ids move one place to the right behind the given one") {
  Trial trial;
  trial.sequences = 4;
  trial.counts[Symbol::tokens] = {3, 0, 1, 2};
  const uint32_t ids = trial.input(Indices{5, 6, 2, 7, 8, 2}, 1, 9), out = trial.value(ValueType::index, 1, tokens(), 9);
  trial.operation<schema::ShiftRight>([](auto& builder) { return schema::CreateShiftRight(builder, 4); }, {ids}, {out});
  REQUIRE(std::string(trial.verify().message()) == "");
  trial.run();
  CHECK(shifted(trial, out) == Indices{4, 5, 6, 4, 4, 8});
}

TEST_CASE("an id beyond the bound, several columns and rows of no sequence are refused") {
  CHECK(refusal(8, 9) == "");
  CHECK(refusal(9, 9).find("first is 9 among ids below 9") != std::string::npos);
  CHECK(refusal(1, 9, 2).find("2 columns") != std::string::npos);
  CHECK(refusal(1, 9, 1, {.constant = 3}).find("no sequence") != std::string::npos);
}
