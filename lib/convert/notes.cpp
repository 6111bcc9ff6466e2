#include "convert/notes.h"

#include <fmt/format.h>

#include <algorithm>

namespace linnet::convert {

namespace {

struct GenerationKey {
  const char* name;
  const char* neutral;  // JSON: the value that changes nothing
};
constexpr GenerationKey kNotKept[] = {
    {"min_p", "0"},
    {"typical_p", "1"},
    {"top_h", "1"},
    {"epsilon_cutoff", "0"},
    {"eta_cutoff", "0"},
    {"penalty_alpha", "0"},
    {"guidance_scale", "1"},
    {"encoder_repetition_penalty", "1"},
    {"encoder_no_repeat_ngram_size", "0"},
    {"diversity_penalty", "0"},
    {"num_beam_groups", "1"},
    {"min_length", "0"},
    {"min_new_tokens", "0"},
    {"max_new_tokens", "0"},
    {"max_time", "0"},
    {"exponential_decay_length_penalty", "null"},
    {"begin_suppress_tokens", "[]"},
    {"forced_decoder_ids", "[]"},
    {"force_words_ids", "[]"},
    {"constraints", "[]"},
    {"sequence_bias", "{}"},
    {"stop_strings", "[]"},
    {"renormalize_logits", "false"},
    {"remove_invalid_values", "false"},
    {"dola_layers", "null"},
    {"watermarking_config", "null"},
    {"token_healing", "false"},
    {"num_return_sequences", "1"},
};

// Of encoder-decoders they are kept.
bool is_length(const std::string& key) { return key == "min_length" || key == "min_new_tokens" || key == "max_new_tokens"; }

std::string short_text(const Json& value) { return value.dump(-1, ' ', false, Json::error_handler_t::replace).substr(0, 80); }

}  // namespace

void note_second_rounding(const Checkpoint& checkpoint, const Options& options, Notes* notes) {
  if (!checkpoint.is_gguf() || options.weights == "f32") return;
  std::map<std::string, size_t> blocks;
  for (const SourceTensor& tensor : checkpoint.tensors())
    if (tensor.type != "F32" && tensor.type != "F16" && tensor.type != "BF16" && tensor.type != "mxfp4" && tensor.type[0] != 'I')
      ++blocks[tensor.type];
  for (const auto& [type, count] : blocks)
    notes->push_back(
        fmt::format("{} tensors that the source stores as {} were decoded and rounded again to {}", count, type, options.weights));
}

void note_generation(const Config& generation, Notes* notes, bool from_source) {
  for (const GenerationKey& key : kNotKept) {
    if (!generation.has(key.name) || (from_source && is_length(key.name))) continue;
    const Json& value = generation.json().at(key.name);
    if (value != Json::parse(key.neutral))
      notes->push_back(fmt::format("generation_config.json: {} is {}, which the file has no place for", key.name, short_text(value)));
  }
}

void note_ids_beyond(const TokenizerDraft& tokenizer, const Graph& graph, Notes* notes) {
  size_t ids = tokenizer.pieces.size();
  for (const AddedDraft& token : tokenizer.added) ids = std::max<size_t>(ids, size_t{token.id} + 1);
  for (const Graph::Program& program : graph.programs())
    for (const Graph::Port& port : program.inputs)
      if (const uint32_t rows = program.values[port.value].bound; port.role == schema::Role::token_ids && ids > rows)
        notes->push_back(
            fmt::format("the tokenizer has {} ids, but the embedding only {} rows: texts that become one of the ids beyond will be refused",
                        ids, rows));
}

}  // namespace linnet::convert
