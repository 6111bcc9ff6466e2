#include <fmt/core.h>

#include <algorithm>
#include <memory>

#include "command.h"
#include "linnet/tasks.h"
#include "run_batch.h"
#include "run_vision.h"

namespace linnet::tool {
namespace {

struct Arguments {
  std::string model, inputs, outputs, adapter;
  SessionOptions session;
};

// Of an encoder-decoder.
struct Programs {
  size_t encode, decode;
};

// Of pictures and of texts, where the model compares them.
void compare_embeddings(const Model& model, TensorFile* results) {
  const auto images = results->find("image_embeds"), texts = results->find("text_embeds");
  if (images == results->end() || texts == results->end()) return;
  const size_t columns = images->second.shape.back(), rows = images->second.numbers.size() / columns,
               count = texts->second.numbers.size() / columns;
  HostTensor scores, transposed;
  scores.shape = {rows, count};
  scores.numbers.resize(rows * count);
  check(similarity(model, {images->second.numbers.data(), rows, columns}, {texts->second.numbers.data(), count, texts->second.shape.back()},
                   scores.numbers));
  transposed.shape = {count, rows};
  for (size_t t = 0; t < count; ++t)
    for (size_t i = 0; i < rows; ++i) transposed.numbers.push_back(scores.numbers[i * count + t]);
  (*results)["logits_per_image"] = std::move(scores);
  (*results)["logits_per_text"] = std::move(transposed);
}

// Without state: all rows of the batch in one run, packed.
void run_packed(const Model& model, size_t program, const Batch& batch, Limits limits, const LoadedAdapter& adapter, Collector* collector) {
  size_t tokens = 0, longest = 1, patches = 0;
  for (const Row& row : batch.row) {
    tokens += row.tokens.size();
    longest = std::max(longest, row.columns.empty() ? 0 : row.columns.back() + 1);
    patches += row.features ? batch.columns : 0;
  }
  limits.sequences = static_cast<uint32_t>(batch.rows);
  limits.batch_tokens = static_cast<uint32_t>(std::max<size_t>(tokens, 1));
  limits.outputs = limits.batch_tokens;
  if (!limits.context) limits.context = static_cast<uint32_t>(longest);
  limits.patches = static_cast<uint32_t>(patches);
  limits.images = static_cast<uint32_t>(batch.rows);
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
    input.global_tokens = row.globals;
    input.features = {row.features, row.feature_numbers};
    input.adapter = chosen;
    inputs.push_back(input);
    rows.push_back(b);
    counts.push_back(row.tokens.size());
  }
  check(session.run(model.program(program).name, inputs, all_outputs()));
  collector->add(session, rows, counts);
}

// One row of the batch into its sequence, in chunks.
void feed(const Model& model, size_t program, Session& session, SequenceId sequence, size_t batch_row, const Row& row,
          Collector* collector) {
  const size_t chunk = session.plan().limits().batch_tokens;
  for (size_t first = 0; first < row.tokens.size(); first += chunk) {
    const size_t count = std::min(chunk, row.tokens.size() - first);
    Input input;
    input.sequence = sequence;
    input.tokens = {row.tokens.data() + first, count};
    input.total_length = static_cast<uint32_t>(row.tokens.size());
    check(session.run(model.program(program).name, {&input, 1}, all_outputs()));
    collector->add(session, {batch_row}, {count});
  }
}

// With state: each row of the batch is a sequence of its own, fed in chunks.
void run_chunked(const Model& model, size_t program, const Batch& batch, Limits limits, const LoadedAdapter& adapter,
                 Collector* collector) {
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
    feed(model, program, session, sequence, b, row, collector);
    check(session.remove(sequence));
  }
}

