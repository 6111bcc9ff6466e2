#include "run_batch.h"

#include <fmt/core.h>

#include <algorithm>

namespace linnet::tool {
namespace {

const HostTensor* find(const TensorFile& file, const std::string& name) {
  auto found = file.find(name);
  return found == file.end() ? nullptr : &found->second;
}

const HostTensor& expect_index(const TensorFile& file, const std::string& name, const Batch& batch) {
  const HostTensor& tensor = file.at(name);
  if (!tensor.is_index || tensor.indices.size() != batch.rows * batch.columns)
    throw Failure(fmt::format("'{}' must be integers of shape [{}, {}]", name, batch.rows, batch.columns));
  return tensor;
}

}  // namespace

std::string input_name(const Model& model, size_t program, std::string_view role) {
  for (size_t i = 0; i < model.program(program).inputs; ++i)
    if (model.input(program, i).role == role) return std::string(model.input(program, i).name);
  return "";
}

// Where each token of a row stands, those under the mask included: the reference counts columns, or ids that are no padding.
static std::vector<int32_t> positions_of(const int32_t* ids, size_t columns, int32_t padding_id) {
  std::vector<int32_t> positions(columns);
  int32_t next = padding_id + 1;
  for (size_t c = 0; c < columns; ++c) positions[c] = padding_id >= 0 && ids[c] == padding_id ? padding_id : next++;
  return positions;
}

Batch token_batch(const TensorFile& file, const Model& model, size_t program, const std::string& ids_name, const std::string& mask_name) {
  const HostTensor* ids = find(file, ids_name);
  if (!ids || !ids->is_index) throw Failure(fmt::format("the inputs lack '{}', integers of shape [batch, tokens]", ids_name));
  Batch batch;
  batch.columns = ids->shape.empty() ? 0 : ids->shape.back();
  batch.rows = batch.columns ? ids->indices.size() / batch.columns : 0;
  if (batch.rows == 0) throw Failure(fmt::format("'{}' is empty", ids_name));
  const HostTensor* mask = find(file, mask_name) ? &expect_index(file, mask_name, batch) : nullptr;
  std::string types_name = input_name(model, program, "token_types");
  const HostTensor* types = !types_name.empty() && find(file, types_name) ? &expect_index(file, types_name, batch) : nullptr;
  const std::string_view kind = model.program(program).kind;
  const bool with_positions = kind == "encoder" ? !input_name(model, program, "positions").empty()
                                                : kind == "encode" && !input_name(model, program, "source_positions").empty();
  const std::string globals_name = input_name(model, program, "global_tokens");
  const HostTensor* globals = !globals_name.empty() && find(file, globals_name) ? &expect_index(file, globals_name, batch) : nullptr;
  batch.row.resize(batch.rows);
  for (size_t b = 0; b < batch.rows; ++b) {
    Row& row = batch.row[b];
    const std::vector<int32_t> positions =
        positions_of(ids->indices.data() + b * batch.columns, batch.columns, model.program(program).padding_id);
    for (size_t c = 0; c < batch.columns; ++c) {
      size_t at = b * batch.columns + c;
      if (mask && mask->indices[at] == 0) continue;
      row.tokens.push_back(ids->indices[at]);
      if (types) row.types.push_back(types->indices[at]);
      if (globals) row.globals.push_back(globals->indices[at]);
      if (with_positions) row.positions.push_back(positions[c]);
      row.columns.push_back(c);
    }
  }
  for (size_t b = 0; b < batch.rows; ++b)
    if (batch.row[b].tokens.empty()) throw Failure(fmt::format("row {} of '{}' has no token under its attention mask", b, ids_name));
  return batch;
}

Batch pixel_batch(const TensorFile& file, const PortInfo& port) {
  const HostTensor* pixels = find(file, std::string(port.name));
  if (!pixels || pixels->is_index || pixels->shape.empty())
    throw Failure(fmt::format("the inputs lack '{}', numbers of pictures", port.name));
  Batch batch;
  batch.rows = pixels->numbers.size() / port.columns;
  batch.columns = 1;
  if (batch.rows == 0 || pixels->shape[0] != batch.rows || pixels->numbers.size() % port.columns != 0)
    throw Failure(fmt::format("'{}' must be one picture or more of {} numbers each", port.name, port.columns));
  batch.row.resize(batch.rows);
  for (size_t b = 0; b < batch.rows; ++b) {
    batch.row[b].features = pixels->numbers.data() + b * port.columns;
    batch.row[b].feature_numbers = port.columns;
  }
  return batch;
}

Batch feature_batch(const TensorFile& file, const PortInfo& port) {
  if (port.role == "pixels") return pixel_batch(file, port);
  const HostTensor* features = find(file, std::string(port.name));
  if (!features || features->is_index || features->shape.size() < 2)
    throw Failure(fmt::format("the inputs lack '{}', numbers of shape [batch, rows, {}]", port.name, port.columns));
  Batch batch;
  batch.columns = features->shape[features->shape.size() - 2];
  size_t numbers = batch.columns * features->shape.back();
  batch.rows = numbers ? features->numbers.size() / numbers : 0;
  if (batch.rows == 0 || features->shape.back() != port.columns)
    throw Failure(fmt::format("'{}' must have {} columns", port.name, port.columns));
  for (size_t b = 0; b < batch.rows; ++b) {
    Row row;
    row.features = features->numbers.data() + b * numbers;
    row.feature_numbers = numbers;
    batch.row.push_back(row);
  }
  return batch;
}

RunOptions all_outputs() {
  RunOptions options;
  options.outputs = RunOptions::Outputs::all;
  return options;
}

Collector::Collector(const Model& model, size_t program, const Batch& batch) : batch_(batch) {
  for (size_t o = 0; o < model.program(program).outputs; ++o) ports_.push_back(model.output(program, o));
  rows_.resize(ports_.size(), std::vector<std::vector<float>>(batch.rows));
}

void Collector::add(const Session& session, const std::vector<size_t>& batch_rows, const std::vector<size_t>& counts) {
  for (size_t p = 0; p < ports_.size(); ++p) {
    Matrix matrix = take(session.output(ports_[p].name));
    size_t at = 0;
    for (size_t i = 0; i < batch_rows.size(); ++i) {
      size_t count = per_token(p) ? counts[i] : ports_[p].rows == "sequences" ? 1 : matrix.rows / batch_rows.size();
      std::vector<float>& out = rows_[p][batch_rows[i]];
      if (!per_token(p)) out.clear();
      out.insert(out.end(), matrix.data + at * matrix.columns, matrix.data + (at + count) * matrix.columns);
      at += count;
    }
  }
}

void Collector::finish(TensorFile* file) const {
  for (size_t p = 0; p < ports_.size(); ++p) (*file)[std::string(ports_[p].name)] = per_token(p) ? padded(p) : plain(p);
}

bool Collector::per_token(size_t p) const {
  return ports_[p].rows == "tokens" || ports_[p].rows == "outputs" || ports_[p].rows == "source_tokens";
}

bool Collector::squeezed(size_t p) const {
  return ports_[p].role == "start_logits" || ports_[p].role == "end_logits" || ports_[p].role == "score";
}

HostTensor Collector::padded(size_t p) const {
  size_t columns = ports_[p].columns;
  HostTensor tensor;
  tensor.shape = {batch_.rows, batch_.columns};
  if (!squeezed(p)) tensor.shape.push_back(columns);
  tensor.numbers.assign(batch_.rows * batch_.columns * columns, 0.0f);
  for (size_t b = 0; b < batch_.rows; ++b)
    for (size_t i = 0; i < batch_.row[b].columns.size(); ++i)
      std::copy_n(rows_[p][b].data() + i * columns, columns,
                  tensor.numbers.data() + (b * batch_.columns + batch_.row[b].columns[i]) * columns);
  return tensor;
}

HostTensor Collector::plain(size_t p) const {
  HostTensor tensor;
  size_t columns = ports_[p].columns, rows = rows_[p][0].size() / columns;
  tensor.shape = {batch_.rows};
  if (ports_[p].rows != "sequences") tensor.shape.push_back(rows);
  if (!squeezed(p)) tensor.shape.push_back(columns);
  for (const auto& row : rows_[p]) tensor.numbers.insert(tensor.numbers.end(), row.begin(), row.end());
  return tensor;
}

}  // namespace linnet::tool
