// DeBERTa, arXiv 2006.03654, in the form of its second and third version: a score is the sum of word by word, word by place and place by
// word.
#include "convert/architecture.h"
#include "convert/architectures/bert_embeddings.h"
#include "convert/architectures/deberta_places.h"
#include "convert/architectures/encoder_heads.h"
#include "convert/sentence_modules.h"

namespace linnet::convert::pages {

namespace {

LayerNames names(const std::string& layer) {
  LayerNames n = bert_names(layer);
  n.query = layer + "attention.self.query_proj";
  n.key = layer + "attention.self.key_proj";
  n.value = layer + "attention.self.value_proj";
  return n;
}

Value embeddings(Graph& g, const Config& config, const std::string& tables, float epsilon, uint32_t hidden) {
  const bool placed = config.flag("position_biased_input", true), typed = config.whole("type_vocab_size", 0) > 0;
  g.program("encode", schema::ProgramKind::encoder, config.count("max_position_embeddings", 512));
  Value x = word_rows(g, tables);  // tokens x width
  if (placed) x = g.add(x, position_rows(g, tables));
  if (typed) x = g.add(x, type_rows(g, tables));
  if (x.columns != hidden) x = g.linear(x, tables + "embed_proj", {.role = WeightRole::classifier});  // tokens x hidden
  if (!placed) g.ignore(tables + "position_embeddings.weight");
  if (!typed) g.ignore(tables + "token_type_embeddings.weight");
  return layer_norm(g, x, tables + "LayerNorm", epsilon);
}

Value layer_output(Graph& g, Value x, const std::string& name, const BertLayer& c, const Places& places, const RelativeRows& rows) {
  const LayerNames n = names(name);
  Value q = g.linear(x, n.query, {.bias = true});                                 // tokens x heads * head_dim
  Value k = g.linear(x, n.key, {.role = WeightRole::key_value, .bias = true});    // tokens x heads * head_dim
  Value v = g.linear(x, n.value, {.role = WeightRole::key_value, .bias = true});  // tokens x heads * head_dim
  AttentionOptions options = {.reader = schema::Reader::bidirectional, .heads = c.heads, .kv_heads = c.heads, .width = c.head_dim};
  options.scale = places.scale(c.head_dim);
  const RelativeTables tables = relative_tables(g, name + "attention.self.", n, places, rows);
  Value a = tables.keys.empty() && tables.queries.empty() ? g.attention(q, k, v, options)
                                                          : g.attention(q, k, v, options, tables);  // tokens x heads * head_dim
  return bert_residuals(g, a, x, n, c);
}

void head(Graph& g, Value x, const Config& config, const BertLayer& layer, const std::string& table) {
  const bool legacy = !g.has("lm_predictions.lm_head.dense.weight");
  const std::string words = legacy ? "cls.predictions." : "lm_predictions.lm_head.", transform = legacy ? words + "transform." : words;
  switch (saved_head(config, g, {"DebertaV2"}, {.words = transform + "dense.weight", .sequences = "pooler.dense.weight"})) {
    case Head::words:
      return predict_words(g, x, config,
                           {.dense = transform + "dense",
                            .norm = transform + "LayerNorm",
                            .activation = layer.activation,
                            .epsilon = layer.epsilon,
                            .decoder = words + "decoder.weight",
                            .biases = {words + "bias", words + "decoder.bias"}},
                           table);
    case Head::sequences:
      return classify_sequences(g, first_token(g, x, "pooler.dense", activation(config.text("pooler_hidden_act", "gelu"))), "classifier",
                                config);
    case Head::tokens:
      return classify_tokens(g, x, "classifier", config);
    case Head::spans:
      return mark_spans(g, x, "qa_outputs");
    case Head::body:
      return leave_bare(g, x, "");
    case Head::pre_training:
      return refuse_head(config, "DebertaV2ForMaskedLM");
  }
}

void write(const Config& config, Graph& g) {
  BertLayer layer = {.heads = config.count("num_attention_heads"),
                     .head_dim = 0,
                     .epsilon = epsilon(config, "layer_norm_eps", 1e-7),
                     .activation = activation(config.text("hidden_act", "gelu"))};
  const uint32_t hidden = config.count("hidden_size"), layers = config.count("num_hidden_layers");
  if (!config.has("attention_head_size") && hidden % layer.heads != 0) config.refuse("hidden_size", "a multiple of num_attention_heads");
  layer.head_dim = config.count("attention_head_size", hidden / layer.heads);
  if (config.whole("conv_kernel_size", 0) > 0)
    config.refuse("conv_kernel_size", "0 (a convolution behind the first layer is not supported)");
  const Places places(config);
  const std::string body = body_prefix(g, "deberta.", "embeddings.word_embeddings.weight"), tables = body + "embeddings.";
  g.expect_size(config, "vocab_size", tables + "word_embeddings.weight", 0);
  g.expect_size(config, "intermediate_size", body + "encoder.layer.0.output.dense.weight", 1);

  Value x = embeddings(g, config, tables, layer.epsilon, hidden);  // tokens x hidden
  g.trace("embedding_output", x);
  const RelativeRows rows = relative_rows(g, body + "encoder.", places, layer.epsilon);
  for (uint32_t i = 0; i < layers; ++i)
    x = layer_output(g, x, body + "encoder.layer." + std::to_string(i) + ".", layer, places, rows);  // tokens x hidden
  g.output(schema::Role::hidden, "last_hidden_state", x);

  for (const char* unused : {"*embeddings.position_ids", "pooler.*", "cls.*", "lm_predictions.*", "mask_predictions.*"}) g.ignore(unused);
  g.ignore(body + "encoder.rel_embeddings.weight");
  g.ignore(body + "encoder.LayerNorm.*");
  if (!sentence_modules(g, x)) head(g, x, config, layer, tables + "word_embeddings.weight");
}

}  // namespace

extern const Architecture deberta_v2 = {
    .family = "deberta-v2",
    .description = "DeBERTa-v2, v3: body, masked LM, sequence and token classification, re-ranking, question answering, sentence embedding",
    .model_types = {"deberta-v2"},
    .write = write,
};

}  // namespace linnet::convert::pages
