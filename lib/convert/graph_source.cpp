// The verbs of encoder-decoders: what an encode program reads and leaves to decode programs, and what their heads and positions need.
#include <fmt/format.h>

#include <cmath>

#include "convert/graph.h"

namespace linnet::convert {

using schema::ValueType;

Value Graph::source_ids(uint32_t vocabulary) {
  return input(schema::Role::source_ids, "input_ids", ValueType::index, 1, source_tokens(), vocabulary);
}

Value Graph::source_positions(uint32_t bound) {
  return input(schema::Role::source_positions, "position_ids", ValueType::index, 1, source_tokens(), bound);
}

Cache Graph::source_state(uint32_t layer, uint32_t heads, uint32_t width) {
  states_.push_back({fmt::format("source of layer {}", layer), schema::StateKind::source, layer, heads, width, width, 0});
  return {static_cast<uint32_t>(states_.size() - 1), heads, width, width};
}

Value Graph::ngram_attention(Value query, Value bias, const Cache& cache, const NgramOptions& options) {
  const std::string name = current().value_names[query.index];
  expect_columns(name, query.columns, options.heads * options.width);
  if (bias.columns % options.heads != 0)
    throw Error(
        fmt::format("{} has {} columns, expected a multiple of {} heads", current().value_names[bias.index], bias.columns, options.heads));
  std::vector<Value> inputs = {query, bias};
  const bool own = options.own_key.index != UINT32_MAX;
  if (own) inputs.insert(inputs.end(), {options.own_key, options.own_value});
  Value out = add_value(name + " attention", ValueType::f32, options.heads * cache.value_width, rows(query));
  const auto scale = static_cast<float>(1 / std::sqrt(static_cast<double>(options.width)));
  auto made = schema::CreateNgramAttention(builder_, cache.index, options.heads, options.width, cache.value_width, scale,
                                           options.relative_distance, own);
  operation(schema::Options::NgramAttention, made, std::move(inputs), {out}).state = static_cast<int32_t>(cache.index);
  return out;
}

Value Graph::pool_last_of(Value x, Value ids, uint32_t id) {
  Value out = add_value(fmt::format("last row of id {}", id), ValueType::f32, x.columns, sequences());
  operation(schema::Options::Pool, schema::CreatePool(builder_, schema::PoolKind::last_of, id), {x, ids}, {out});
  return out;
}

Value Graph::shift_right(Value ids, uint32_t first) {
  const format::Value& from = current().values[ids.index];
  if (first >= from.bound) throw Error(fmt::format("id {} is not one of a vocabulary of {}", first, from.bound));
  Value out = add_value("shifted ids", ValueType::index, 1, from.rows, from.bound);
  operation(schema::Options::ShiftRight, schema::CreateShiftRight(builder_, first), {ids}, {out});
  return out;
}

Value Graph::add_row(Value x, const std::string& table, uint32_t row) {
  expect_columns("tensor " + table, size(table, 1), x.columns);
  if (row >= size(table, 0)) throw Error(fmt::format("tensor {} has {} rows, expected at least {}", table, size(table, 0), row + 1));
  const std::vector<float> all = weights_.read(table);
  const auto first = all.begin() + static_cast<ptrdiff_t>(size_t{row} * x.columns);
  const auto constant = static_cast<int32_t>(weights_.values(fmt::format("{} row {}", table, row), {first, first + x.columns}));
  Value out = add_value("sum", ValueType::f32, x.columns, rows(x));
  operation(schema::Options::BinaryConstant, schema::CreateBinaryConstant(builder_, schema::BinaryFunction::add, constant), {x}, {out})
      .tensor = constant;
  return out;
}

Value Graph::embed_numbers(Value ids, const std::string& name, uint32_t columns, std::vector<float> numbers) {
  const uint32_t tensor = weights_.table(name, columns, std::move(numbers));
  Value out = add_value(name, ValueType::f32, columns, rows(ids));
  operation(schema::Options::Embed, schema::CreateEmbed(builder_, static_cast<int32_t>(tensor)), {ids}, {out}).tensor =
      static_cast<int32_t>(tensor);
  return out;
}

}  // namespace linnet::convert
