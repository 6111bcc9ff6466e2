// What the layers of GPT-2 and of what was built after it have in common: layer norms with biases and plain MLPs.
#pragma once

#include "convert/architectures/decoder.h"
#include "convert/architectures/fused_rows.h"

namespace linnet::convert::pages {

inline Value gpt_norm(Graph& g, Value x, const std::string& name, float epsilon) {
  return g.norm(x, {.epsilon = epsilon, .weight = name + ".weight", .bias = name + ".bias"});
}

/// down(function(up x)). -> tokens x hidden
inline Value gpt_mlp(Graph& g, Value h, const std::string& up, const std::string& down, schema::Function function, LinearOptions linears) {
  Value u = g.unary(g.linear(h, up, linears), function);  // tokens x intermediate
  linears.turned = true;
  return g.linear(u, down, linears);
}

/// Token and position embeddings. -> tokens x hidden
inline Value embed_with_positions(Graph& g, const std::string& words, const std::string& places) {
  const uint32_t positions = g.size(places + ".weight", 0);
  g.program("generate", schema::ProgramKind::autoregressive, positions);
  Value x = g.embed(g.token_ids(g.size(words + ".weight", 0)), words);                 // tokens x hidden
  x = g.add(x, g.embed(g.positions(positions), places, {.role = WeightRole::exact}));  // tokens x hidden
  g.trace("embedding_output", x);
  return x;
}

/// Masks and counters that old files keep beside the weights.
inline void ignore_buffers(Graph& g) {
  for (const char* name : {"*.attn.bias", "*.attn.masked_bias", "*.attention.bias", "*.attention.masked_bias", "*.attn.attention.bias",
                           "*.attn.attention.masked_bias"})
    g.ignore(name);
}

/// The end of GPT-2's frame: the last norm and the head.
inline void write_gpt_logits(Graph& g, Value x, const std::string& body, float epsilon, bool tied) {
  Value h = gpt_norm(g, g.select_outputs(x), body + "ln_f", epsilon);                // outputs x hidden
  output_logits(g, head_logits(g, h, "lm_head.weight", body + "wte.weight", tied));  // outputs x vocabulary
  ignore_buffers(g);
}

}  // namespace linnet::convert::pages
