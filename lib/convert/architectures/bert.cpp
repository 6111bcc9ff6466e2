// BERT, arXiv 1810.04805, with the heads it is published with, and as a sentence encoder (arXiv 1908.10084).
#include "convert/architecture.h"
#include "convert/architectures/bert_embeddings.h"
#include "convert/architectures/encoder_heads.h"
#include "convert/sentence_modules.h"

namespace linnet::convert::pages {

namespace {

void head(Graph& g, Value x, const Config& config, const BertLayer& layer, const std::string& body) {
  const std::string cls = "cls.predictions.", pooler = body + "pooler.dense";
  switch (saved_head(config, g, {"Bert"}, {.words = cls + "transform.dense.weight", .sequences = pooler + ".weight"})) {
    case Head::words:
    case Head::pre_training:
      return predict_words(g, x, config,
                           {.dense = cls + "transform.dense",
                            .norm = cls + "transform.LayerNorm",
                            .activation = layer.activation,
                            .epsilon = layer.epsilon,
                            .decoder = cls + "decoder.weight",
                            .biases = {cls + "bias", cls + "decoder.bias"}},
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
  const BertLayer layer = bert_keys(config);
  const uint32_t layers = config.count("num_hidden_layers");
  const std::string body = body_prefix(g, "bert.", "embeddings.word_embeddings.weight"), tables = body + "embeddings.";
  expect_tables(config, g, tables, "hidden_size");
  g.expect_size(config, "intermediate_size", body + "encoder.layer.0.output.dense.weight", 1);

  Value x = bert_embeddings(g, tables, layer.epsilon);  // tokens x hidden
  g.trace("embedding_output", x);
  for (uint32_t i = 0; i < layers; ++i) x = bert_layer(g, x, bert_names(body + "encoder.layer." + std::to_string(i) + "."), layer);
  g.output(schema::Role::hidden, "last_hidden_state", x);

  g.ignore("*embeddings.position_ids");
  g.ignore(body + "pooler.dense.*");
  if (!sentence_modules(g, x)) head(g, x, config, layer, body);
  g.ignore("cls.*");  // left over from another class
}

}  // namespace

extern const Architecture bert = {
    .family = "bert",
    .description = "body, masked LM, sequence and token classification, re-ranking, question answering, sentence embedding",
    .model_types = {"bert"},
    .write = write,
};

}  // namespace linnet::convert::pages
