#include "convert/graph.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace linnet::convert {

using schema::ValueType;

namespace {

// For people: of a part that a model has besides, there may be hundreds.
std::string first_of(const std::vector<std::string>& names) {
  constexpr size_t kShown = 5;
  std::string text;
  for (size_t i = 0; i < std::min(kShown, names.size()); ++i) text += (i == 0 ? "" : ", ") + names[i];
  return names.size() <= kShown ? text : fmt::format("{} and {} more", text, names.size() - kShown);
}

}  // namespace

Graph::Graph(const Checkpoint& checkpoint, const Options& options) : checkpoint_(checkpoint), weights_(checkpoint, options) {}

uint32_t Graph::size(const std::string& tensor, size_t dimension) const {
  const SourceTensor& source = weights_.source(tensor);
  if (dimension >= source.shape.size())
    throw Error(fmt::format("tensor {} has {} dimensions, expected at least {}", tensor, source.shape.size(), dimension + 1));
  uint64_t size = source.shape[dimension];
  if (size == 0 || size > INT32_MAX) throw Error(fmt::format("tensor {} has a dimension of {}, expected 1 to 2147483647", tensor, size));
  return static_cast<uint32_t>(size);
}

void Graph::expect_size(const Config& config, const std::string& key, const std::string& tensor, size_t dimension) const {
  // The keys of a GGUF file may count pieces of text where its tables have rows beyond.
  if (checkpoint_.is_gguf() || !config.has(key)) return;
  if (config.count(key) != size(tensor, dimension))
    config.refuse(key, fmt::format("{} as in the shape of tensor {}", size(tensor, dimension), tensor));
}

std::string Graph::head_matrix(const std::string& stored, const std::string& embedding, bool tied) {
  if (!has(stored)) {
    if (!tied && !checkpoint_.is_gguf())
      throw Error(fmt::format("tensor {} is missing, and the head is not tied to the embedding", stored));
    weights_.share(embedding, stored);
    return embedding;
  }
  weights_.mark_used(stored);
  if (weights_.source(stored).shape != weights_.source(embedding).shape) return stored;
  if (weights_.read(stored) != weights_.read(embedding)) return stored;
  weights_.share(embedding, stored);
  return embedding;
}

void Graph::program(const std::string& name, schema::ProgramKind kind, uint32_t max_positions) {
  programs_.push_back({name, kind, max_positions, {}, {}, {}, {}, {}, {}});
}

Graph::Program& Graph::current() {
  if (programs_.empty()) throw Error("a page used a verb before it opened a program");
  return programs_.back();
}

void Graph::expect_columns(const std::string& what, uint32_t columns, uint32_t expected) const {
  if (columns != expected) throw Error(fmt::format("{} has {} columns, expected {}", what, columns, expected));
}

Value Graph::add_value(const std::string& name, ValueType type, uint32_t columns, format::Rows rows, uint32_t bound) {
  Program& program = current();
  program.values.push_back({type, columns, rows, bound});
  program.value_names.push_back(name);
  return {static_cast<uint32_t>(program.values.size() - 1), columns};
}

Value Graph::input(schema::Role role, const std::string& name, ValueType type, uint32_t columns, format::Rows rows, uint32_t bound) {
  Value value = add_value(name, type, columns, rows, bound);
  current().inputs.push_back({role, name, value.index});
  return value;
}

// An input that several verbs need is one port.
Value Graph::input_once(schema::Role role, const std::string& name, format::Rows rows, uint32_t bound) {
  for (const Port& port : current().inputs)
    if (port.role == role) return {port.value, 1};
  return input(role, name, ValueType::index, 1, rows, bound);
}

Value Graph::token_ids(uint32_t vocabulary) {
  return input(schema::Role::token_ids, "input_ids", ValueType::index, 1, tokens(), vocabulary);
}
Value Graph::token_types(uint32_t types) {
  return input(schema::Role::token_types, "token_type_ids", ValueType::index, 1, tokens(), types);
}
Value Graph::positions(uint32_t bound, format::Rows rows) {
  return input(schema::Role::positions, "position_ids", ValueType::index, 1, rows, bound);
}
Value Graph::features(uint32_t columns, const std::string& name) {
  return input(schema::Role::features, name, ValueType::f32, columns, patches(), 0);
}

void Graph::output(schema::Role role, const std::string& name, Value value) { current().outputs.push_back({role, name, value.index}); }

void Graph::trace(const std::string& name, Value value) {
  if (weights_.options().trace) output(schema::Role::other, name, value);
}

