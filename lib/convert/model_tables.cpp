#include "convert/model_tables.h"

#include <set>

namespace linnet::convert {

namespace {

// Texts of a checkpoint may hold zero bytes: none goes through a C string.
using flatbuffers::FlatBufferBuilder;
using flatbuffers::Offset;

// Where each of the checkpoint's tensors stands in this one.
std::vector<Offset<schema::Part>> write_parts(FlatBufferBuilder& builder, const Weights& weights, const Weight& weight) {
  std::vector<Offset<schema::Part>> parts;
  if (weight.count > 1) return parts;  // no adapter finds its place in a stack
  uint32_t next = 0;
  for (const Source& source : weight.sources) {
    const std::string head = weights.shared_with(source.tensor);
    const RowRange& rows = source.rows;
    for (uint32_t run = 0; run < rows.count; ++run, next += rows.rows) {
      auto part = [&](const std::string& name, schema::Use use) {
        const uint32_t row = weight.is_vector ? 0 : next, column = weight.is_vector ? next : 0;
        parts.push_back(schema::CreatePart(builder, builder.CreateString(name), row, weight.is_vector ? 1 : rows.rows, column,
                                           weight.is_vector ? rows.rows : 0, use, rows.first + run * rows.step, source.transposed,
                                           source.added));
      };
      part(source.tensor, head.empty() ? schema::Use::every : schema::Use::embedding);
      if (!head.empty()) part(head, schema::Use::linear);
    }
  }
  // Of what was computed from them: no adapter of theirs finds a place in it.
  for (const std::string& source : weight.made_of)
    parts.push_back(schema::CreatePart(builder, builder.CreateString(source), 0, weight.rows, 0, 0));
  return parts;
}

std::vector<schema::Factor> write_factors(const std::vector<float>& factors) {
  std::vector<schema::Factor> listed;
  for (size_t i = 0; i < factors.size(); ++i)
    if (factors[i] != 1) listed.emplace_back(static_cast<uint32_t>(i), factors[i]);
  return listed;
}

Offset<schema::Tensor> write_tensor(FlatBufferBuilder& builder, const Weights& weights, const Weight& weight, const StoredTensor& stored) {
  const std::vector<Offset<schema::Part>> parts = write_parts(builder, weights, weight);
  const std::vector<schema::Factor> rows = write_factors(weight.row_factors), columns = write_factors(weight.column_factors);
  const auto name = builder.CreateString(weight.name);
  const auto part_list = parts.empty() ? 0 : builder.CreateVector(parts);
  const auto row_list = rows.empty() ? 0 : builder.CreateVectorOfStructs(rows);
  const auto column_list = columns.empty() ? 0 : builder.CreateVectorOfStructs(columns);
  return schema::CreateTensor(builder, name, stored.encoding, weight.rows, weight.columns, weight.count, stored.group, stored.offset, stored.bytes,
                              stored.checksum, part_list, -1, row_list, column_list);
}

std::vector<Offset<schema::Port>> write_ports(FlatBufferBuilder& builder, const std::vector<Graph::Port>& ports) {
  std::vector<Offset<schema::Port>> tables;
  for (const Graph::Port& port : ports)
    tables.push_back(schema::CreatePort(builder, port.role, builder.CreateString(port.name), port.value));
  return tables;
}

Offset<schema::Program> write_program(FlatBufferBuilder& builder, const Graph::Program& program) {
  std::vector<Offset<schema::Value>> values;
  for (size_t i = 0; i < program.values.size(); ++i) {
    const format::Value& value = program.values[i];
    auto rows = schema::CreateRows(builder, value.rows.symbol, value.rows.multiply, value.rows.divide, value.rows.per_sequence,
                                   value.rows.constant);
    values.push_back(
        schema::CreateValue(builder, builder.CreateString(program.value_names[i]), value.type, value.columns, rows, value.bound));
  }
  std::vector<Offset<schema::Operation>> operations;
  for (const Graph::Operation& operation : program.operations)
    operations.push_back(schema::CreateOperationDirect(builder, operation.type, operation.options, &operation.inputs, &operation.outputs));
  auto inputs = write_ports(builder, program.inputs), outputs = write_ports(builder, program.outputs);
  return schema::CreateProgramDirect(builder, program.name.c_str(), program.kind, &values, &inputs, &outputs, &operations,
                                     program.max_positions, 0, program.padding_id, program.global_rule, program.separator_id);
}

// What a reader must know in order to run the file.
std::set<std::string> requirements(const Graph& graph, const std::vector<StoredTensor>& stored) {
  std::set<std::string> names;
  for (const Graph::Program& program : graph.programs()) {
    names.insert(std::string("program:") + schema::EnumNameProgramKind(program.kind));
    for (const Graph::Operation& operation : program.operations)
      names.insert(std::string("operation:") + schema::EnumNameOptions(operation.type));
  }
  for (const schema::Feature feature : graph.features()) names.insert(std::string("feature:") + schema::EnumNameFeature(feature));
  for (const StoredTensor& tensor : stored) names.insert(std::string("encoding:") + schema::EnumNameEncoding(tensor.encoding));
  for (const Graph::State& state : graph.states()) names.insert(std::string("state:") + schema::EnumNameStateKind(state.kind));
  return names;
}

}  // namespace

Offset<schema::Model> write_model(Graph& graph, const std::vector<StoredTensor>& stored, const ModelExtras& extras) {
  FlatBufferBuilder& builder = graph.builder();
  std::vector<Offset<schema::Tensor>> tensors;
  for (uint32_t i = 0; i < graph.weights().size(); ++i)
    tensors.push_back(write_tensor(builder, graph.weights(), graph.weights()[i], stored[i]));
  // A cache in half precision costs nothing that one can see beside 16-bit or rounded weights.
  const Options& options = graph.weights().options();
  const auto encoding = options.weights == "f32" || options.simulate ? schema::StateEncoding::f32 : schema::StateEncoding::f16;
  std::vector<Offset<schema::State>> states;
  for (const Graph::State& state : graph.states())
    states.push_back(schema::CreateState(builder, builder.CreateString(state.name), state.kind, state.layer, state.heads, state.key_width,
                                         state.value_width, encoding, state.window));
  std::vector<Offset<schema::Program>> programs;
  for (const Graph::Program& program : graph.programs()) programs.push_back(write_program(builder, program));
  std::vector<Offset<flatbuffers::String>> required, labels;
  for (const std::string& name : requirements(graph, stored)) required.push_back(builder.CreateString(name));
  for (const std::string& label : graph.labels()) labels.push_back(builder.CreateString(label));
  std::vector<Offset<schema::KeyValue>> metadata;
  for (const auto& [key, value] : extras.metadata) {
    const auto name = builder.CreateString(key), text = builder.CreateString(value);
    metadata.push_back(schema::CreateKeyValue(builder, name, text));
  }
  std::vector<Offset<schema::KeyValue>> tokens;
  for (const auto& [key, value] : extras.special_tokens) {
    const auto name = builder.CreateString(key), text = builder.CreateString(value);
    tokens.push_back(schema::CreateKeyValue(builder, name, text));
  }
  std::vector<Offset<schema::ChatTemplate>> templates;
  for (const auto& [name, text] : extras.chat_templates) {
    const auto key = builder.CreateString(name), content = builder.CreateString(text);
    templates.push_back(schema::CreateChatTemplate(builder, key, content));
  }

  std::vector<Offset<schema::KeyValue>> prompts;
  for (const auto& [key, value] : graph.prompts()) {
    const auto name = builder.CreateString(key), text = builder.CreateString(value);
    prompts.push_back(schema::CreateKeyValue(builder, name, text));
  }

  const Graph::Similarity& likeness = graph.similarity();
  const auto similarity = likeness.given ? schema::CreateSimilarity(builder, likeness.scale, likeness.bias) : 0;
  return schema::CreateModelDirect(builder, &required, extras.family.c_str(), graph.task(), &tensors, &states, &programs, extras.tokenizer,
                                   &templates, &labels, extras.generation, &metadata, 0, true, tokens.empty() ? nullptr : &tokens,
                                   extras.target_tokenizer, similarity, prompts.empty() ? nullptr : &prompts,
                                   graph.default_prompt().c_str());
}

}  // namespace linnet::convert
