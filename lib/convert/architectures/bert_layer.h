// The layer of BERT, arXiv 1810.04805, with its normalization behind each residual sum. Families that kept it call it with their names.
#pragma once

#include "convert/config.h"
#include "convert/graph.h"

namespace linnet::convert::pages {

struct BertLayer {
  uint32_t heads, head_dim;
  float epsilon;
  schema::Function activation;
  std::string relative_bias = "";  // MPNet's: one table for all layers
  uint32_t relative_distance = 0;
};

/// The keys of config.json that BERT's layers go by.
inline BertLayer bert_keys(const Config& c) {
  const uint32_t hidden = c.count("hidden_size"), heads = c.count("num_attention_heads");
  if (hidden % heads != 0) c.refuse("hidden_size", "a multiple of num_attention_heads");
  c.require("position_embedding_type", "absolute", "relative positions are not supported");
  c.require("is_decoder", false, "only the encoder is supported");
  c.require("pruned_heads", Json::object(), "layers with fewer heads are not supported");
  c.require("add_cross_attention", false, "only the encoder is supported");
  return {heads, hidden / heads, epsilon(c, "layer_norm_eps", 1e-12), activation(c.text("hidden_act", "gelu"))};
}

/// What a layer's linears and norms are called, in full.
struct LayerNames {
  std::string query, key, value, attention_output, attention_norm, up, down, output_norm;
};

/// BERT's own, kept by most; `layer` ends with a dot.
inline LayerNames bert_names(const std::string& layer) {
  const std::string self = layer + "attention.self.";
  return {self + "query",
          self + "key",
          self + "value",
          layer + "attention.output.dense",
          layer + "attention.output.LayerNorm",
          layer + "intermediate.dense",
          layer + "output.dense",
          layer + "output.LayerNorm"};
}

/// A layer norm with the old names gamma and beta where the file has those.
inline Value layer_norm(Graph& g, Value x, const std::string& name, float epsilon) {
  const bool old = g.has(name + ".gamma");
  return g.norm(x, {.epsilon = epsilon, .weight = name + (old ? ".gamma" : ".weight"), .bias = name + (old ? ".beta" : ".bias")});
}

/// What follows on attention. a: tokens x heads * head_dim; x: tokens x hidden, what the layer began with.
inline Value bert_residuals(Graph& g, Value a, Value x, const LayerNames& n, const BertLayer& c) {
  a = g.linear(a, n.attention_output, {.bias = true});  // tokens x hidden
  x = layer_norm(g, g.add(a, x), n.attention_norm, c.epsilon);

  Value u = g.unary(g.linear(x, n.up, {.bias = true}), c.activation);  // tokens x intermediate
  u = g.linear(u, n.down, {.bias = true, .turned = true});             // tokens x hidden
  return layer_norm(g, g.add(u, x), n.output_norm, c.epsilon);
}

/// x: tokens x hidden.
inline Value bert_layer(Graph& g, Value x, const LayerNames& n, const BertLayer& c) {
  Value q = g.linear(x, n.query, {.bias = true});                                 // tokens x hidden
  Value k = g.linear(x, n.key, {.role = WeightRole::key_value, .bias = true});    // tokens x hidden
  Value v = g.linear(x, n.value, {.role = WeightRole::key_value, .bias = true});  // tokens x hidden
  Value a = g.attention(q, k, v,
                        {.reader = schema::Reader::bidirectional,
                         .heads = c.heads,
                         .kv_heads = c.heads,
                         .width = c.head_dim,
                         .relative_bias = c.relative_bias,
                         .relative_distance = c.relative_distance});
  return bert_residuals(g, a, x, n, c);
}

}  // namespace linnet::convert::pages
