// The layer of BERT, arXiv 1810.04805, with its normalization behind each residual sum. Families that kept it call it with their names.
#pragma once

#include "convert/graph.h"

namespace linnet::convert::pages {

struct BertLayer {
  uint32_t heads, head_dim;
  float epsilon;
  schema::Function activation;
};

/// A layer norm with the old names gamma and beta where the file has those.
inline Value layer_norm(Graph& g, Value x, const std::string& name, float epsilon) {
  const bool old = g.has(name + ".gamma");
  return g.norm(x, {.epsilon = epsilon, .weight = name + (old ? ".gamma" : ".weight"), .bias = name + (old ? ".beta" : ".bias")});
}

/// x: tokens x hidden; `name` ends with a dot.
inline Value bert_layer(Graph& g, Value x, const std::string& name, const BertLayer& c) {
  const std::string self = name + "attention.self.";
  Value q = g.linear(x, self + "query", {.bias = true});                                 // tokens x hidden
  Value k = g.linear(x, self + "key", {.role = WeightRole::key_value, .bias = true});    // tokens x hidden
  Value v = g.linear(x, self + "value", {.role = WeightRole::key_value, .bias = true});  // tokens x hidden
  Value a = g.attention(q, k, v, {.reader = schema::Reader::bidirectional, .heads = c.heads, .kv_heads = c.heads, .width = c.head_dim});
  a = g.linear(a, name + "attention.output.dense", {.bias = true});  // tokens x hidden
  x = layer_norm(g, g.add(a, x), name + "attention.output.LayerNorm", c.epsilon);

  Value u = g.unary(g.linear(x, name + "intermediate.dense", {.bias = true}), c.activation);  // tokens x intermediate
  u = g.linear(u, name + "output.dense", {.bias = true, .turned = true});                     // tokens x hidden
  return layer_norm(g, g.add(u, x), name + "output.LayerNorm", c.epsilon);
}

}  // namespace linnet::convert::pages
