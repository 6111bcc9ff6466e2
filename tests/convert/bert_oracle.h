// BERT in plain double precision, and checkpoints of any shape for it.
#pragma once

#include "convert/fake_checkpoint.h"
#include "convert/oracle.h"
#include "runtime/small_models.h"

namespace linnet::oracle {

struct BertShape {
  size_t hidden = 20, layers = 1, heads = 2, intermediate = 24, vocabulary = 30, positions = 16, types = 2, labels = 3;
  std::string activation = "gelu", saved = "BertModel";  // saved: the class, which names the head
  double epsilon = 1e-12;
};

inline convert::FakeCheckpoint bert_checkpoint(const BertShape& s, uint32_t seed) {
  convert::FakeCheckpoint c({{"model_type", "bert"},
                             {"architectures", {s.saved}},
                             {"hidden_size", s.hidden},
                             {"num_hidden_layers", s.layers},
                             {"num_attention_heads", s.heads},
                             {"intermediate_size", s.intermediate},
                             {"vocab_size", s.vocabulary},
                             {"max_position_embeddings", s.positions},
                             {"type_vocab_size", s.types},
                             {"hidden_act", s.activation},
                             {"layer_norm_eps", s.epsilon}});
  tests::Weights w(seed);
  auto matrix = [&](const std::string& name, size_t rows, size_t columns) {
    c.put(name + ".weight", {rows, columns}, w.matrix(rows, columns));
  };
  auto linear = [&](const std::string& name, size_t rows, size_t columns) {
    matrix(name, rows, columns);
    c.put(name + ".bias", {rows}, w.around(0, rows));
  };
  auto norm = [&](const std::string& name) {
    c.put(name + ".weight", {s.hidden}, w.around(1, s.hidden)).put(name + ".bias", {s.hidden}, w.around(0, s.hidden));
  };
  const std::string body = s.saved == "BertModel" ? "" : "bert.";
  matrix(body + "embeddings.word_embeddings", s.vocabulary, s.hidden);
  matrix(body + "embeddings.position_embeddings", s.positions, s.hidden);
  matrix(body + "embeddings.token_type_embeddings", s.types, s.hidden);
  norm(body + "embeddings.LayerNorm");
  for (size_t i = 0; i < s.layers; ++i) {
    const std::string layer = body + "encoder.layer." + std::to_string(i) + ".";
    for (const char* name : {"attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense"})
      linear(layer + name, s.hidden, s.hidden);
    norm(layer + "attention.output.LayerNorm");
    linear(layer + "intermediate.dense", s.intermediate, s.hidden);
    linear(layer + "output.dense", s.hidden, s.intermediate);
    norm(layer + "output.LayerNorm");
  }
  if (s.saved == "BertModel" || s.saved == "BertForSequenceClassification") linear(body + "pooler.dense", s.hidden, s.hidden);
  if (s.saved == "BertForSequenceClassification" || s.saved == "BertForTokenClassification") linear("classifier", s.labels, s.hidden);
  if (s.saved == "BertForQuestionAnswering") linear("qa_outputs", 2, s.hidden);
  if (s.saved == "BertForMaskedLM") {
    linear("cls.predictions.transform.dense", s.hidden, s.hidden);
    norm("cls.predictions.transform.LayerNorm");
    c.put("cls.predictions.bias", {s.vocabulary}, w.around(0, s.vocabulary));
  }
  return c;
}

/// Everything that a checkpoint's head gives, by the name of the output; what has one row for a sequence has one row here.
inline std::map<std::string, Rows> bert(const Tensors& t, const BertShape& s, const std::vector<int32_t>& ids,
                                        const std::vector<int32_t>& types) {
  const std::string body = s.saved == "BertModel" ? "" : "bert.", tables = body + "embeddings.";
  auto project = [&](const Rows& rows, const std::string& name) { return linear(t, rows, name + ".weight", name + ".bias"); };
  Rows x;
  for (size_t i = 0; i < ids.size(); ++i) {
    Rows sum = {table_row(t, tables + "word_embeddings.weight", static_cast<size_t>(ids[i]), s.hidden)};
    sum = add(sum, {table_row(t, tables + "token_type_embeddings.weight", static_cast<size_t>(types[i]), s.hidden)});
    x.push_back(add(sum, {table_row(t, tables + "position_embeddings.weight", i, s.hidden)})[0]);
  }
  x = layer_norm(t, x, tables + "LayerNorm", s.epsilon);
  for (size_t i = 0; i < s.layers; ++i) {
    const std::string layer = body + "encoder.layer." + std::to_string(i) + ".", self = layer + "attention.self.";
    Rows a = attention(project(x, self + "query"), project(x, self + "key"), project(x, self + "value"), s.heads, s.heads,
                       s.hidden / s.heads, false);
    x = layer_norm(t, add(project(a, layer + "attention.output.dense"), x), layer + "attention.output.LayerNorm", s.epsilon);
    Rows u = project(activate(s.activation, project(x, layer + "intermediate.dense")), layer + "output.dense");
    x = layer_norm(t, add(u, x), layer + "output.LayerNorm", s.epsilon);
  }
  std::map<std::string, Rows> out = {{"last_hidden_state", x}};
  if (s.saved == "BertModel") out["pooler_output"] = activate("tanh", project({x[0]}, "pooler.dense"));
  if (s.saved == "BertForSequenceClassification") {
    out["logits"] = project(activate("tanh", project({x[0]}, "bert.pooler.dense")), "classifier");
    if (s.labels == 1) out["score"] = {{1 / (1 + std::exp(-out["logits"][0][0]))}};
  }
  if (s.saved == "BertForTokenClassification") out["logits"] = project(x, "classifier");
  if (s.saved == "BertForQuestionAnswering")
    for (const Vector& row : project(x, "qa_outputs")) out["start_logits"].push_back({row[0]}), out["end_logits"].push_back({row[1]});
  if (s.saved == "BertForMaskedLM") {
    const std::string cls = "cls.predictions.";
    Rows h = layer_norm(t, activate(s.activation, project(x, cls + "transform.dense")), cls + "transform.LayerNorm", s.epsilon);
    out["logits"] = linear(t, h, "bert.embeddings.word_embeddings.weight", cls + "bias");
  }
  return out;
}

}  // namespace linnet::oracle
