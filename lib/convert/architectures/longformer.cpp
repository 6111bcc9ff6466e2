// Longformer, arXiv 2004.05150: RoBERTa with a window around each token and a few global tokens, which see all and are seen by all; their
// own rows are computed with projections of their own.
#include <cmath>

#include "convert/architecture.h"
#include "convert/architectures/bert_embeddings.h"
#include "convert/architectures/encoder_heads.h"
#include "convert/sentence_modules.h"

namespace linnet::convert::pages {

namespace {

/// Positions on either side, by layer: half of attention_window, which is one number or one for each layer.
std::vector<uint32_t> windows(const Config& config, uint32_t layers) {
  const char* key = "attention_window";
  std::vector<float> whole =
      config.has(key) && config.json().at(key).is_array() ? config.numbers(key) : std::vector<float>(layers, float(config.count(key, 512)));
  if (whole.size() != layers) config.refuse(key, "one number for each of the layers");
  std::vector<uint32_t> sides;
  for (float window : whole) {
    if (!(window >= 2 && window <= core::limits::kContext) || std::fmod(window, 2.0f) != 0) config.refuse(key, "even numbers above 0");
    sides.push_back(static_cast<uint32_t>(window) / 2);
  }
  return sides;
}

Value layer_output(Graph& g, Value x, Value globals, const std::string& name, const BertLayer& c, uint32_t window) {
  const std::string self = name + "attention.self.";
  auto project = [&](const std::string& which, WeightRole role) { return g.linear(x, self + which, {.role = role, .bias = true}); };
  AttentionOptions options = {.reader = schema::Reader::window, .heads = c.heads, .kv_heads = c.heads, .width = c.head_dim};
  options.window = window;
  options.both_sides = true;
  Value q = project("query", WeightRole::linear);               // tokens x hidden
  Value k = project("key", WeightRole::key_value);              // tokens x hidden
  Value v = project("value", WeightRole::key_value);            // tokens x hidden
  Value a = g.attention_to_globals(q, k, v, globals, options);  // tokens x hidden

  q = project("query_global", WeightRole::linear);     // tokens x hidden
  k = project("key_global", WeightRole::key_value);    // tokens x hidden
  v = project("value_global", WeightRole::key_value);  // tokens x hidden
  options = {.reader = schema::Reader::bidirectional, .heads = c.heads, .kv_heads = c.heads, .width = c.head_dim};
  a = g.attention_of_globals(q, k, v, globals, a, options);  // tokens x hidden
  return bert_residuals(g, a, x, bert_names(name), c);
}

/// What the reference does where it is not told which tokens are global.
void global_tokens_by_head(Graph& g, const Config& config, Head head) {
  if (head == Head::sequences) g.global_rule(schema::GlobalRule::first);
  if (head == Head::spans) g.global_rule(schema::GlobalRule::before_separator, config.whole("sep_token_id", 2));
}

void write(const Config& config, Graph& g) {
  const BertLayer layer = bert_keys(config);
  const uint32_t layers = config.count("num_hidden_layers");
  const std::vector<uint32_t> window = windows(config, layers);
  const std::string body = body_prefix(g, "longformer.", "embeddings.word_embeddings.weight"), tables = body + "embeddings.";
  expect_tables(config, g, tables, "hidden_size");
  g.expect_size(config, "intermediate_size", body + "encoder.layer.0.output.dense.weight", 1);

  Value x = roberta_embeddings(g, tables, padding_id(config, 1), layer.epsilon);  // tokens x hidden
  Value globals = g.global_tokens();                                              // tokens x 1
  g.trace("embedding_output", x);
  for (uint32_t i = 0; i < layers; ++i)
    x = layer_output(g, x, globals, body + "encoder.layer." + std::to_string(i) + ".", layer, window[i]);  // tokens x hidden
  g.output(schema::Role::hidden, "last_hidden_state", x);

  g.ignore("*embeddings.position_ids");
  g.ignore(body + "pooler.dense.*");
  g.ignore("lm_head.*");
  if (sentence_modules(g, x)) return;
  const std::vector<std::string> classes = {"Longformer"};
  global_tokens_by_head(g, config, saved_head(config, g, classes, kRobertaHeads));
  roberta_head(g, x, config, classes, body + "pooler.dense", tables + "word_embeddings.weight", layer.epsilon);
}

}  // namespace

extern const Architecture longformer = {
    .family = "longformer",
    .description =
        "window and global tokens; body, masked LM, sequence and token classification, re-ranking, question answering, sentence embedding",
    .model_types = {"longformer"},
    .write = write,
};

}  // namespace linnet::convert::pages
