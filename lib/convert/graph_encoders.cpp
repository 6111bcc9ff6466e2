// Verbs of encoders that are not BERT's: positions that pass over padding and a row added to all (RoBERTa), tables by relative position
// (DeBERTa), tokens that are global (Longformer).
#include "convert/graph.h"

namespace linnet::convert {

using schema::Feature;

void Graph::padding_positions(uint32_t id) {
  current().padding_id = static_cast<int32_t>(id);
  features_.insert(Feature::padding_positions);
}

Value Graph::add_row(Value x, const std::string& row) {
  const int32_t tensor = static_cast<int32_t>(weights_.vector({row}, x.columns));
  Value out = add_value(row, schema::ValueType::f32, x.columns, rows(x));
  const auto made = schema::CreateBinaryConstant(builder_, schema::BinaryFunction::add, tensor);
  operation(schema::Options::BinaryConstant, made, {x}, {out}).tensor = tensor;
  return out;
}

Value Graph::attention(Value query, Value keys, Value values, const AttentionOptions& options, const RelativeTables& tables) {
  expect_own_keys(keys, values, options);
  const auto add = [&](const char* which, const std::vector<float>& numbers) {
    return numbers.empty() ? -1 : static_cast<int32_t>(weights_.computed(tables.name + which, 2 * tables.span, numbers, tables.made_of));
  };
  features_.insert(Feature::relative_scores);
  return attend({query, keys, values}, -1, options.width, options,
                {.relative_keys = add("relative_keys", tables.keys),
                 .relative_queries = add("relative_queries", tables.queries),
                 .span = tables.span,
                 .distance = tables.distance});
}

// ---------------------------------------------------------------- global tokens

void Graph::global_rule(schema::GlobalRule rule, int32_t separator_id) {
  current().global_rule = rule;
  current().separator_id = separator_id;
}

Value Graph::global_tokens() {
  features_.insert(Feature::global_tokens);
  return input(schema::Role::global_tokens, "global_attention_mask", schema::ValueType::index, 1, tokens(), 2);
}

Value Graph::attention_to_globals(Value query, Value keys, Value values, Value globals, const AttentionOptions& options) {
  expect_own_keys(keys, values, options);
  return attend({query, keys, values, globals}, -1, options.width, options, {.global_tokens = true});
}

Value Graph::attention_of_globals(Value query, Value keys, Value values, Value globals, Value others, const AttentionOptions& options) {
  expect_own_keys(keys, values, options);
  return attend({query, keys, values, globals, others}, -1, options.width, options, {.global_tokens = true});
}

}  // namespace linnet::convert