// ---------------------------------------------------------------- weights meet values

Value Graph::embed(Value ids, const std::string& table, const EmbedOptions& options) {
  uint32_t tensor = weights_.matrix({table + ".weight"}, options.role);
  const Weight& weight = weights_[tensor];
  if (weight.turn != 0) throw Error(fmt::format("tensor {} is both an embedding and a turned matrix", weight.name));
  Value out = add_value(table, ValueType::f32, weight.columns, rows(ids));
  auto made = schema::CreateEmbed(builder_, static_cast<int32_t>(tensor), options.scale, options.row_offset);
  operation(schema::Options::Embed, made, {ids}, {out}).tensor = static_cast<int32_t>(tensor);
  return out;
}

Value Graph::quantize(Value x, uint32_t turn) {
  Program& program = current();
  auto found = program.quantized.find({x.index, turn});
  if (found != program.quantized.end()) return {found->second, x.columns};
  Value out = add_value(program.value_names[x.index] + " quantized", ValueType::q8, x.columns, rows(x));
  operation(schema::Options::Quantize, schema::CreateQuantize(builder_, turn), {x}, {out});
  program.quantized[{x.index, turn}] = out.index;
  return out;
}

Value Graph::linear_of(Value x, uint32_t tensor, int32_t bias, const std::string& name) {
  const Weight& weight = weights_[tensor];
  expect_columns("tensor " + weight.name, weight.columns, x.columns);
  Value input = x;
  if (is_quantized(weight.encoding) && !weights_.options().simulate) input = quantize(x, weight.turn);
  Value out = add_value(name, ValueType::f32, weight.rows, rows(x));
  auto made = schema::CreateLinear(builder_, static_cast<int32_t>(tensor), bias);
  Operation& linear = operation(schema::Options::Linear, made, {input}, {out});
  linear.tensor = static_cast<int32_t>(tensor);
  linear.bias = bias;
  return out;
}

Value Graph::linear(Value x, const Names& names, const LinearOptions& options) {
  std::vector<Source> matrices, biases;
  for (const NamedRows& part : names.list) matrices.push_back({part.name + ".weight", part.rows, options.transposed});
  for (const NamedRows& part : names.list) biases.push_back({part.name + ".bias", part.rows});
  uint32_t tensor = weights_.matrix(matrices, options.role, options.turned, options.flattened ? size(matrices[0].tensor, 0) : 0);
  int32_t bias = -1;
  if (!options.bias_tensor.empty()) biases = {options.bias_tensor};
  if (options.bias || !options.bias_tensor.empty()) bias = static_cast<int32_t>(weights_.vector(biases, weights_[tensor].rows));
  return linear_of(x, tensor, bias, names.list.back().name);
}

Value Graph::linear_with(Value x, const std::string& matrix, const LinearOptions& options) {
  uint32_t tensor = weights_.matrix({matrix}, options.role, options.turned);
  int32_t bias = -1;
  if (!options.bias_tensor.empty()) bias = static_cast<int32_t>(weights_.vector({options.bias_tensor}, weights_[tensor].rows));
  return linear_of(x, tensor, bias, matrix);
}

Value Graph::norm(Value x, const NormOptions& options) {
  uint32_t columns = options.width != 0 ? options.width : x.columns;
  Source factors = options.weight;
  factors.added = options.added;
  int32_t weight = options.weight.empty() ? -1 : static_cast<int32_t>(weights_.vector({factors}, columns));
  int32_t bias = options.bias.empty() ? -1 : static_cast<int32_t>(weights_.vector({options.bias}, columns));
  Value out = add_value(options.weight, ValueType::f32, x.columns, rows(x));
  auto made = schema::CreateNorm(builder_, options.kind, options.epsilon, options.width, weight, bias);
  Operation& norm = operation(schema::Options::Norm, made, {x}, {out});
  norm.tensor = weight;
  norm.bias = bias;
  return out;
}

Value Graph::prepend(Value x, const std::string& row) {
  int32_t tensor = static_cast<int32_t>(weights_.vector({row}, x.columns));
  format::Rows more = rows(x);
  more.per_sequence += 1;
  Value out = add_value(row, ValueType::f32, x.columns, more);
  operation(schema::Options::Prepend, schema::CreatePrepend(builder_, tensor), {x}, {out}).tensor = tensor;
  return out;
}

// ---------------------------------------------------------------- attention

