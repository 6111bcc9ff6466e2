#include "convert/convert.h"

#include <fmt/format.h>

#include "convert/architecture.h"
#include "convert/generation_config.h"
#include "convert/model_tables.h"
#include "convert/notes.h"
#include "convert/reopen.h"
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

TensorReport report_of(const Weight& weight, const Packed& packed, const Options& options) {
  std::string encoding = schema::EnumNameEncoding(weight.encoding);
  if (options.simulate && is_quantized(weight.encoding)) encoding = "f32 of " + encoding;
  double damage = packed.squared_weight > 0 ? packed.squared_error / packed.squared_weight : 0;
  return {weight.name, encoding, weight.rows, weight.columns, weight.count, packed.bytes.size(), damage};
}

[[noreturn]] void stop() { throw Error("stopped before the file was complete"); }

void tell(const Options& options, const std::string& what, size_t done, size_t total) {
  if (options.progress && !options.progress(what, done, total)) stop();
}

void stop_if_interrupted(const Options& options) {
  if (options.interrupted && options.interrupted()) stop();
}

std::vector<StoredTensor> pack_all(Graph& graph, Writer& writer, Report* report) {
  Weights& weights = graph.weights();
  const Options& options = weights.options();
  std::vector<StoredTensor> stored;
  for (uint32_t i = 0; i < weights.size(); ++i) {
    stop_if_interrupted(options);
    tell(options, weights[i].name, i, weights.size());
    Packed packed = weights.pack(weights[i]);
    Writer::Place place = writer.add(packed.bytes);
    stored.push_back({packed.encoding, packed.group, place.offset, packed.bytes.size(), place.checksum});
    report->tensors.push_back(report_of(weights[i], packed, options));
  }
  tell(options, "", weights.size(), weights.size());
  return stored;
}

bool writes_text(schema::Task task) { return task == schema::Task::text_generation || task == schema::Task::text_to_text; }

// Before the weights are packed: it may be refused.
void check_tokenizer(schema::Task task, TokenizerDraft* tokenizer) {
  // tokenizer.json keeps how texts were cut in training; the reference cuts no prompt.
  if (writes_text(task))
    tokenizer->max_length = 0;
  else if (!tokenizer->foreign_cut.empty())
    throw Error(tokenizer->foreign_cut);
  open_draft(*tokenizer);
}

/// The text that the file carries, and how it goes on writing; what is refused of them is refused before the weights are packed.
ModelExtras write_extras(const Checkpoint& checkpoint, const Config& config, const TokenizerDraft* tokenizer, Graph& graph,
                         Report* report) {
  ModelExtras extras;
  extras.family = report->family;
  if (writes_text(graph.task())) {
    const bool from_source = graph.task() == schema::Task::text_to_text;
    Config generation(checkpoint.generation_config(), checkpoint.is_gguf() ? "metadata" : "generation_config.json");
    // Older encoder-decoders have all of it in config.json.
    if (from_source && checkpoint.generation_config().is_null()) generation = config;
    extras.generation = write_generation(graph.builder(), generation, config, from_source);
    note_generation(generation, &report->notes, from_source);
  }
  if (tokenizer) {
    extras.tokenizer = write_tokenizer(graph.builder(), *tokenizer);
    note_ids_beyond(*tokenizer, graph, &report->notes);
  }
  if (std::optional<TokenizerDraft> target = read_target_tokenizer(checkpoint)) {
    open_draft(*target);
    extras.target_tokenizer = write_tokenizer(graph.builder(), *target);
  }
  if (!graph.weights().options().chat_template) return extras;
  const ChatFiles chat = read_chat_files(checkpoint);
  check_chat_templates(chat.templates);
  extras.chat_templates = chat.templates;
  if (!chat.templates.empty()) extras.special_tokens = chat.tokens;
  return extras;
}

Report convert_checkpoint(const std::string& source, const std::string& output, const Options& options) {
  std::unique_ptr<Checkpoint> checkpoint = open_checkpoint(source);
  const Architecture& page = choose_architecture(*checkpoint, architectures());
  const Config config(*checkpoint);
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
  ModelExtras extras = write_extras(*checkpoint, config, tokenizer ? &*tokenizer : nullptr, graph, &report);
  extras.metadata = {{"source", last_component(source)}, {"weights", options.weights + (options.simulate ? ", simulated in f32" : "")}};
  if (!graph.left_out().empty()) extras.metadata.emplace_back("left out", graph.left_out());

  Writer writer(output);
  std::vector<StoredTensor> stored = pack_all(graph, writer, &report);
  graph.builder().Finish(write_model(graph, stored, extras));
  const auto tick = [&] { stop_if_interrupted(options); };
  // The runtime has the last word: what it would not open gets no name.
  const auto check_whole = [&](const std::string& path) {
    if (std::string unchecked = check_opens(path, output, tick); !unchecked.empty()) report.notes.push_back(std::move(unchecked));
  };
  report.file_bytes = writer.finish(graph.builder().GetBufferPointer(), graph.builder().GetSize(), tick, check_whole);
  return report;
}

}  // namespace

Report convert(const std::string& source, const std::string& output, const Options& options) {
  try {
    return convert_checkpoint(source, output, options);
  } catch (const std::exception&) {
    throw_about(source);
  }
}

std::vector<Family> families() {
  std::vector<Family> all;
  for (const Architecture* page : architectures()) all.push_back({page->family, page->model_types, page->description});
  return all;
}

}  // namespace linnet::convert
