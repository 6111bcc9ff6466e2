// Rows that are sent to a few of many experts, and what these make of them.
#include <fmt/format.h>

#include "convert/graph.h"

namespace linnet::convert {

using schema::ValueType;

Value Graph::clamp(Value x, float limit) {
  Value out = add_value(fmt::format("within {}", limit), ValueType::f32, x.columns, rows(x));
  operation(schema::Options::Clamp, schema::CreateClamp(builder_, -limit, limit), {x}, {out});
  return out;
}

Routed Graph::route(Value scores, const RouteOptions& options) {
  const std::string& name = current().value_names[scores.index];
  if (options.count > scores.columns)
    throw Error(fmt::format("{} has {} experts, of which {} are to be chosen", name, scores.columns, options.count));
  if (scores.columns % options.groups != 0)
    throw Error(fmt::format("{} has {} experts, expected {} groups of one size", name, scores.columns, options.groups));
  int32_t correction = -1;
  if (!options.correction.empty()) correction = static_cast<int32_t>(weights_.vector({options.correction}, scores.columns));
  Routed routed;
  routed.experts = add_value("experts", ValueType::index, options.count, rows(scores), scores.columns);
  routed.weights = add_value("weights of experts", ValueType::f32, options.count, rows(scores));
  auto made = schema::CreateRoute(builder_, options.count, options.weights, options.renormalize, options.renormalize_epsilon, options.scale,
                                  correction, options.groups, options.kept_groups, options.group_score);
  operation(schema::Options::Route, made, {scores}, {routed.experts, routed.weights}).tensor = correction;
  return routed;
}

Value Graph::experts(Value x, const Routed& routed, const ExpertMatrices& matrices, const ExpertOptions& options) {
  const uint32_t count = current().values[routed.experts.index].bound;
  if (matrices.gate_up.size() != count || matrices.down.size() != count)
    throw Error(fmt::format("{} has {} experts, {} are routed to", matrices.gate_up_name, matrices.gate_up.size(), count));
  const uint32_t gate_up = weights_.stack(matrices.gate_up_name, matrices.gate_up);
  const uint32_t down = weights_.stack(matrices.down_name, matrices.down, true);
  const Weight &first = weights_[gate_up], &second = weights_[down];
  expect_columns("tensor " + first.name, first.columns, x.columns);
  expect_columns("tensor " + second.name, second.columns, options.plain ? first.rows : first.rows / 2);
  if (!options.plain && first.rows % 2 != 0)
    throw Error(fmt::format("tensor {} has {} rows, expected gate and up of one size", first.name, first.rows));
  const auto bias = [&](const Weight& weight, const std::vector<float>& numbers) {
    if (numbers.empty()) return -1;
    if (numbers.size() != size_t{count} * weight.rows)
      throw Error(fmt::format("the biases of tensor {} are {}, expected {} x {}", weight.name, numbers.size(), count, weight.rows));
    return static_cast<int32_t>(weights_.table(weight.name + ".bias", weight.rows, numbers));
  };
  const bool simulated = weights_.options().simulate;
  const uint32_t turn = simulated ? 0 : second.turn;
  const bool takes_q8 = is_quantized(first.encoding) && !simulated;
  const uint32_t out_columns = second.rows;
  const std::string name = second.name;
  const int32_t first_bias = bias(weights_[gate_up], matrices.gate_up_bias), second_bias = bias(weights_[down], matrices.down_bias);
  const Value input = takes_q8 ? quantize(x, 0) : x;
  Value out = add_value(name, ValueType::f32, out_columns, rows(x));
  auto made = schema::CreateExperts(builder_, static_cast<int32_t>(gate_up), static_cast<int32_t>(down), first_bias, second_bias,
                                    options.function, options.plain, turn, options.limit, options.up_offset);
  operation(schema::Options::Experts, made, {input, routed.experts, routed.weights}, {out});
  return out;
}

}  // namespace linnet::convert
