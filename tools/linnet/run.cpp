#include <fmt/core.h>

#include <algorithm>
#include <memory>

#include "command.h"
#include "tensor_file.h"

namespace linnet::tool {
namespace {

struct Arguments {
  std::string model, inputs, outputs, adapter;
  SessionOptions session;
};

// One row of the batch, without its padding.
struct Row {
  std::vector<int32_t> tokens, types, positions;
  std::vector<size_t> columns;       // where each token stood
  const float* features = nullptr;
  size_t feature_numbers = 0;
};

struct Batch {
  size_t rows = 0, columns = 0;
  std::vector<Row> row;
};

const HostTensor* find(const TensorFile& file, const std::string& name) {
  auto found = file.find(name);
  return found == file.end() ? nullptr : &found->second;
}

std::string input_name(const Model& model, size_t program, std::string_view role) {
  for (size_t i = 0; i < model.program(program).inputs; ++i)
    if (model.input(program, i).role == role) return std::string(model.input(program, i).name);
  return "";
}

const HostTensor& expect_index(const TensorFile& file, const std::string& name, const Batch& batch) {
  const HostTensor& tensor = file.at(name);
  if (!tensor.is_index || tensor.indices.size() != batch.rows * batch.columns)
    throw Failure(fmt::format("'{}' must be integers of shape [{}, {}]", name, batch.rows, batch.columns));
  return tensor;
}

Batch token_batch(const TensorFile& file, const Model& model, size_t program, const std::string& ids_name) {
  const HostTensor* ids = find(file, ids_name);
  if (!ids || !ids->is_index) throw Failure(fmt::format("the inputs lack '{}', integers of shape [batch, tokens]", ids_name));
  Batch batch;
  batch.columns = ids->shape.empty() ? 0 : ids->shape.back();
  batch.rows = batch.columns ? ids->indices.size() / batch.columns : 0;
  if (batch.rows == 0) throw Failure(fmt::format("'{}' is empty", ids_name));
  const HostTensor* mask = find(file, "attention_mask") ? &expect_index(file, "attention_mask", batch) : nullptr;
  std::string types_name = input_name(model, program, "token_types");
  const HostTensor* types = !types_name.empty() && find(file, types_name) ? &expect_index(file, types_name, batch) : nullptr;
  bool with_positions = model.program(program).kind == "encoder" && !input_name(model, program, "positions").empty();
  batch.row.resize(batch.rows);
  for (size_t b = 0; b < batch.rows; ++b)
    for (size_t c = 0; c < batch.columns; ++c) {
      size_t at = b * batch.columns + c;
      if (mask && mask->indices[at] == 0) continue;
      Row& row = batch.row[b];
      row.tokens.push_back(ids->indices[at]);
      if (types) row.types.push_back(types->indices[at]);
      if (with_positions) row.positions.push_back(static_cast<int32_t>(c));
      row.columns.push_back(c);
    }
  for (size_t b = 0; b < batch.rows; ++b)
    if (batch.row[b].tokens.empty()) throw Failure(fmt::format("row {} of '{}' has no token under its attention mask", b, ids_name));
  return batch;
}

Batch feature_batch(const TensorFile& file, const PortInfo& port) {
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

// Collects output rows over runs, then lays them out as [batch, columns of the input, columns].
class Collector {
 public:
  Collector(const Model& model, size_t program, const Batch& batch) : batch_(batch) {
    for (size_t o = 0; o < model.program(program).outputs; ++o) ports_.push_back(model.output(program, o));
    rows_.resize(ports_.size(), std::vector<std::vector<float>>(batch.rows));
  }
  // The run held rows [begin, end) of each listed batch row; `all` shares out rows that belong to patches.
  void add(const Session& session, const std::vector<size_t>& batch_rows, const std::vector<size_t>& counts) {
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
  TensorFile finish() const {
    TensorFile file;
    for (size_t p = 0; p < ports_.size(); ++p) file[std::string(ports_[p].name)] = per_token(p) ? padded(p) : plain(p);
    return file;
  }

 private:
  bool per_token(size_t p) const { return ports_[p].rows == "tokens" || ports_[p].rows == "outputs"; }
  bool squeezed(size_t p) const { return ports_[p].role == "start_logits" || ports_[p].role == "end_logits" || ports_[p].role == "score"; }
  HostTensor padded(size_t p) const {
    size_t columns = ports_[p].columns;
    HostTensor tensor;
    tensor.shape = {batch_.rows, batch_.columns};
    if (!squeezed(p)) tensor.shape.push_back(columns);
    tensor.numbers.assign(batch_.rows * batch_.columns * columns, 0.0f);
    for (size_t b = 0; b < batch_.rows; ++b)
      for (size_t i = 0; i < batch_.row[b].columns.size(); ++i)
        std::copy_n(rows_[p][b].data() + i * columns, columns, tensor.numbers.data() + (b * batch_.columns + batch_.row[b].columns[i]) * columns);
    return tensor;
  }
  HostTensor plain(size_t p) const {
    HostTensor tensor;
    size_t columns = ports_[p].columns, rows = rows_[p][0].size() / columns;
    tensor.shape = {batch_.rows};
    if (ports_[p].rows != "sequences") tensor.shape.push_back(rows);
    if (!squeezed(p)) tensor.shape.push_back(columns);
    for (const auto& row : rows_[p]) tensor.numbers.insert(tensor.numbers.end(), row.begin(), row.end());
    return tensor;
  }

  const Batch& batch_;
  std::vector<PortInfo> ports_;
  std::vector<std::vector<std::vector<float>>> rows_;   // [port][batch row]
};

RunOptions all_outputs() {
  RunOptions options;
  options.outputs = RunOptions::Outputs::all;
  return options;
}

// Without state: all rows of the batch in one run, packed.
void run_packed(const Model& model, size_t program, const Batch& batch, Limits limits, const LoadedAdapter& adapter, Collector* collector) {
  size_t tokens = 0, longest = 1, patches = 0;
  for (const Row& row : batch.row) {
    tokens += row.tokens.size();
    longest = std::max(longest, row.tokens.size());
    if (!row.positions.empty()) longest = std::max<size_t>(longest, static_cast<size_t>(row.positions.back()) + 1);
    patches += row.features ? batch.columns : 0;
  }
  limits.sequences = static_cast<uint32_t>(batch.rows);
  limits.batch_tokens = static_cast<uint32_t>(std::max<size_t>(tokens, 1));
  limits.outputs = limits.batch_tokens;
  if (!limits.context) limits.context = static_cast<uint32_t>(longest);
  limits.patches = static_cast<uint32_t>(patches);
  Plan planned = take(plan(model, limits));
  Session session = take(Session::create(model, planned));
  const AdapterId chosen = adapter.attach(session);
  std::vector<Input> inputs;
  std::vector<size_t> rows, counts;
  for (size_t b = 0; b < batch.rows; ++b) {
    const Row& row = batch.row[b];
    Input input;
    input.sequence = static_cast<SequenceId>(b);
    input.tokens = row.tokens;
    input.token_types = row.types;
    input.positions = row.positions;
    input.features = {row.features, row.feature_numbers};
    input.adapter = chosen;
    inputs.push_back(input);
    rows.push_back(b);
    counts.push_back(row.tokens.size());
  }
  check(session.run(model.program(program).name, inputs, all_outputs()));
  collector->add(session, rows, counts);
}

// With state: each row of the batch is a sequence of its own, fed in chunks.
void run_chunked(const Model& model, size_t program, const Batch& batch, Limits limits, const LoadedAdapter& adapter, Collector* collector) {
  size_t longest = 1;
  for (const Row& row : batch.row) longest = std::max(longest, row.tokens.size());
  if (!limits.context) limits.context = static_cast<uint32_t>(longest);
  if (!limits.batch_tokens) limits.batch_tokens = static_cast<uint32_t>(longest);
  limits.outputs = limits.batch_tokens;
  Plan planned = take(plan(model, limits));
  Session session = take(Session::create(model, planned));
  const AdapterId chosen = adapter.attach(session);
  for (size_t b = 0; b < batch.rows; ++b) {
    const Row& row = batch.row[b];
    SequenceId sequence = take(session.add());
    check(session.use(sequence, chosen));
    for (size_t first = 0; first < row.tokens.size(); first += limits.batch_tokens) {
      size_t count = std::min<size_t>(limits.batch_tokens, row.tokens.size() - first);
      Input input;
      input.sequence = sequence;
      input.tokens = {row.tokens.data() + first, count};
      input.total_length = static_cast<uint32_t>(row.tokens.size());
      check(session.run(model.program(program).name, {&input, 1}, all_outputs()));
      collector->add(session, {b}, {count});
    }
    check(session.remove(sequence));
  }
}

void run(const Arguments& arguments) {
  Model model = take(Model::open(arguments.model.c_str()));
  TensorFile file = read_tensor_file(arguments.inputs);
  size_t program = 0;
  std::string ids = input_name(model, program, "token_ids");
  Batch batch;
  if (!ids.empty()) {
    batch = token_batch(file, model, program, ids);
  } else {
    for (size_t i = 0; i < model.program(program).inputs; ++i)
      if (model.input(program, i).type == "f32") batch = feature_batch(file, model.input(program, i));
  }
  if (batch.rows == 0) throw Failure(arguments.model + ": its program has no input that a file can feed");
  Collector collector(model, program, batch);
  const LoadedAdapter adapter(model, arguments.adapter);
  Limits limits = arguments.session.limits();
  adapter.add_to(&limits);
  if (model.program(program).kind == "autoregressive")
    run_chunked(model, program, batch, limits, adapter, &collector);
  else
    run_packed(model, program, batch, limits, adapter, &collector);
  write_tensor_file(arguments.outputs, collector.finish());
}

}  // namespace

void add_run(CLI::App& app) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand("run", "raw tensors in, raw tensors out, by the reference's names");
  command->add_option("MODEL", arguments->model, ".linnet file")->required();
  command->add_option("--inputs", arguments->inputs, "safetensors file: input_ids, attention_mask, token_type_ids, features, ...")->required();
  command->add_option("--outputs", arguments->outputs, "safetensors file to write: logits, last_hidden_state, ...")->required();
  command->add_option("--adapter", arguments->adapter, "LoRA beside the model: a PEFT folder, or what convert made of one");
  arguments->session.add_to(*command);
  command->callback([arguments] { run(*arguments); });
}

}  // namespace linnet::tool