// Rows of sources, all of them read in one run, and what the decoder reads of each in chunks.
void run_from_sources(const Model& model, const Programs& programs, const TensorFile& file, Limits limits, const LoadedAdapter& adapter,
                      TensorFile* results) {
  const Batch sources = token_batch(file, model, programs.encode, input_name(model, programs.encode, "source_ids"));
  const Batch texts = token_batch(file, model, programs.decode, "decoder_input_ids", "decoder_attention_mask");
  if (texts.rows != sources.rows) throw Failure(fmt::format("'decoder_input_ids' has {} rows for {} sources", texts.rows, sources.rows));
  limits.sequences = limits.sources = static_cast<uint32_t>(sources.rows);
  limits.source_tokens = 0;
  for (const Row& row : sources.row) limits.source_tokens += static_cast<uint32_t>(row.tokens.size());
  const auto longest = static_cast<uint32_t>(texts.columns);
  if (!limits.context) limits.context = longest;
  if (!limits.batch_tokens) limits.batch_tokens = longest;
  limits.outputs = limits.batch_tokens;
  Session session = take(Session::create(model, take(plan(model, limits))));
  const AdapterId chosen = adapter.attach(session);
  std::vector<Input> inputs;
  std::vector<size_t> rows, counts;
  for (size_t b = 0; b < sources.rows; ++b) {
    inputs.push_back({.sequence = take(session.add(chosen)), .tokens = sources.row[b].tokens, .positions = sources.row[b].positions});
    rows.push_back(b);
    counts.push_back(sources.row[b].tokens.size());
  }
  Collector encoded(model, programs.encode, sources), decoded(model, programs.decode, texts);
  check(session.run(model.program(programs.encode).name, inputs, all_outputs()));
  encoded.add(session, rows, counts);
  for (size_t b = 0; b < texts.rows; ++b) feed(model, programs.decode, session, inputs[b].sequence, b, texts.row[b], &decoded);
  encoded.finish(results);
  decoded.finish(results);
}

// One program by itself.
void run_alone(const std::string& path, const Model& model, size_t program, const TensorFile& file, const Limits& limits,
               const LoadedAdapter& adapter, TensorFile* results) {
  std::string ids = input_name(model, program, "token_ids");
  Batch batch;
  if (!ids.empty()) {
    batch = token_batch(file, model, program, ids);
  } else {
    for (size_t i = 0; i < model.program(program).inputs; ++i)
      if (model.input(program, i).type == "f32") batch = feature_batch(file, model.input(program, i));
  }
  if (batch.rows == 0) throw Failure(path + ": its program has no input that a file can feed");
  Collector collector(model, program, batch);
  if (model.program(program).kind == "autoregressive")
    run_chunked(model, program, batch, limits, adapter, &collector);
  else
    run_packed(model, program, batch, limits, adapter, &collector);
  collector.finish(results);
}

bool can_feed(const Model& model, size_t program, const TensorFile& file) {
  for (size_t i = 0; i < model.program(program).inputs; ++i) {
    const PortInfo port = model.input(program, i);
    if ((port.role == "token_ids" || port.type == "f32") && !file.count(std::string(port.name))) return false;
  }
  return true;
}

// Every program that the file can feed; what a model of one program lacks, that program says.
void run_each(const std::string& path, const Model& model, const TensorFile& file, const Limits& limits, const LoadedAdapter& adapter,
              TensorFile* results) {
  size_t fed = 0;
  for (size_t program = 0; program < model.programs(); ++program) {
    if (model.programs() > 1 && !can_feed(model, program, file)) continue;
    run_alone(path, model, program, file, limits, adapter, results);
    ++fed;
  }
  if (fed == 0) throw Failure(path + ": the inputs feed none of its programs");
  compare_embeddings(model, results);
}

void run(const Arguments& arguments) {
  Model model = take(Model::open(arguments.model.c_str()));
  TensorFile file = read_tensor_file(arguments.inputs);
  const LoadedAdapter adapter(model, arguments.adapter);
  Limits limits = arguments.session.limits();
  adapter.add_to(&limits);
  TensorFile results;
  const Result<PictureFormat> pictures = picture_format(model);
  if (pictures.ok())
    run_with_pictures(model, *pictures, file, limits, adapter, &results);
  else if (const int encode = find_program(model, "encode"), decode = find_program(model, "decode"); encode >= 0 && decode >= 0)
    run_from_sources(model, {static_cast<size_t>(encode), static_cast<size_t>(decode)}, file, limits, adapter, &results);
  else
    run_each(arguments.model, model, file, limits, adapter, &results);
  write_tensor_file(arguments.outputs, results);
}

}  // namespace

void add_run(CLI::App& app) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand("run", "raw tensors in, raw tensors out, by the reference's names");
  command->add_option("MODEL", arguments->model, ".linnet file")->required();
  command->add_option("--inputs", arguments->inputs, "safetensors file: input_ids, attention_mask, decoder_input_ids, features, ...")
      ->required();
  command->add_option("--outputs", arguments->outputs, "safetensors file to write: logits, last_hidden_state, ...")->required();
  command->add_option("--adapter", arguments->adapter, "LoRA beside the model: a PEFT folder, or what convert made of one");
  arguments->session.add_to(*command);
  command->callback([arguments] { run(*arguments); });
}

}  // namespace linnet::tool
