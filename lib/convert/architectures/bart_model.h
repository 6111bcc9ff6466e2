// The models that are made of BART's layers: text to text, and the classifier that reads a text with both stacks.
#pragma once

#include <fmt/format.h>

#include "convert/architectures/bart_layer.h"

namespace linnet::convert::pages {

/// The tables that the two stacks take words from, without ".weight".
struct BartWords {
  std::string encoder, decoder;
};

inline BartWords bart_words(const Config& config, Graph& g, const BartKeys& c) {
  const std::string shared = c.form.body + "shared";
  BartWords words{shared, shared};
  // Two vocabularies: Marian alone says so.
  if (!config.flag("share_encoder_decoder_embeddings", true))
    words = {c.form.body + "encoder.embed_tokens", c.form.body + "decoder.embed_tokens"};
  else if (!g.has(shared + ".weight"))
    words = {c.form.body + "encoder.embed_tokens", c.form.body + "encoder.embed_tokens"};
  g.expect_size(config, "vocab_size", words.encoder + ".weight", 0);
  g.expect_size(config, words.encoder == words.decoder ? "vocab_size" : "decoder_vocab_size", words.decoder + ".weight", 0);
  g.expect_size(config, "d_model", words.encoder + ".weight", 1);
  g.expect_size(config, "d_model", words.decoder + ".weight", 1);
  g.expect_size(config, "encoder_ffn_dim", c.form.body + "encoder.layers.0.fc1.weight", 0);
  g.expect_size(config, "decoder_ffn_dim", c.form.body + "decoder.layers.0.fc1.weight", 0);
  if (words.encoder == words.decoder) g.ignore(c.form.body + "*coder.embed_tokens.weight");  // copies
  g.ignore(c.form.body + "*coder.version");
  return words;
}

/// The class that the file was saved from has a name that ends like this.
inline bool bart_saved_as(const Config& config, const std::string& end) {
  const std::vector<std::string> saved = config.texts("architectures");
  return !saved.empty() && saved[0].size() >= end.size() && saved[0].compare(saved[0].size() - end.size(), end.size(), end) == 0;
}

/// Text to text.
inline void bart_writes(const Config& config, Graph& g, const BartKeys& c, const BartAttention& attention) {
  if (!config.texts("architectures").empty() && !bart_saved_as(config, "ForConditionalGeneration") && !bart_saved_as(config, "MTModel"))
    config.refuse("architectures", "a model for conditional generation");
  const BartWords words = bart_words(config, g, c);
  const uint32_t reads = bart_positions(g, c, "encoder."), writes = bart_positions(g, c, "decoder.");
  g.program("encode", schema::ProgramKind::encode, reads);
  Value ids = g.source_ids(g.size(words.encoder + ".weight", 0));
  Value encoded = bart_embedding(g, ids, g.source_positions(reads), words.encoder, c, "encoder.");  // source tokens x hidden
  encoded = bart_encoder(g, encoded, c, attention);
  const std::vector<Cache> sources = bart_sources(g, encoded, c);
  g.output(schema::Role::hidden, "encoder_last_hidden_state", encoded);

  g.program("decode", schema::ProgramKind::decode, writes);
  ids = g.token_ids(g.size(words.decoder + ".weight", 0));
  Value x = bart_embedding(g, ids, g.positions(writes), words.decoder, c, "decoder.");  // tokens x hidden
  x = bart_decoder(g, x, c, bart_cached(c, sources));
  const std::string head = g.head_matrix("lm_head.weight", words.decoder + ".weight", config.flag("tie_word_embeddings", true));
  const std::string bias = g.has("final_logits_bias") ? "final_logits_bias" : "";
  g.output(schema::Role::logits, "logits",
           g.linear_with(g.select_outputs(x), head, {.role = WeightRole::head, .bias_tensor = bias}));  // outputs x vocabulary
  g.task(schema::Task::text_to_text);
}

inline uint32_t bart_id(const Config& config, const std::string& key, int32_t fallback) {
  const int32_t id = config.whole(key, fallback);
  if (id < 0) config.refuse(key, "a token id");
  return static_cast<uint32_t>(id);
}

/// Both stacks read the text, the decoder one token behind; its state at the last end of text goes through the head.
inline void bart_classifies(const Config& config, Graph& g, const BartKeys& c, const BartAttention& attention) {
  const BartWords words = bart_words(config, g, c);
  const uint32_t positions = std::min(bart_positions(g, c, "encoder."), bart_positions(g, c, "decoder."));
  const uint32_t labels = g.size("classification_head.out_proj.weight", 0);
  if (labels > 1 && config.text("problem_type", "") == "multi_label_classification")
    config.refuse("problem_type", "\"single_label_classification\" (labels that are true independently of each other are not supported)");
  g.program("classify", schema::ProgramKind::encoder, positions);
  Value ids = g.token_ids(g.size(words.encoder + ".weight", 0)), places = g.positions(positions);
  Value encoded = bart_encoder(g, bart_embedding(g, ids, places, words.encoder, c, "encoder."), c, attention);  // tokens x hidden
  // The reference puts decoder_start_token_id first, as its shift_tokens_right says.
  const Value shifted = g.shift_right(ids, bart_id(config, "decoder_start_token_id", 2));
  Value x = bart_embedding(g, shifted, places, words.decoder, c, "decoder.");                                    // tokens x hidden
  x = g.pool_last_of(bart_decoder(g, x, c, bart_at_once(c, encoded)), ids, bart_id(config, "eos_token_id", 2));  // sequences x hidden
  x = g.unary(g.linear(x, "classification_head.dense", {.role = WeightRole::classifier, .bias = true}), schema::Function::tanh);
  Value logits = g.linear(x, "classification_head.out_proj", {.role = WeightRole::classifier, .bias = true});  // sequences x labels
  g.output(schema::Role::logits, "logits", logits);
  if (labels == 1) g.output(schema::Role::score, "score", g.unary(logits, schema::Function::sigmoid));
  g.task(labels == 1 ? schema::Task::reranking : schema::Task::sequence_classification);
  g.labels(convert::labels(config, labels));
  g.ignore("final_logits_bias");
  g.ignore("lm_head.weight");
}

}  // namespace linnet::convert::pages
