// The heads that encoders are published with. A page says which it has and what their tensors are called.
#pragma once

#include <fmt/format.h>

#include "convert/architectures/bert_layer.h"

namespace linnet::convert::pages {

enum class Head : uint8_t { body, pre_training, words, sequences, tokens, spans };

/// Tensors that tell the head in files whose config.json names no class; "" = the family has none such.
struct HeadTensors {
  std::string words;
  std::string sequences;  // what a classifier of whole texts has and one of tokens has not
  std::string pre_training = "";
};

/// The head of the class that the file was saved from. `classes`: what those of the family begin with ("Roberta").
inline Head saved_head(const Config& config, const Graph& g, const std::vector<std::string>& classes, const HeadTensors& tensors) {
  static const std::pair<const char*, Head> kHeads[] = {{"Model", Head::body},
                                                        {"ForPreTraining", Head::pre_training},
                                                        {"ForMaskedLM", Head::words},
                                                        {"ForSequenceClassification", Head::sequences},
                                                        {"ForTokenClassification", Head::tokens},
                                                        {"ForQuestionAnswering", Head::spans}};
  const std::vector<std::string> saved = config.texts("architectures");
  if (!saved.empty()) {
    for (const std::string& family : classes)
      for (const auto& [ending, head] : kHeads)
        if (saved[0] == family + ending) return head;
    throw Error(fmt::format("the {} head {} is not supported", classes[0], saved[0]));
  }
  if (g.has("qa_outputs.weight")) return Head::spans;
  if (g.has("classifier.weight") || g.has("classifier.out_proj.weight")) return g.has(tensors.sequences) ? Head::sequences : Head::tokens;
  if (g.has(tensors.words)) return Head::words;
  return g.has(tensors.pre_training) ? Head::pre_training : Head::body;
}

/// The first token of each sequence through a layer: sequences x rows of `dense`.
inline Value first_token(Graph& g, Value x, const std::string& dense, schema::Function function) {
  Value first = g.pool(x, schema::PoolKind::first);  // sequences x hidden
  return g.unary(g.linear(first, dense, {.role = WeightRole::classifier, .bias = true}), function);
}

/// h: sequences x hidden. With one label it is a re-ranker (arXiv 1901.04085), and its score is the label's probability.
inline void classify_sequences(Graph& g, Value h, const std::string& name, const Config& config) {
  const uint32_t count = g.size(name + ".weight", 0);
  if (count > 1 && config.text("problem_type", "") == "multi_label_classification")
    config.refuse("problem_type", "\"single_label_classification\" (labels that are true independently of each other are not supported)");
  Value logits = g.linear(h, name, {.role = WeightRole::classifier, .bias = true});  // sequences x labels
  g.output(schema::Role::logits, "logits", logits);
  if (count == 1) g.output(schema::Role::score, "score", g.unary(logits, schema::Function::sigmoid));
  g.task(count == 1 ? schema::Task::reranking : schema::Task::sequence_classification);
  g.labels(labels(config, count));
}

/// x: tokens x hidden.
inline void classify_tokens(Graph& g, Value x, const std::string& name, const Config& config) {
  g.output(schema::Role::logits, "logits", g.linear(x, name, {.role = WeightRole::classifier, .bias = true}));  // tokens x labels
  g.task(schema::Task::token_classification);
  g.labels(labels(config, g.size(name + ".weight", 0)));
}

/// x: tokens x hidden. The question's answer lies between the best start and the best end.
inline void mark_spans(Graph& g, Value x, const std::string& name) {
  if (g.size(name + ".weight", 0) != 2)
    throw Error(fmt::format("tensor {}.weight has {} rows, expected 2: for start and end", name, g.size(name + ".weight", 0)));
  Value both = g.linear(x, name, {.role = WeightRole::classifier, .bias = true});  // tokens x 2
  g.output(schema::Role::start_logits, "start_logits", g.slice(both, 0, 1));
  g.output(schema::Role::end_logits, "end_logits", g.slice(both, 1, 1));
  g.task(schema::Task::question_answering);
}

struct WordHead {
  std::string dense, norm;  // tokens are turned into rows like the word table's by them
  schema::Function activation;
  float epsilon;
  std::string decoder;              // the word table, where the file has it a second time or another one
  std::vector<std::string> biases;  // names that it goes by; files may have any of them, or several
};

/// x: tokens x hidden. `table`: the word table's full name.
inline void predict_words(Graph& g, Value x, const Config& config, const WordHead& head, const std::string& table) {
  Value h = g.linear(g.select_outputs(x), head.dense, {.role = WeightRole::head, .bias = true});  // outputs x width
  h = layer_norm(g, g.unary(h, head.activation), head.norm, head.epsilon);
  const std::string matrix = g.head_matrix(head.decoder, table, config.flag("tie_word_embeddings", true));
  std::string bias;
  for (const std::string& name : head.biases) {
    if (bias.empty() && g.has(name)) bias = name;
    g.ignore(name);
  }
  g.output(schema::Role::logits, "logits",
           g.linear_with(h, matrix, {.role = WeightRole::head, .bias_tensor = bias}));  // outputs x vocabulary
  g.task(schema::Task::masked_language_model);
}

/// The body without a head. `pooler`: the layer over the first token, where the file may have one; "" = the family has none.
inline void leave_bare(Graph& g, Value x, const std::string& pooler) {
  if (!pooler.empty() && g.has(pooler + ".weight"))
    g.output(schema::Role::pooled, "pooler_output", first_token(g, x, pooler, schema::Function::tanh));  // sequences x hidden
  g.task(schema::Task::feature_extraction);
}

[[noreturn]] inline void refuse_head(const Config& config, const std::string& expected) {
  config.refuse("architectures", "a class that this family has, such as " + expected);
}

const inline HeadTensors kRobertaHeads = {.words = "lm_head.dense.weight", .sequences = "classifier.out_proj.weight"};

/// RoBERTa's heads (arXiv 1907.11692), which MPNet and Longformer kept. x: tokens x hidden; `table`: the word table's full name.
inline void roberta_head(Graph& g, Value x, const Config& config, const std::vector<std::string>& classes, const std::string& pooler,
                         const std::string& table, float epsilon) {
  switch (saved_head(config, g, classes, kRobertaHeads)) {
    case Head::words:
      return predict_words(g, x, config,
                           {.dense = "lm_head.dense",
                            .norm = "lm_head.layer_norm",
                            .activation = schema::Function::gelu,
                            .epsilon = epsilon,
                            .decoder = "lm_head.decoder.weight",
                            .biases = {"lm_head.bias", "lm_head.decoder.bias"}},
                           table);
    case Head::sequences:
      return classify_sequences(g, first_token(g, x, "classifier.dense", schema::Function::tanh), "classifier.out_proj", config);
    case Head::tokens:
      return classify_tokens(g, x, "classifier", config);
    case Head::spans:
      return mark_spans(g, x, "qa_outputs");
    case Head::body:
      return leave_bare(g, x, pooler);
    case Head::pre_training:
      return refuse_head(config, "ForMaskedLM");
  }
}

}  // namespace linnet::convert::pages
