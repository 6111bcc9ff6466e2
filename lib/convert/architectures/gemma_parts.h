// What the generations of Gemma, arXiv 2403.08295, have in common. Their checkpoints store a norm's factors without the 1 of 1 + w; GGUF
// files store the whole.
#pragma once

#include <cmath>

#include "convert/architectures/decoder.h"

namespace linnet::convert::pages {

/// The name that is set wins; the oldest files have only the other one.
inline schema::Function gemma_activation(const Config& c) {
  return activation(c.text("hidden_activation", c.text("hidden_act", "gelu_pytorch_tanh")));
}

inline Value gemma_norm(Graph& g, Value x, const DecoderKeys& c, const std::string& name, uint32_t width = 0) {
  const float added = g.checkpoint().is_gguf() ? 0.0f : 1.0f;
  return g.norm(x, {.kind = schema::NormKind::rms, .epsilon = c.epsilon, .width = width, .weight = name + ".weight", .added = added});
}

/// Embeddings times the root of their width. -> tokens x hidden
inline Value gemma_tokens(Graph& g, const Config& config, const DecoderKeys& c, uint32_t positions) {
  return embed_tokens(g, config, c, positions, static_cast<float>(std::sqrt(config.number("hidden_size"))));
}

/// 0 where the key is absent or null: off.
inline float softcap(const Config& c, const std::string& key, double fallback) {
  const bool is_off = c.json().contains(key) && !c.has(key);
  const auto cap = static_cast<float>(is_off ? 0 : c.number(key, fallback));
  if (cap < 0) c.refuse(key, "a number that is not negative");
  return cap;
}

inline float query_scale(const Config& c) {
  const double scalar = c.number("query_pre_attn_scalar", 256);
  if (!(scalar > 0)) c.refuse("query_pre_attn_scalar", "a number above 0");
  return static_cast<float>(1 / std::sqrt(scalar));
}

inline void expect_causal(const Config& c) { c.require("use_bidirectional_attention", false, "a language model sees what is before"); }

inline void gemma_logits(Graph& g, Value x, const DecoderKeys& c, const std::string& head, float cap) {
  Value h = gemma_norm(g, g.select_outputs(x), c, c.body + "norm");  // outputs x hidden
  Value logits = head_logits(g, h, head, c.body + "embed_tokens.weight", c.tied);
  output_logits(g, cap > 0 ? g.softcap(logits, cap) : logits);  // outputs x vocabulary
}

}  // namespace linnet::convert::pages
