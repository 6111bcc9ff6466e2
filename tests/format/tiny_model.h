// Models of a few hundred bytes, described in memory so that a test changes one thing and builds the file around it: right headers,
// right checksums, and whatever is wrong on purpose. Nothing here uses the library's writer.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "format/header.h"
#include "format/program.h"
#include "linnet_generated.h"

namespace linnet::tests {

using flatbuffers::FlatBufferBuilder;
using flatbuffers::Offset;
using Bytes = std::vector<uint8_t>;

struct TinyTensor {
  std::string name = {};
  schema::Encoding encoding = schema::Encoding::f32;
  uint32_t rows = 1, columns = 0, count = 1, group = 0;
  uint64_t offset = 0, bytes = 0, checksum = 0;
  std::string source = {};  // one part of all rows, unless empty
  uint32_t source_first_row = 0, source_rows = 0, source_row = 0;
  float source_added = 0;
  std::vector<schema::Factor> row_factors = {}, column_factors = {};
};

struct TinyState {
  std::string name = {};
  schema::StateKind kind = schema::StateKind::token;
  uint32_t heads = 1, key_width = 0, value_width = 0;
  schema::StateEncoding encoding = schema::StateEncoding::f32;
  uint32_t window = 0, sinks = 0;
};

struct TinyValue {
  std::string name = {};
  format::Value value = {};
};

struct TinyPort {
  schema::Role role;
  std::string name = {};
  uint32_t value;
};

/// `write` makes the options table.
struct TinyOperation {
  schema::Options type;
  std::function<Offset<void>(FlatBufferBuilder&)> write;
  std::vector<uint32_t> inputs = {}, outputs = {};
};

struct TinyProgram {
  std::string name = {};
  schema::ProgramKind kind = schema::ProgramKind::encoder;
  std::vector<TinyValue> values = {};
  std::vector<TinyPort> inputs = {}, outputs = {};
  std::vector<TinyOperation> operations = {};
  uint32_t max_positions = 32, block_length = 0;
  int32_t padding_id = -1, separator_id = -1;
  schema::GlobalRule global_rule = schema::GlobalRule::none;
};

struct TinyModel {
  std::vector<std::string> requirements;
  std::string family = "tiny";
  schema::Task task = schema::Task::feature_extraction;
  std::vector<TinyTensor> tensors;
  Bytes weights;
  std::vector<TinyState> states;
  std::vector<TinyProgram> programs;
  std::vector<std::string> labels;
  std::vector<std::pair<std::string, std::string>> metadata = {{"name", "a tiny model"}, {"licence", "none"}};
  std::function<Offset<schema::Tokenizer>(FlatBufferBuilder&)> tokenizer;
  std::function<Offset<schema::Generation>(FlatBufferBuilder&)> generation;
  std::function<Offset<schema::Adapter>(FlatBufferBuilder&)> adapter;
  bool newer_fields = false;  // tables carry fields of a newer schema, which readers skip

