// Operations that move rows and columns, row expressions, and the bytes of values and pages.
#include <doctest/doctest.h>

#include <cmath>

#include "ops/operations.h"
#include "trial.h"

using namespace linnet;
using namespace linnet::test;
using schema::PoolKind;

namespace {

using Numbers = std::vector<float>;

void verified(Trial& trial, uint32_t out) {
  trial.wants(out);
  const Status status = trial.verify();
  REQUIRE_MESSAGE(status.ok(), status.message());
  trial.run();
}

}  // namespace

TEST_CASE("selected rows come in the order asked for, any number of times") {
  Trial trial;
  trial.sequences = 2;
  trial.counts[Symbol::tokens] = {1, 2};
  trial.counts[Symbol::outputs] = {1, 3};
  const uint32_t x = trial.input(Numbers{1, 2, 3, 4, 5, 6}, 2);
  const uint32_t rows = trial.input(std::vector<int32_t>{0, 2, 1, 2}, 1, 0, outputs(), schema::Role::output_rows);
  const uint32_t out = trial.output(2, outputs());
  trial.operation<schema::SelectRows>([](auto& builder) { return schema::CreateSelectRows(builder); }, {x, rows}, {out});
  verified(trial, out);
  CHECK(trial.result(out) == Numbers{1, 2, 5, 6, 3, 4, 5, 6});
}

TEST_CASE("a prepended row stands before each sequence's own, empty ones included") {
  Trial trial;
  trial.sequences = 3;
  trial.counts[Symbol::tokens] = {2, 0, 1};
  const int32_t row = trial.tensor("class", 1, 2, {-1, -2});
  const uint32_t x = trial.input(Numbers{1, 2, 3, 4, 5, 6}, 2);
  const uint32_t out = trial.output(2, {.symbol = Symbol::tokens, .per_sequence = 1});
  trial.operation<schema::Prepend>([&](auto& builder) { return schema::CreatePrepend(builder, row); }, {x}, {out});
  verified(trial, out);
  CHECK(trial.result(out) == Numbers{-1, -2, 1, 2, 3, 4, -1, -2, -1, -2, 5, 6});
}

TEST_CASE("pooling makes one row of each sequence and zeros of an empty one") {
  const auto pooled = [](PoolKind kind, format::Rows rows, std::vector<uint32_t> lengths) {
    Trial trial;
    trial.sequences = lengths.size();
    trial.threads = 2;
    trial.counts[Symbol::tokens] = lengths;
    const uint32_t x = trial.input(Numbers{1, -2, 3, 4, 8, -7, 9, 9}, 2, rows), out = trial.output(2, sequences());
    trial.operation<schema::Pool>([&](auto& builder) { return schema::CreatePool(builder, kind); }, {x}, {out});
    verified(trial, out);
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
  // Two rows of each sequence whatever its tokens: 0 tokens x 0 + 2 per sequence.
  CHECK(pooled(PoolKind::last, {.per_sequence = 2}, {1, 1}) == Numbers{3, 4, 9, 9});
}

TEST_CASE("slices and concatenations cut and join columns") {
  Trial trial;
  trial.counts[Symbol::tokens] = {2};
  const uint32_t x = trial.input(Numbers{1, 2, 3, 4, 5, 6, 7, 8}, 4);
  const uint32_t middle = trial.output(2), joined = trial.output(7);
  trial.operation<schema::Slice>([](auto& builder) { return schema::CreateSlice(builder, 1); }, {x}, {middle});
  const uint32_t last = trial.output(1);
  trial.operation<schema::Slice>([](auto& builder) { return schema::CreateSlice(builder, 3); }, {x}, {last});
  trial.operation<schema::Concat>([](auto& builder) { return schema::CreateConcat(builder); }, {middle, x, last}, {joined});
  verified(trial, joined);
  CHECK(trial.result(middle) == Numbers{2, 3, 6, 7});
  CHECK(trial.result(joined) == Numbers{2, 3, 1, 2, 3, 4, 4, 6, 7, 5, 6, 7, 8, 8});
}

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

TEST_CASE("values take whole lines of 64 bytes, quantized ones what their layout says") {
  CHECK(ops::value_bytes({.columns = 3, .rows = {}}, 5) == 64);
  CHECK(ops::value_bytes({.columns = 16, .rows = {}}, 3) == 192);
  CHECK(ops::value_bytes({.columns = 3, .rows = {}}, 0) == 0);
  CHECK(ops::value_bytes({.type = ValueType::index, .columns = 1, .rows = {}}, 17) == 128);
  // 70 columns are padded to 128: 3 rows of them, 3 scales and 3 sums in a line each, 3 x 4 group sums in a line.
  CHECK(ops::value_bytes({.type = ValueType::q8, .columns = 70, .rows = {}}, 3) == 3 * 128 + 64 + 64 + 64);
}

TEST_CASE("a page holds keys, values and int8 scales of every head, each from a multiple of 64 on") {
  format::State state;
  state.heads = 3;
  state.key_width = 20;
  state.value_width = 12;
  ops::StateLayout layout;
  CHECK(ops::lay_out_state(state, kernels::StateEncoding::f16, 128, &layout) == 128 + 3 * 64 * 40 + 3 * 64 * 24);
  CHECK(layout.keys == 128);
  CHECK(layout.values == 128 + 3 * 64 * 40);
  CHECK(layout.key_row == 40);
  CHECK(ops::lay_out_state(state, kernels::StateEncoding::int8, 0, &layout) == 3 * 64 * (20 + 12) + 2 * 3 * 256);
  CHECK(layout.key_scales == 3 * 64 * 32);
  CHECK(layout.value_scales == 3 * 64 * 32 + 3 * 256);
  state.value_width = 0;
  CHECK(ops::lay_out_state(state, kernels::StateEncoding::int8, 0, &layout) == 3 * 64 * 20 + 3 * 256);
  const std::vector<uint8_t> memory(3 * 64 * 20 + 3 * 256);
  const uint8_t* page = memory.data();
  CHECK(ops::key_rows(layout, page, 2).data == page + 2 * 64 * 20);
  CHECK(reinterpret_cast<const uint8_t*>(ops::key_rows(layout, page, 2).scale) == page + 3 * 64 * 20 + 2 * 256);
}

TEST_CASE("operations are found by number and by name, and unknown ones are not") {
  for (int type = 1; type <= static_cast<int>(schema::Options::MAX); ++type) {
    const ops::Operation* found = ops::operation(static_cast<schema::Options>(type));
    REQUIRE(found);
    const std::string name = schema::EnumNameOptions(static_cast<schema::Options>(type));
    CHECK(std::string(found->name) == "operation:" + name);
    CHECK(ops::operation_by_name(name) == found);
  }
  CHECK(ops::operation(schema::Options::NONE) == nullptr);
  CHECK(ops::operation(static_cast<schema::Options>(200)) == nullptr);
  CHECK(ops::operation_by_name("Dream") == nullptr);
  CHECK(ops::operation_by_name("") == nullptr);
}
