// Relatives of BERT in plain double precision, and checkpoints of any shape for them. What a family calls its tensors stands here a second
// time on purpose.
#pragma once

#include <functional>

#include "convert/fake_checkpoint.h"
#include "convert/oracle.h"
#include "runtime/small_models.h"

namespace linnet::oracle {

using Json = convert::Json;

struct EncoderShape {
  std::string family = "roberta";  // model_type
  std::string saved = "Model";     // what the class ends in
  bool prefix = true;              // tensors of the body begin with the family's name
  size_t hidden = 24, width = 24, layers = 2, heads = 2, intermediate = 20, vocabulary = 30, positions = 20, types = 1, labels = 3;
  std::string activation = "gelu";
  double epsilon = 1e-6;
  int32_t padding = 1;           // RoBERTa's kin
  size_t groups = 1, inner = 1;  // ALBERT
  Json more = Json::object();    // further keys of config.json
};

struct EncoderNames {
  std::string prefix, classes, query, key, value, attention_output, attention_norm, up, down, output_norm;
  std::function<std::string(const EncoderShape&, size_t layer, size_t inner)> layer;
};

inline EncoderNames encoder_names(const EncoderShape& s) {
  const auto plain = [](const EncoderShape&, size_t layer, size_t) { return "encoder.layer." + std::to_string(layer) + "."; };
  EncoderNames n = {"roberta.",
                    "Roberta",
                    "attention.self.query",
                    "attention.self.key",
                    "attention.self.value",
                    "attention.output.dense",
                    "attention.output.LayerNorm",
                    "intermediate.dense",
                    "output.dense",
                    "output.LayerNorm",
                    plain};
  if (s.family == "xlm-roberta") n.classes = "XLMRoberta";
  if (s.family == "camembert") n.classes = "Camembert";
  if (s.family == "electra") n.prefix = "electra.", n.classes = "Electra";
  if (s.family == "longformer") n.prefix = "longformer.", n.classes = "Longformer";
  if (s.family == "deberta-v2") {
    n.prefix = "deberta.", n.classes = "DebertaV2";
    n.query = "attention.self.query_proj", n.key = "attention.self.key_proj", n.value = "attention.self.value_proj";
  }
  if (s.family == "mpnet") {
    n.prefix = "mpnet.", n.classes = "MPNet";
    n.query = "attention.attn.q", n.key = "attention.attn.k", n.value = "attention.attn.v";
    n.attention_output = "attention.attn.o", n.attention_norm = "attention.LayerNorm";
  }
  if (s.family == "distilbert")
    n = {"distilbert.",
         "DistilBert",
         "attention.q_lin",
         "attention.k_lin",
         "attention.v_lin",
         "attention.out_lin",
         "sa_layer_norm",
         "ffn.lin1",
         "ffn.lin2",
         "output_layer_norm",
         [](const EncoderShape&, size_t layer, size_t) { return "transformer.layer." + std::to_string(layer) + "."; }};
  if (s.family == "albert")
    n = {"albert.",
         "Albert",
         "attention.query",
         "attention.key",
         "attention.value",
         "attention.dense",
         "attention.LayerNorm",
         "ffn",
         "ffn_output",
         "full_layer_layer_norm",
         [](const EncoderShape& shape, size_t layer, size_t inner) {
           const size_t group = static_cast<size_t>(double(layer) / (double(shape.layers) / double(shape.groups)));
           return "encoder.albert_layer_groups." + std::to_string(group) + ".albert_layers." + std::to_string(inner) + ".";
         }};
  if (!s.prefix) n.prefix = "";
  return n;
}

inline bool counts_padding(const EncoderShape& s) {
  return s.family == "roberta" || s.family == "xlm-roberta" || s.family == "camembert" || s.family == "mpnet" || s.family == "longformer";
}
inline bool has_types(const EncoderShape& s) { return s.family != "distilbert" && s.family != "mpnet" && s.types > 0; }
inline bool has_positions(const EncoderShape& s) { return s.family != "deberta-v2" || s.more.value("position_biased_input", true); }

inline std::string projection_name(const EncoderShape& s) {
  if (s.family == "albert") return "encoder.embedding_hidden_mapping_in";
  return s.family == "electra" ? "embeddings_project" : "embeddings.embed_proj";
}
inline bool is_projected(const EncoderShape& s) { return s.family == "albert" || s.width != s.hidden; }

/// The linears and norms between the body and the answer, by the name of the class's ending.
struct HeadNames {
  std::string dense, act, norm, out;  // out: of words its bias, tied to the word table
  bool first_token = false;
};
inline HeadNames head_names(const EncoderShape& s) {
  const bool roberta_like = counts_padding(s), sequences = s.saved == "ForSequenceClassification", words = s.saved == "ForMaskedLM";
  if (s.saved == "ForTokenClassification") return {"", "", "", "classifier"};
  if (s.saved == "ForQuestionAnswering") return {"", "", "", "qa_outputs"};
  if (sequences && roberta_like) return {"classifier.dense", "tanh", "", "classifier.out_proj", true};
  if (sequences && s.family == "distilbert") return {"pre_classifier", "relu", "", "classifier", true};
  if (sequences && s.family == "albert") return {encoder_names(s).prefix + "pooler", "tanh", "", "classifier", true};
  if (sequences && s.family == "electra") return {"classifier.dense", "gelu", "", "classifier.out_proj", true};
  if (sequences) return {"pooler.dense", s.more.value("pooler_hidden_act", "gelu"), "", "classifier", true};
  if (words && roberta_like) return {"lm_head.dense", "gelu", "lm_head.layer_norm", "lm_head.bias"};
  if (words && s.family == "distilbert") return {"vocab_transform", s.activation, "vocab_layer_norm", "vocab_projector.bias"};
  if (words && s.family == "albert") return {"predictions.dense", s.activation, "predictions.LayerNorm", "predictions.bias"};
  if (words && s.family == "electra")
    return {"generator_predictions.dense", "gelu", "generator_predictions.LayerNorm", "generator_lm_head.bias"};
  if (words) return {"cls.predictions.transform.dense", s.activation, "cls.predictions.transform.LayerNorm", "cls.predictions.bias"};
  if (s.saved == "ForPreTraining" && s.family == "electra")
    return {"discriminator_predictions.dense", s.activation, "", "discriminator_predictions.dense_prediction"};
  return {};
}

/// Puts tensors into a checkpoint by name.
struct Filler {
  convert::FakeCheckpoint& checkpoint;
  tests::Weights weights;
  void matrix(const std::string& name, size_t rows, size_t columns) {
    checkpoint.put(name + ".weight", {rows, columns}, weights.matrix(rows, columns));
  }
  void linear(const std::string& name, size_t rows, size_t columns) {
    matrix(name, rows, columns);
    checkpoint.put(name + ".bias", {rows}, weights.around(0, rows));
  }
  void norm(const std::string& name, size_t columns, bool old = false) {
    checkpoint.put(name + (old ? ".gamma" : ".weight"), {columns}, weights.around(1, columns));
    checkpoint.put(name + (old ? ".beta" : ".bias"), {columns}, weights.around(0, columns));
  }
};

inline Json encoder_config(const EncoderShape& s) {
  Json config = {{"model_type", s.family},
                 {"architectures", {encoder_names(s).classes + s.saved}},
                 {"vocab_size", s.vocabulary},
                 {"max_position_embeddings", s.positions},
                 {"pad_token_id", s.padding}};
  if (s.family == "distilbert") {
    config.update(
        {{"dim", s.hidden}, {"n_layers", s.layers}, {"n_heads", s.heads}, {"hidden_dim", s.intermediate}, {"activation", s.activation}});
  } else {
    config.update({{"hidden_size", s.hidden},
                   {"num_hidden_layers", s.layers},
                   {"num_attention_heads", s.heads},
                   {"intermediate_size", s.intermediate},
                   {"type_vocab_size", s.types},
                   {"hidden_act", s.activation},
                   {"layer_norm_eps", s.epsilon},
                   {"embedding_size", s.width}});
  }
  if (s.family == "albert") config.update({{"num_hidden_groups", s.groups}, {"inner_group_num", s.inner}});
  config.update(s.more);
  return config;
}

/// `further`: called for each layer with its name, to put in what only some families have.
inline convert::FakeCheckpoint encoder_checkpoint(const EncoderShape& s, uint32_t seed,
                                                  const std::function<void(Filler&, const std::string&)>& further = {}) {
  convert::FakeCheckpoint c(encoder_config(s));
  Filler fill{c, tests::Weights(seed)};
  const EncoderNames n = encoder_names(s);
  const std::string tables = n.prefix + "embeddings.";
  fill.matrix(tables + "word_embeddings", s.vocabulary, s.width);
  if (has_positions(s)) fill.matrix(tables + "position_embeddings", s.positions, s.width);
  if (has_types(s)) fill.matrix(tables + "token_type_embeddings", s.types, s.width);
  if (s.family == "deberta-v2" && is_projected(s)) fill.matrix(tables + "embed_proj", s.hidden, s.width);
  if (s.family != "deberta-v2" && is_projected(s)) fill.linear(n.prefix + projection_name(s), s.hidden, s.width);
  fill.norm(tables + "LayerNorm", s.family == "deberta-v2" ? s.hidden : s.width, s.family == "electra");
  for (size_t i = 0; i < s.layers; ++i)
    for (size_t k = 0; k < s.inner; ++k) {
      const std::string layer = n.prefix + n.layer(s, i, k);
      if (c.has(layer + n.query + ".weight")) continue;  // shared
      for (const std::string& name : {n.query, n.key, n.value, n.attention_output}) fill.linear(layer + name, s.hidden, s.hidden);
      fill.norm(layer + n.attention_norm, s.hidden);
      fill.linear(layer + n.up, s.intermediate, s.hidden);
      fill.linear(layer + n.down, s.hidden, s.intermediate);
      fill.norm(layer + n.output_norm, s.hidden);
      if (further) further(fill, layer);
    }
  const HeadNames h = head_names(s);
  const size_t inside = h.norm.empty() ? s.hidden : s.width;
  if (!h.dense.empty()) fill.linear(h.dense, inside, s.hidden);
  if (!h.norm.empty()) fill.norm(h.norm, inside);
  if (!h.norm.empty()) c.put(h.out, {s.vocabulary}, fill.weights.around(0, s.vocabulary));
  if (h.norm.empty() && !h.out.empty())
    fill.linear(h.out, s.saved == "ForQuestionAnswering" ? 2 : s.saved == "ForPreTraining" ? 1 : s.labels, s.hidden);
  return c;
}

inline Rows normalized(const Tensors& t, const Rows& x, const std::string& name, double epsilon) {
  if (t.count(name + ".weight") != 0) return layer_norm(t, x, name, epsilon);
  const Tensors renamed = {{"n.weight", t.at(name + ".gamma")}, {"n.bias", t.at(name + ".beta")}};
  return layer_norm(renamed, x, "n", epsilon);
}

/// The position of each token, by the family's rule.
inline std::vector<size_t> positions_of(const EncoderShape& s, const std::vector<int32_t>& ids) {
  std::vector<size_t> positions;
  const int32_t padding = s.family == "mpnet" ? 1 : s.padding;
  size_t next = counts_padding(s) ? static_cast<size_t>(padding) + 1 : 0;
  for (int32_t id : ids) positions.push_back(counts_padding(s) && id == padding ? static_cast<size_t>(padding) : next++);
  return positions;
}

/// Everything that a checkpoint's head gives. `attend`: given a layer's name, its attention.
inline std::map<std::string, Rows> encoder(const Tensors& t, const EncoderShape& s, const std::vector<int32_t>& ids,
                                           const std::vector<int32_t>& types,
                                           const std::function<Rows(const std::string& layer, const Rows& x)>& attend) {
  const EncoderNames n = encoder_names(s);
  const std::string tables = n.prefix + "embeddings.";
  const auto project = [&](const Rows& rows, const std::string& name) { return linear(t, rows, name + ".weight", name + ".bias"); };
  const double epsilon = s.family == "distilbert" ? 1e-12 : s.epsilon;
  const std::vector<size_t> positions = positions_of(s, ids);
  Rows x;
  for (size_t i = 0; i < ids.size(); ++i) {
    Rows sum = {table_row(t, tables + "word_embeddings.weight", static_cast<size_t>(ids[i]), s.width)};
    if (has_types(s)) sum = add(sum, {table_row(t, tables + "token_type_embeddings.weight", static_cast<size_t>(types[i]), s.width)});
    if (has_positions(s)) sum = add(sum, {table_row(t, tables + "position_embeddings.weight", positions[i], s.width)});
    x.push_back(sum[0]);
  }
  if (s.family == "deberta-v2" && is_projected(s)) x = linear(t, x, tables + "embed_proj.weight", "");
  x = normalized(t, x, tables + "LayerNorm", epsilon);
  if (s.family != "deberta-v2" && is_projected(s)) x = project(x, n.prefix + projection_name(s));
  for (size_t i = 0; i < s.layers; ++i)
    for (size_t k = 0; k < s.inner; ++k) {
      const std::string layer = n.prefix + n.layer(s, i, k);
      x = normalized(t, add(project(attend(layer, x), layer + n.attention_output), x), layer + n.attention_norm, epsilon);
      const Rows u = project(activate(s.activation, project(x, layer + n.up)), layer + n.down);
      x = normalized(t, add(u, x), layer + n.output_norm, epsilon);
    }
  std::map<std::string, Rows> out = {{"last_hidden_state", x}};
  const HeadNames h = head_names(s);
  if (h.out.empty()) return out;
  Rows y = h.first_token ? Rows{x[0]} : x;
  if (!h.dense.empty()) y = activate(h.act, project(y, h.dense));
  if (!h.norm.empty()) {
    out["logits"] = linear(t, normalized(t, y, h.norm, epsilon), tables + "word_embeddings.weight", h.out);
  } else if (s.saved == "ForQuestionAnswering") {
    for (const Vector& row : project(y, h.out)) out["start_logits"].push_back({row[0]}), out["end_logits"].push_back({row[1]});
  } else {
    out["logits"] = project(y, h.out);
    if (h.first_token && s.labels == 1) out["score"] = {{1 / (1 + std::exp(-out["logits"][0][0]))}};
  }
  return out;
}

}  // namespace linnet::oracle
