#include "convert/convert.h"

#include <fmt/format.h>

#include "convert/architecture.h"
#include "convert/generation_config.h"
#include "convert/model_tables.h"
#include "convert/text/chat_templates.h"
#include "convert/text/draft_tokenizer.h"
#include "convert/text/tokenizer_reader.h"
#include "convert/writer.h"

namespace linnet::convert {

namespace {

std::string last_component(const std::string& path) {
  std::string trimmed = path.substr(0, path.find_last_not_of('/') + 1);
  return trimmed.substr(trimmed.rfind('/') + 1);
}

// Blocks of a GGUF file are decoded and rounded anew; someone who wonders about the damage should know.
void note_second_rounding(const Checkpoint& checkpoint, const Options& options, std::vector<std::string>* notes) {
  if (!checkpoint.is_gguf() || options.weights == "f32") return;
  std::map<std::string, size_t> blocks;
  for (const SourceTensor& tensor : checkpoint.tensors())
    if (tensor.type != "F32" && tensor.type != "F16" && tensor.type != "BF16" && tensor.type[0] != 'I') ++blocks[tensor.type];
  for (const auto& [type, count] : blocks)
    notes->push_back(
        fmt::format("{} tensors that the source stores as {} were decoded and rounded again to {}", count, type, options.weights));
}

TensorReport report_of(const Weight& weight, const Packed& packed, const Options& options) {
  std::string encoding = schema::EnumNameEncoding(weight.encoding);
  if (options.simulate && is_quantized(weight.encoding)) encoding = "f32 of " + encoding;
  double damage = packed.squared_weight > 0 ? packed.squared_error / packed.squared_weight : 0;
  return {weight.name, encoding, weight.rows, weight.columns, 1, packed.bytes.size(), damage};
}

void tell(const Options& options, const std::string& what, size_t done, size_t total) {
  if (options.progress && !options.progress(what, done, total)) throw Error("stopped before the file was complete");
}

std::vector<StoredTensor> pack_all(Graph& graph, Writer& writer, Report* report) {
  Weights& weights = graph.weights();
  const Options& options = weights.options();
  std::vector<StoredTensor> stored;
  for (uint32_t i = 0; i < weights.size(); ++i) {
    tell(options, weights[i].name, i, weights.size());
    Packed packed = weights.pack(weights[i]);
    Writer::Place place = writer.add(packed.bytes);
    stored.push_back({packed.encoding, packed.group, place.offset, packed.bytes.size(), place.checksum});
    report->tensors.push_back(report_of(weights[i], packed, options));
  }
  tell(options, "", weights.size(), weights.size());
  return stored;
}

// Before the weights are packed: it may be refused.
void check_tokenizer(schema::Task task, TokenizerDraft* tokenizer) {
  // tokenizer.json keeps how texts were cut in training; the reference cuts no prompt.
  if (task == schema::Task::text_generation)
    tokenizer->max_length = 0;
  else if (!tokenizer->foreign_cut.empty())
    throw Error(tokenizer->foreign_cut);
  open_draft(*tokenizer);
}

}  // namespace

Report convert(const std::string& source, const std::string& output, const Options& options) {
  std::unique_ptr<Checkpoint> checkpoint = open_checkpoint(source);
  const Architecture& page = choose_architecture(*checkpoint, architectures());
  const Config config(checkpoint->config());
  std::optional<TokenizerDraft> tokenizer = read_tokenizer(*checkpoint);
  Graph graph(*checkpoint, options);
  page.write(config, graph);
  graph.weights().check_overrides();
  graph.check_everything_read();
  if (tokenizer) check_tokenizer(graph.task(), &*tokenizer);
  graph.fold();

  Report report;
  report.family = page.family;
  report.task = schema::EnumNameTask(graph.task());
  report.notes = graph.notes();
  note_second_rounding(*checkpoint, options, &report.notes);

  Writer writer(output);
  std::vector<StoredTensor> stored = pack_all(graph, writer, &report);
  ModelExtras extras;
  extras.family = page.family;
  if (graph.task() == schema::Task::text_generation)
    extras.generation = write_generation(graph.builder(), Config(checkpoint->generation_config(), "generation_config.json"), config);
  if (tokenizer) extras.tokenizer = write_tokenizer(graph.builder(), *tokenizer);
  extras.chat_templates = read_chat_templates(*checkpoint);
  extras.metadata = {{"source", last_component(source)}, {"weights", options.weights + (options.simulate ? ", simulated in f32" : "")}};
  graph.builder().Finish(write_model(graph, stored, extras));
  report.file_bytes = writer.finish(graph.builder().GetBufferPointer(), graph.builder().GetSize());
  return report;
}

std::vector<Family> families() {
  std::vector<Family> all;
  for (const Architecture* page : architectures()) all.push_back({page->family, page->description});
  return all;
}

}  // namespace linnet::convert
