// BERT, arXiv 1810.04805, with the heads it is published with, and as a sentence encoder (arXiv 1908.10084).
#include <fmt/format.h>

#include "convert/architecture.h"
#include "convert/architectures/bert_layer.h"
#include "convert/sentence_modules.h"

namespace linnet::convert::pages {

namespace {

struct Keys {
  explicit Keys(const Config& c)
      : hidden(c.count("hidden_size")),
        layers(c.count("num_hidden_layers")),
        activation(convert::activation(c.text("hidden_act", "gelu"))) {
    layer.heads = c.count("num_attention_heads");
    if (hidden % layer.heads != 0) c.refuse("hidden_size", "a multiple of num_attention_heads");
    layer.head_dim = hidden / layer.heads;
    layer.epsilon = epsilon(c, "layer_norm_eps", 1e-12);
    layer.activation = activation;
    c.require("position_embedding_type", "absolute", "relative positions are not supported");
    c.require("is_decoder", false, "only the encoder is supported");
    c.require("pruned_heads", Json::object(), "layers with fewer heads are not supported");
    c.require("add_cross_attention", false, "only the encoder is supported");
  }
  uint32_t hidden, layers;
  schema::Function activation;
  BertLayer layer;
};

void masked_language_model(Graph& g, Value x, const Config& config, const Keys& c, const std::string& table) {
  const std::string cls = "cls.predictions.";
  Value h = g.linear(g.select_outputs(x), cls + "transform.dense", {.role = WeightRole::head, .bias = true});  // outputs x hidden
  h = layer_norm(g, g.unary(h, c.activation), cls + "transform.LayerNorm", c.layer.epsilon);
  const std::string matrix = g.head_matrix(cls + "decoder.weight", table, config.flag("tie_word_embeddings", true));
  const bool plain = g.has(cls + "bias"), twin = g.has(cls + "decoder.bias");
  const std::string bias = plain ? cls + "bias" : twin ? cls + "decoder.bias" : "";
  g.output(schema::Role::logits, "logits",
           g.linear_with(h, matrix, {.role = WeightRole::head, .bias_tensor = bias}));  // outputs x vocabulary
  g.task(schema::Task::masked_language_model);
}

Value pooler(Graph& g, Value x, const std::string& body) {
  Value first = g.pool(x, schema::PoolKind::first);  // sequences x hidden
  return g.unary(g.linear(first, body + "pooler.dense", {.role = WeightRole::classifier, .bias = true}), schema::Function::tanh);
}

void sequence_classification(Graph& g, Value x, const Config& config, const std::string& body) {
  const uint32_t count = g.size("classifier.weight", 0);
  if (count > 1 && config.text("problem_type", "") == "multi_label_classification")
    config.refuse("problem_type", "\"single_label_classification\" (labels that are true independently of each other are not supported)");
  Value logits = g.linear(pooler(g, x, body), "classifier", {.role = WeightRole::classifier, .bias = true});  // sequences x labels
  g.output(schema::Role::logits, "logits", logits);
  if (count == 1) g.output(schema::Role::score, "score", g.unary(logits, schema::Function::sigmoid));
  g.task(count == 1 ? schema::Task::reranking : schema::Task::sequence_classification);
  g.labels(labels(config, count));
}

void token_classification(Graph& g, Value x, const Config& config) {
  g.output(schema::Role::logits, "logits", g.linear(x, "classifier", {.role = WeightRole::classifier, .bias = true}));  // tokens x labels
  g.task(schema::Task::token_classification);
  g.labels(labels(config, g.size("classifier.weight", 0)));
}

void question_answering(Graph& g, Value x) {
  if (g.size("qa_outputs.weight", 0) != 2)
    throw Error(fmt::format("tensor qa_outputs.weight has {} rows, expected 2: for start and end", g.size("qa_outputs.weight", 0)));
  Value both = g.linear(x, "qa_outputs", {.role = WeightRole::classifier, .bias = true});  // tokens x 2
  g.output(schema::Role::start_logits, "start_logits", g.slice(both, 0, 1));
  g.output(schema::Role::end_logits, "end_logits", g.slice(both, 1, 1));
  g.task(schema::Task::question_answering);
}

/// The class that the file was saved from; where config.json names none, the heads that the file has tell.
std::string saved_class(const Config& config, const Graph& g, const std::string& body) {
  std::vector<std::string> names = config.texts("architectures");
  if (!names.empty()) return names[0];
  if (g.has("qa_outputs.weight")) return "BertForQuestionAnswering";
  if (g.has("classifier.weight"))
    return g.has(body + "pooler.dense.weight") ? "BertForSequenceClassification" : "BertForTokenClassification";
  return g.has("cls.predictions.transform.dense.weight") ? "BertForMaskedLM" : "BertModel";
}

void head(Graph& g, Value x, const Config& config, const Keys& c, const std::string& body) {
  const std::string saved = saved_class(config, g, body);
  if (saved == "BertForMaskedLM" || saved == "BertForPreTraining") {
    masked_language_model(g, x, config, c, body + "embeddings.word_embeddings.weight");
  } else if (saved == "BertForSequenceClassification") {
    sequence_classification(g, x, config, body);
  } else if (saved == "BertForTokenClassification") {
    token_classification(g, x, config);
  } else if (saved == "BertForQuestionAnswering") {
    question_answering(g, x);
  } else if (saved == "BertModel") {
    if (g.has(body + "pooler.dense.weight")) g.output(schema::Role::pooled, "pooler_output", pooler(g, x, body));  // sequences x hidden
    g.task(schema::Task::feature_extraction);
  } else {
    throw Error(fmt::format("the BERT head {} is not supported", saved));
  }
}

void write(const Config& config, Graph& g) {
  const Keys c(config);
  const std::string body = g.has("bert.embeddings.word_embeddings.weight") ? "bert." : "";
  const std::string tables = body + "embeddings.";
  const uint32_t positions = g.size(tables + "position_embeddings.weight", 0);

  g.expect_size(config, "vocab_size", tables + "word_embeddings.weight", 0);
  g.expect_size(config, "hidden_size", tables + "word_embeddings.weight", 1);
  g.expect_size(config, "max_position_embeddings", tables + "position_embeddings.weight", 0);
  g.expect_size(config, "type_vocab_size", tables + "token_type_embeddings.weight", 0);
  g.expect_size(config, "intermediate_size", body + "encoder.layer.0.output.dense.weight", 1);

  g.program("encode", schema::ProgramKind::encoder, positions);
  Value words = g.embed(g.token_ids(g.size(tables + "word_embeddings.weight", 0)), tables + "word_embeddings");  // tokens x hidden
  Value types = g.embed(g.token_types(g.size(tables + "token_type_embeddings.weight", 0)), tables + "token_type_embeddings",
                        {.role = WeightRole::exact});                                                           // tokens x hidden
  Value places = g.embed(g.positions(positions), tables + "position_embeddings", {.role = WeightRole::exact});  // tokens x hidden
  Value x = layer_norm(g, g.add(g.add(words, types), places), tables + "LayerNorm", c.layer.epsilon);
  g.trace("embedding_output", x);

  for (uint32_t layer = 0; layer < c.layers; ++layer)
    x = bert_layer(g, x, body + "encoder.layer." + std::to_string(layer) + ".", c.layer);  // tokens x hidden
  g.output(schema::Role::hidden, "last_hidden_state", x);

  g.ignore("*embeddings.position_ids");
  g.ignore(body + "pooler.dense.*");
  if (!sentence_modules(g, x)) head(g, x, config, c, body);
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