Rope Graph::rope(const Config& config, uint32_t head_width, double base) {
  Rope rope = rope_from_config(config, head_width, base);
  auto read = [&](const std::string& name, std::vector<float>* factors) {
    if (!has(name)) return;
    *factors = weights_.read(name);
    if (factors->size() != rope.width / 2)
      throw Error(fmt::format("tensor {} has {} values, expected {}", name, factors->size(), rope.width / 2));
  };
  read("rope_freqs.weight", &rope.short_factors);
  read("rope_factors_short.weight", &rope.short_factors);
  read("rope_factors_long.weight", &rope.long_factors);
  return rope;
}

Value Graph::rotary_angles(Value positions, const Rope& rope) {
  int32_t short_factors = -1, long_factors = -1;
  if (!rope.short_factors.empty()) short_factors = static_cast<int32_t>(weights_.values("rotary.short_factors", rope.short_factors));
  if (!rope.long_factors.empty()) long_factors = static_cast<int32_t>(weights_.values("rotary.long_factors", rope.long_factors));
  std::vector<Value> inputs = {positions};
  if (rope.depends_on_length()) inputs.push_back(input_once(schema::Role::lengths, "lengths", rows(positions), core::limits::kContext + 1));
  Value out = add_value("rotary angles", ValueType::f32, rope.width, rows(positions));
  const auto sections = rope.sections.empty() ? 0 : builder_.CreateVector(rope.sections);
  auto made = schema::CreateRotaryAngles(builder_, rope.width, rope.base, rope.scaling, rope.factor, rope.low_frequency_factor,
                                         rope.high_frequency_factor, rope.beta_fast, rope.beta_slow, rope.truncate, rope.attention_factor,
                                         rope.original_positions, short_factors, long_factors, sections);
  operation(schema::Options::RotaryAngles, made, std::move(inputs), {out});
  return out;
}

Value Graph::rotary(Value x, Value angles, uint32_t head_width) {
  const std::string& name = current().value_names[x.index];
  if (x.columns % head_width != 0) throw Error(fmt::format("{} has {} columns, expected a multiple of {}", name, x.columns, head_width));
  Value out = add_value(name + " rotated", ValueType::f32, x.columns, rows(x));
  operation(schema::Options::Rotary, schema::CreateRotary(builder_, head_width), {x, angles}, {out});
  return out;
}

Cache Graph::token_state(uint32_t layer, uint32_t heads, uint32_t width, uint32_t window) {
  states_.push_back({fmt::format("layer {}", layer), schema::StateKind::token, layer, heads, width, width, window});
  return {static_cast<uint32_t>(states_.size() - 1), heads, width, width};
}

void Graph::append(const Cache& cache, Value keys, Value values) {
  const std::vector<std::string>& names = current().value_names;
  expect_columns(names[keys.index], keys.columns, cache.heads * cache.key_width);
  expect_columns(names[values.index], values.columns, cache.heads * cache.value_width);
  operation(schema::Options::Append, schema::CreateAppend(builder_, cache.index), {keys, values}, {}).state =
      static_cast<int32_t>(cache.index);
}

Value Graph::attend(std::vector<Value> inputs, int32_t state, uint32_t value_width, const AttentionOptions& options,
                    const AttentionParts& parts) {
  const std::string& name = current().value_names[inputs[0].index];
  expect_columns(name, inputs[0].columns, options.heads * options.width);
  if (options.heads % options.kv_heads != 0)
    throw Error(fmt::format("{} query heads cannot share {} key and value heads evenly", options.heads, options.kv_heads));
  float scale = options.scale != 0 ? options.scale : static_cast<float>(1 / std::sqrt(static_cast<double>(options.width)));
  const int32_t bias =
      options.relative_bias.empty() ? -1 : static_cast<int32_t>(weights_.matrix({options.relative_bias}, WeightRole::exact));
  Value out = add_value(name + " attention", ValueType::f32, options.heads * value_width, rows(inputs[0]));
  int32_t slopes = -1;
  if (!options.slopes.empty()) slopes = static_cast<int32_t>(weights_.values("attention slopes", options.slopes));
  const int32_t sinks = options.sinks.empty() ? -1 : static_cast<int32_t>(weights_.vector({options.sinks}, options.heads));
  auto made = schema::CreateAttention(builder_, state, options.reader, options.heads, options.kv_heads, options.width, value_width, scale,
                                      options.softcap, options.window, options.both_sides, sinks, slopes, bias,
                                      parts.span != 0 ? parts.distance : options.relative_distance, false, !options.slopes.empty(),
                                      parts.relative_keys, parts.relative_queries, parts.span, parts.global_tokens);
  Operation& attention = operation(schema::Options::Attention, made, std::move(inputs), {out});
  attention.state = state;
  attention.heads = options.heads;
  attention.kv_heads = options.kv_heads;
  return out;
}

