// ELECTRA, arXiv 2003.10555: BERT's layers over a word table that may be narrower, trained to tell replaced words (discriminator) or to
// replace them (generator).
#include "convert/architecture.h"
#include "convert/architectures/bert_embeddings.h"
#include "convert/architectures/encoder_heads.h"
#include "convert/sentence_modules.h"

namespace linnet::convert::pages {

namespace {

/// One number for each token: above 0 where it is likelier to have been replaced.
void tell_replaced(Graph& g, Value x, schema::Function activation) {
  const std::string name = "discriminator_predictions.";
  Value h = g.unary(g.linear(x, name + "dense", {.role = WeightRole::classifier, .bias = true}), activation);  // tokens x hidden
  g.output(schema::Role::logits, "logits",
           g.linear(h, name + "dense_prediction", {.role = WeightRole::classifier, .bias = true}));  // tokens x 1
  g.task(schema::Task::token_classification);
  g.labels({"replaced"});
}

void head(Graph& g, Value x, const Config& config, const BertLayer& layer, const std::string& table) {
  const HeadTensors tensors = {.words = "generator_predictions.dense.weight",
                               .sequences = "classifier.out_proj.weight",
                               .pre_training = "discriminator_predictions.dense.weight"};
  switch (saved_head(config, g, {"Electra"}, tensors)) {
    case Head::words:
      return predict_words(g, x, config,
                           {.dense = "generator_predictions.dense",
                            .norm = "generator_predictions.LayerNorm",
                            .activation = schema::Function::gelu,
                            .epsilon = layer.epsilon,
                            .decoder = "generator_lm_head.weight",
                            .biases = {"generator_lm_head.bias"}},
                           table);
    case Head::pre_training:
      return tell_replaced(g, x, layer.activation);
    case Head::sequences:
      return classify_sequences(g, first_token(g, x, "classifier.dense", schema::Function::gelu), "classifier.out_proj", config);
    case Head::tokens:
      return classify_tokens(g, x, "classifier", config);
    case Head::spans:
      return mark_spans(g, x, "qa_outputs");
    case Head::body:
      return leave_bare(g, x, "");
  }
}

void write(const Config& config, Graph& g) {
  const BertLayer layer = bert_keys(config);
  const uint32_t layers = config.count("num_hidden_layers");
  const std::string body = body_prefix(g, "electra.", "embeddings.word_embeddings.weight"), tables = body + "embeddings.";
  expect_tables(config, g, tables, "embedding_size");
  g.expect_size(config, "intermediate_size", body + "encoder.layer.0.output.dense.weight", 1);

  Value x = bert_embeddings(g, tables, layer.epsilon);  // tokens x embedding_size
  if (x.columns != config.count("hidden_size"))
    x = g.linear(x, body + "embeddings_project", {.role = WeightRole::classifier, .bias = true});  // tokens x hidden
  g.trace("embedding_output", x);
  for (uint32_t i = 0; i < layers; ++i) x = bert_layer(g, x, bert_names(body + "encoder.layer." + std::to_string(i) + "."), layer);
  g.output(schema::Role::hidden, "last_hidden_state", x);

  g.ignore("*embeddings.position_ids");
  g.ignore("discriminator_predictions.*");
  g.ignore("generator_*");
  if (!sentence_modules(g, x)) head(g, x, config, layer, tables + "word_embeddings.weight");
}

}  // namespace

extern const Architecture electra = {
    .family = "electra",
    .description = "discriminator, generator; body, sequence and token classification, re-ranking, question answering, sentence embedding",
    .model_types = {"electra"},
    .write = write,
};

}  // namespace linnet::convert::pages
