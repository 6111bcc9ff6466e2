// ALBERT, arXiv 1909.11942: a narrow word table, and layers that share their weights by groups; a group may hold several layers.
#include "convert/architecture.h"
#include "convert/architectures/bert_embeddings.h"
#include "convert/architectures/encoder_heads.h"
#include "convert/sentence_modules.h"

namespace linnet::convert::pages {

namespace {

LayerNames names(const std::string& layer) {
  const std::string attention = layer + "attention.";
  return {attention + "query",     attention + "key", attention + "value",  attention + "dense",
          attention + "LayerNorm", layer + "ffn",     layer + "ffn_output", layer + "full_layer_layer_norm"};
}

void head(Graph& g, Value x, const Config& config, const BertLayer& layer, const std::string& body) {
  const std::string pooler = body + "pooler";
  switch (saved_head(config, g, {"Albert"}, {.words = "predictions.dense.weight", .sequences = pooler + ".weight"})) {
    case Head::words:
    case Head::pre_training:
      return predict_words(g, x, config,
                           {.dense = "predictions.dense",
                            .norm = "predictions.LayerNorm",
                            .activation = layer.activation,
                            .epsilon = layer.epsilon,
                            .decoder = "predictions.decoder.weight",
                            .biases = {"predictions.bias", "predictions.decoder.bias"}},
                           body + "embeddings.word_embeddings.weight");
    case Head::sequences:
      return classify_sequences(g, first_token(g, x, pooler, schema::Function::tanh), "classifier", config);
    case Head::tokens:
      return classify_tokens(g, x, "classifier", config);
    case Head::spans:
      return mark_spans(g, x, "qa_outputs");
    case Head::body:
      return leave_bare(g, x, pooler);
  }
}

void write(const Config& config, Graph& g) {
  BertLayer layer = bert_keys(config);
  layer.activation = activation(config.text("hidden_act", "gelu_new"));
  const uint32_t layers = config.count("num_hidden_layers"), groups = config.count("num_hidden_groups", 1),
                 inner = config.count("inner_group_num", 1);
  if (groups > layers) config.refuse("num_hidden_groups", "at most num_hidden_layers");
  const std::string body = body_prefix(g, "albert.", "embeddings.word_embeddings.weight"), tables = body + "embeddings.";
  const std::string shared = body + "encoder.albert_layer_groups.";
  expect_tables(config, g, tables, "embedding_size");
  g.expect_size(config, "hidden_size", body + "encoder.embedding_hidden_mapping_in.weight", 0);
  g.expect_size(config, "intermediate_size", shared + "0.albert_layers.0.ffn.weight", 0);

  Value x = bert_embeddings(g, tables, layer.epsilon);                                                            // tokens x embedding_size
  x = g.linear(x, body + "encoder.embedding_hidden_mapping_in", {.role = WeightRole::classifier, .bias = true});  // tokens x hidden
  g.trace("embedding_output", x);
  for (uint32_t i = 0; i < layers; ++i) {
    const auto group =
        static_cast<uint32_t>(i / (static_cast<double>(layers) / groups));  // as the reference, where groups do not divide layers
    for (uint32_t k = 0; k < inner; ++k)
      x = bert_layer(g, x, names(fmt::format("{}{}.albert_layers.{}.", shared, group, k)), layer);  // tokens x hidden
  }
  g.output(schema::Role::hidden, "last_hidden_state", x);

  g.ignore("*embeddings.position_ids");
  g.ignore(body + "pooler.*");
  g.ignore("sop_classifier.*");
  g.ignore("predictions.*");
  if (!sentence_modules(g, x)) head(g, x, config, layer, body);
}

}  // namespace

extern const Architecture albert = {
    .family = "albert",
    .description =
        "weights shared by groups of layers; body, masked LM, sequence and token classification, re-ranking, question answering, sentence "
        "embedding",
    .model_types = {"albert"},
    .write = write,
};

}  // namespace linnet::convert::pages