  /// Appends the bytes to the weight segment at the next multiple of 64; the tensor's place and checksum follow. Returns its index.
  int32_t add(TinyTensor tensor, const Bytes& bytes) {
    weights.resize((weights.size() + 63) / 64 * 64);
    tensor.offset = weights.size();
    tensor.bytes = bytes.size();
    tensor.checksum = format::checksum(bytes.data(), bytes.size());
    weights.insert(weights.end(), bytes.begin(), bytes.end());
    tensors.push_back(tensor);
    return static_cast<int32_t>(tensors.size() - 1);
  }
  /// The structural part.
  Bytes structure() const;
  /// The whole file.
  Bytes file() const;
};

/// Puts header and checksums around a structural part and weights.
inline Bytes seal(const Bytes& structure, const Bytes& weights) {
  format::Header header{};
  std::memcpy(header.magic, format::kMagic, 8);
  header.version = 1;
  header.header_bytes = 64;
  header.metadata_offset = 64;
  header.metadata_bytes = structure.size();
  header.weight_offset = (64 + structure.size() + 16383) / 16384 * 16384;
  header.file_bytes = header.weight_offset + weights.size();
  header.metadata_checksum = format::checksum(structure.data(), structure.size());
  header.header_checksum = format::checksum(&header, 64);
  Bytes file(header.file_bytes);
  std::memcpy(file.data(), &header, 64);
  std::copy(structure.begin(), structure.end(), file.begin() + 64);
  std::copy(weights.begin(), weights.end(), file.begin() + static_cast<long>(header.weight_offset));
  return file;
}

namespace tiny {

inline std::vector<Offset<flatbuffers::String>> strings(FlatBufferBuilder& builder, const std::vector<std::string>& texts) {
  std::vector<Offset<flatbuffers::String>> all;
  for (const std::string& text : texts) all.push_back(builder.CreateString(text));
  return all;
}

// A field behind the last one that this schema knows.
template <class Builder>
void add_newer_field(FlatBufferBuilder& builder, Builder&, flatbuffers::voffset_t last, bool wanted) {
  if (wanted) builder.AddElement<uint32_t>(static_cast<flatbuffers::voffset_t>(last + 2), 7, 0);
}

inline Offset<schema::Tensor> write(FlatBufferBuilder& builder, const TinyTensor& tensor, bool newer) {
  const auto name = builder.CreateString(tensor.name);
  Offset<flatbuffers::Vector<Offset<schema::Part>>> parts;
  if (!tensor.source.empty())
    parts = builder.CreateVector<Offset<schema::Part>>(
        {schema::CreatePartDirect(builder, tensor.source.c_str(), tensor.source_first_row, tensor.source_rows, 0, 0, schema::Use::every,
                                  tensor.source_row, false, tensor.source_added)});
  Offset<flatbuffers::Vector<const schema::Factor*>> row_factors, column_factors;
  if (!tensor.row_factors.empty()) row_factors = builder.CreateVectorOfStructs(tensor.row_factors);
  if (!tensor.column_factors.empty()) column_factors = builder.CreateVectorOfStructs(tensor.column_factors);
  schema::TensorBuilder table(builder);
  table.add_name(name);
  table.add_encoding(tensor.encoding);
  table.add_rows(tensor.rows);
  table.add_columns(tensor.columns);
  table.add_count(tensor.count);
  table.add_group(tensor.group);
  table.add_offset(tensor.offset);
  table.add_bytes(tensor.bytes);
  table.add_checksum(tensor.checksum);
  if (!parts.IsNull()) table.add_parts(parts);
  if (!row_factors.IsNull()) table.add_row_factors(row_factors);
  if (!column_factors.IsNull()) table.add_column_factors(column_factors);
  add_newer_field(builder, table, schema::Tensor::VT_COLUMN_FACTORS, newer);
  return table.Finish();
}

inline Offset<schema::Value> write(FlatBufferBuilder& builder, const TinyValue& value) {
  const format::Rows& r = value.value.rows;
  const auto rows = schema::CreateRows(builder, r.symbol, r.multiply, r.divide, r.per_sequence, r.constant);
  return schema::CreateValueDirect(builder, value.name.c_str(), value.value.type, value.value.columns, rows, value.value.bound);
}

inline std::vector<Offset<schema::Port>> write(FlatBufferBuilder& builder, const std::vector<TinyPort>& ports) {
  std::vector<Offset<schema::Port>> all;
  for (const TinyPort& port : ports) all.push_back(schema::CreatePortDirect(builder, port.role, port.name.c_str(), port.value));
  return all;
}

inline Offset<schema::Program> write(FlatBufferBuilder& builder, const TinyProgram& program) {
  std::vector<Offset<schema::Value>> values;
  for (const TinyValue& value : program.values) values.push_back(write(builder, value));
  const auto inputs = write(builder, program.inputs), outputs = write(builder, program.outputs);
  std::vector<Offset<schema::Operation>> operations;
  for (const TinyOperation& operation : program.operations)
    operations.push_back(
        schema::CreateOperationDirect(builder, operation.type, operation.write(builder), &operation.inputs, &operation.outputs));
  return schema::CreateProgramDirect(builder, program.name.c_str(), program.kind, &values, &inputs, &outputs, &operations,
                                     program.max_positions, program.block_length, program.padding_id, program.global_rule,
                                     program.separator_id);
}

}  // namespace tiny

inline Bytes TinyModel::structure() const {
  FlatBufferBuilder builder;
  std::vector<Offset<schema::Tensor>> tensor_tables;
  for (const TinyTensor& tensor : tensors) tensor_tables.push_back(tiny::write(builder, tensor, newer_fields));
  std::vector<Offset<schema::State>> state_tables;
  for (const TinyState& state : states)
    state_tables.push_back(schema::CreateStateDirect(builder, state.name.c_str(), state.kind, 0, state.heads, state.key_width,
                                                     state.value_width, state.encoding, state.window, state.sinks));
  std::vector<Offset<schema::Program>> program_tables;
  for (const TinyProgram& program : programs) program_tables.push_back(tiny::write(builder, program));
  std::vector<Offset<schema::KeyValue>> pairs;
  for (const auto& [key, value] : metadata) pairs.push_back(schema::CreateKeyValueDirect(builder, key.c_str(), value.c_str()));
  const auto required = builder.CreateVector(tiny::strings(builder, requirements));
  const auto label_list = builder.CreateVector(tiny::strings(builder, labels));
  const auto tensor_list = builder.CreateVector(tensor_tables);
  const auto state_list = builder.CreateVector(state_tables);
  const auto program_list = builder.CreateVector(program_tables);
  const auto pair_list = builder.CreateVector(pairs);
  const auto family_name = builder.CreateString(family);
  const auto tokenizer_table = tokenizer ? tokenizer(builder) : Offset<schema::Tokenizer>();
  const auto adapter_table = adapter ? adapter(builder) : Offset<schema::Adapter>();
  const auto generation_table = generation ? generation(builder) : Offset<schema::Generation>();
  schema::ModelBuilder model(builder);
  model.add_requirements(required);
  model.add_family(family_name);
  model.add_task(task);
  model.add_tensors(tensor_list);
  model.add_states(state_list);
  model.add_programs(program_list);
  if (!tokenizer_table.IsNull()) model.add_tokenizer(tokenizer_table);
  model.add_labels(label_list);
  if (!generation_table.IsNull()) model.add_generation(generation_table);
  model.add_metadata(pair_list);
  if (!adapter_table.IsNull()) model.add_adapter(adapter_table);
  tiny::add_newer_field(builder, model, schema::Model::VT_DEFAULT_PROMPT, newer_fields);
  builder.Finish(model.Finish());
  return Bytes(builder.GetBufferPointer(), builder.GetBufferPointer() + builder.GetSize());
}

inline Bytes TinyModel::file() const { return seal(structure(), weights); }

}  // namespace linnet::tests