void Graph::expect_own_keys(Value keys, Value values, const AttentionOptions& options) const {
  const std::vector<std::string>& names = programs_.back().value_names;
  expect_columns(names[keys.index], keys.columns, options.kv_heads * options.width);
  expect_columns(names[values.index], values.columns, options.kv_heads * options.width);
}

Value Graph::attention(Value query, Value keys, Value values, const AttentionOptions& options) {
  expect_own_keys(keys, values, options);
  return attend({query, keys, values}, -1, options.width, options, {});
}

Value Graph::attention(Value query, const Cache& cache, const AttentionOptions& options) {
  return attend({query}, static_cast<int32_t>(cache.index), cache.value_width, options, {});
}

// ---------------------------------------------------------------- the small verbs

Value Graph::unary(Value x, schema::Function function) {
  if (function == schema::Function::identity) return x;
  Value out = add_value(schema::EnumNameFunction(function), ValueType::f32, x.columns, rows(x));
  operation(schema::Options::Unary, schema::CreateUnary(builder_, function), {x}, {out});
  return out;
}

Value Graph::gate(Value gate_and_up, schema::Function function) {
  if (gate_and_up.columns % 2 != 0)
    throw Error(
        fmt::format("{} has {} columns, expected gate and up of one size", current().value_names[gate_and_up.index], gate_and_up.columns));
  for (const Operation& writer : current().operations) {
    if (writer.type != schema::Options::Linear || writer.outputs[0] != gate_and_up.index) continue;
    const Weight& weight = weights_[writer.tensor];
    const std::vector<Source>& sources = weight.sources;
    if (sources.size() == 2 && sources[0].rows.total() != sources[1].rows.total())
      throw Error(fmt::format("tensor {} has {} rows, expected {} like {}", sources[1].tensor, sources[1].rows.total(),
                              sources[0].rows.total(), sources[0].tensor));
  }
  Value out = add_value("gated", ValueType::f32, gate_and_up.columns / 2, rows(gate_and_up));
  operation(schema::Options::Gate, schema::CreateGate(builder_, function), {gate_and_up}, {out});
  return out;
}

Value Graph::select_outputs(Value x) {
  Value wanted = input_once(schema::Role::output_rows, "output_rows", outputs(), 0);
  Value out = add_value("wanted rows", ValueType::f32, x.columns, outputs());
  operation(schema::Options::SelectRows, schema::CreateSelectRows(builder_), {x, wanted}, {out});
  return out;
}

Value Graph::pool(Value x, schema::PoolKind kind) {
  Value out = add_value(std::string("pooled ") + schema::EnumNamePoolKind(kind), ValueType::f32, x.columns, sequences());
  operation(schema::Options::Pool, schema::CreatePool(builder_, kind), {x}, {out});
  return out;
}

Value Graph::slice(Value x, uint32_t first, uint32_t columns) {
  if (columns > x.columns || first > x.columns - columns)
    throw Error(fmt::format("{} has {} columns, expected at least {}", current().value_names[x.index], x.columns, first + columns));
  Value out = add_value(fmt::format("columns {} to {}", first, first + columns), ValueType::f32, columns, rows(x));
  operation(schema::Options::Slice, schema::CreateSlice(builder_, first), {x}, {out});
  return out;
}

Value Graph::concat(const std::vector<Value>& values) {
  if (values.size() == 1) return values[0];
  uint32_t columns = 0;
  for (Value value : values) columns += value.columns;
  Value out = add_value("side by side", ValueType::f32, columns, rows(values.at(0)));
  operation(schema::Options::Concat, schema::CreateConcat(builder_), values, {out});
  return out;
}

void Graph::check_everything_read() {
  std::vector<std::string> unread, left_out;
  for (const std::string& name : weights_.unused()) {
    bool known = std::any_of(ignored_.begin(), ignored_.end(), [&](const std::string& pattern) { return matches(pattern, name); });
    (known ? left_out : unread).push_back(name);
  }
  if (!unread.empty()) throw Error("the model has tensors that this architecture does not use: " + first_of(unread));
  for (const std::string& name : left_out) left_out_ += (left_out_.empty() ? "" : ", ") + name;
  if (!left_out.empty()) notes_.push_back("left out, since nothing reads them: " + first_of(left_out));
}

}  // namespace linnet::convert
