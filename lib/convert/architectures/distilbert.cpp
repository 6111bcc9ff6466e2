// DistilBERT, arXiv 1910.01108: BERT's layers under other names, without segments and without a pooler.
#include "convert/architecture.h"
#include "convert/architectures/bert_embeddings.h"
#include "convert/architectures/encoder_heads.h"
#include "convert/sentence_modules.h"

namespace linnet::convert::pages {

namespace {

constexpr float kEpsilon = 1e-12f;

LayerNames names(const std::string& layer) {
  const std::string attention = layer + "attention.";
  return {attention + "q_lin",     attention + "k_lin", attention + "v_lin", attention + "out_lin",
          layer + "sa_layer_norm", layer + "ffn.lin1",  layer + "ffn.lin2",  layer + "output_layer_norm"};
}

void head(Graph& g, Value x, const Config& config, schema::Function activation, const std::string& table) {
  switch (saved_head(config, g, {"DistilBert"}, {.words = "vocab_transform.weight", .sequences = "pre_classifier.weight"})) {
    case Head::words:
      return predict_words(g, x, config,
                           {.dense = "vocab_transform",
                            .norm = "vocab_layer_norm",
                            .activation = activation,
                            .epsilon = kEpsilon,
                            .decoder = "vocab_projector.weight",
                            .biases = {"vocab_projector.bias"}},
                           table);
    case Head::sequences:
      return classify_sequences(g, first_token(g, x, "pre_classifier", schema::Function::relu), "classifier", config);
    case Head::tokens:
      return classify_tokens(g, x, "classifier", config);
    case Head::spans:
      return mark_spans(g, x, "qa_outputs");
    case Head::body:
      return leave_bare(g, x, "");
    case Head::pre_training:
      return refuse_head(config, "DistilBertForMaskedLM");
  }
}

void write(const Config& config, Graph& g) {
  const uint32_t hidden = config.count("dim"), heads = config.count("n_heads"), layers = config.count("n_layers");
  if (hidden % heads != 0) config.refuse("dim", "a multiple of n_heads");
  config.require("pruned_heads", Json::object(), "layers with fewer heads are not supported");
  const BertLayer layer = {heads, hidden / heads, kEpsilon, activation(config.text("activation", "gelu"))};
  const std::string body = body_prefix(g, "distilbert.", "embeddings.word_embeddings.weight"), tables = body + "embeddings.";
  expect_tables(config, g, tables, "dim");
  g.expect_size(config, "hidden_dim", body + "transformer.layer.0.ffn.lin2.weight", 1);

  Value x = bert_embeddings(g, tables, kEpsilon, Segments::none);  // tokens x hidden
  g.trace("embedding_output", x);
  for (uint32_t i = 0; i < layers; ++i) x = bert_layer(g, x, names(body + "transformer.layer." + std::to_string(i) + "."), layer);
  g.output(schema::Role::hidden, "last_hidden_state", x);

  g.ignore("*embeddings.position_ids");
  g.ignore("vocab_*");
  if (!sentence_modules(g, x)) head(g, x, config, layer.activation, tables + "word_embeddings.weight");
}

}  // namespace

extern const Architecture distilbert = {
    .family = "distilbert",
    .description = "body, masked LM, sequence and token classification, re-ranking, question answering, sentence embedding",
    .model_types = {"distilbert"},
    .write = write,
};

}  // namespace linnet::convert::pages
