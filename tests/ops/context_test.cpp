#include <doctest/doctest.h>

#include "ops/operations.h"
#include "trial.h"

using namespace linnet;
using namespace linnet::test;

TEST_CASE("row expressions mean the same however they are written") {
  using ops::same_rows;
  CHECK(same_rows({.symbol = Symbol::sequences}, {.per_sequence = 1}));
  CHECK(same_rows({.symbol = Symbol::sequences, .multiply = 4, .divide = 2, .constant = 3}, {.per_sequence = 2, .constant = 3}));
  CHECK(same_rows({.symbol = Symbol::tokens, .multiply = 6, .divide = 2}, {.symbol = Symbol::tokens, .multiply = 3}));
  CHECK(same_rows({.multiply = 5}, {.multiply = 1}));
  CHECK_FALSE(same_rows({.symbol = Symbol::tokens}, {.symbol = Symbol::patches}));
  CHECK_FALSE(same_rows({.symbol = Symbol::tokens}, {.symbol = Symbol::tokens, .per_sequence = 1}));
  CHECK(ops::is_symbol({.symbol = Symbol::tokens, .multiply = 2, .divide = 2}, Symbol::tokens));
  CHECK_FALSE(ops::is_symbol({.symbol = Symbol::tokens, .constant = 1}, Symbol::tokens));
}

TEST_CASE("rows and spans follow the expression for every sequence") {
  std::vector<format::Value> values = {
      {.columns = 1, .rows = {.symbol = Symbol::patches, .multiply = 6, .divide = 2, .per_sequence = 2, .constant = 5}}};
  const uint32_t prefix[] = {0, 4, 4, 7};
  const uint32_t* starts[format::kSymbols] = {};
  starts[static_cast<size_t>(Symbol::patches)] = prefix;
  uint64_t symbols[format::kSymbols] = {};
  symbols[static_cast<size_t>(Symbol::patches)] = 7;
  const format::Node node;
  const ops::RunContext context{node,    values,  {},      {},      {},     {},      kernels::table(kernels::Level::portable),
                                nullptr, nullptr, 0,       nullptr, 3,      symbols, starts,
                                nullptr, nullptr, nullptr, nullptr, nullptr};
  CHECK(context.rows(0) == 21 + 6 + 5);
  CHECK(context.span(0, 0).first == 0);
  CHECK(context.span(0, 0).count == 14);
  CHECK(context.span(0, 1).first == 14);
  CHECK(context.span(0, 1).count == 2);
  CHECK(context.span(0, 2).first == 16);
  CHECK(context.span(0, 2).count == 11);
}
