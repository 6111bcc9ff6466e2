// What the frame of LLaMA, arXiv 2302.13971, has in pieces, for the decoders that kept it: each page puts them together in its own way.
#pragma once

#include "convert/architecture.h"

namespace linnet::convert::pages {

/// What a family assumes where its configuration is silent.
struct DecoderDefaults {
  double epsilon = 1e-6;
  bool tied = false;
  uint32_t head_dim = 0;  // 0 = hidden_size / num_attention_heads
  uint32_t positions = 2048;
};

/// A language model, not another head on the same body.
inline void expect_language_model(const Config& c) {
  const std::vector<std::string> saved = c.texts("architectures");
  if (saved.empty() || saved[0].find("ForCausalLM") != std::string::npos || saved[0].find("LMHead") != std::string::npos) return;
  c.refuse("architectures", "a language model (ForCausalLM)");
}

/// Channels of a head where the configuration gives none.
inline uint32_t even_share(const Config& c, const std::string& hidden_key, const std::string& heads_key) {
  const uint32_t hidden = c.count(hidden_key), heads = c.count(heads_key);
  if (hidden % heads != 0) c.refuse(hidden_key, "a multiple of " + heads_key + " where no head_dim is given");
  return hidden / heads;
}

/// What the names of a body's tensors begin with; nothing in files that were saved from the body alone.
inline std::string prefix_of(const Graph& g, const std::string& usual, const std::string& tensor) {
  return g.has(tensor) && !g.has(usual + tensor) ? "" : usual;
}

struct DecoderKeys {
  DecoderKeys(const Config& c, const Graph& g, const DecoderDefaults& d = {})
      : layers(c.count("num_hidden_layers")),
        heads(c.count("num_attention_heads")),
        kv_heads(c.count("num_key_value_heads", heads)),
        head_dim(c.has("head_dim") ? c.count("head_dim")
                 : d.head_dim      ? d.head_dim
                                   : even_share(c, "hidden_size", "num_attention_heads")),
        positions(c.count("max_position_embeddings", d.positions)),
        epsilon(convert::epsilon(c, "rms_norm_eps", d.epsilon)),
        tied(c.flag("tie_word_embeddings", d.tied)),
        body(prefix_of(g, "model.", "embed_tokens.weight")) {}
  AttentionOptions attention(uint32_t window = 0) const {
    return {.heads = heads, .kv_heads = kv_heads, .width = head_dim, .window = window};
  }
  std::string layer(uint32_t index) const { return body + "layers." + std::to_string(index) + "."; }

  uint32_t layers, heads, kv_heads, head_dim, positions;
  float epsilon;
  bool tied;
  std::string body;
};

/// The program, its token ids (also in `ids`, where that is not null) and their embeddings. -> tokens x hidden
inline Value embed_tokens(Graph& g, const Config& config, const DecoderKeys& c, uint32_t positions, float scale = 1, Value* ids = nullptr) {
  const std::string table = c.body + "embed_tokens";
  g.expect_size(config, "vocab_size", table + ".weight", 0);
  g.expect_size(config, "hidden_size", table + ".weight", 1);
  const std::string down = c.layer(0) + "mlp.down_proj.weight";  // experts have none
  if (g.has(down)) g.expect_size(config, "intermediate_size", down, 1);
  g.program("generate", schema::ProgramKind::autoregressive, positions);
  Value tokens = g.token_ids(g.size(table + ".weight", 0));
  if (ids) *ids = tokens;
  Value x = g.embed(tokens, table, {.scale = scale});
  g.trace("embedding_output", x);
  return x;
}

inline Value rms_norm(Graph& g, Value x, const DecoderKeys& c, const std::string& name) {
  return g.norm(x, {.kind = schema::NormKind::rms, .epsilon = c.epsilon, .weight = name + ".weight"});
}

/// Each head's channels are normalized by themselves.
inline Value head_norm(Graph& g, Value x, const DecoderKeys& c, const std::string& name) {
  return g.norm(x, {.kind = schema::NormKind::rms, .epsilon = c.epsilon, .width = c.head_dim, .weight = name + ".weight"});
}

struct Projections {
  Value query;       // tokens x heads * head_dim
  Value key, value;  // tokens x kv_heads * head_dim
};

inline Projections project(Graph& g, Value h, const std::string& attn, bool bias = false) {
  return {.query = g.linear(h, attn + "q_proj", {.bias = bias}),
          .key = g.linear(h, attn + "k_proj", {.role = WeightRole::key_value, .bias = bias}),
          .value = g.linear(h, attn + "v_proj", {.role = WeightRole::key_value, .bias = bias})};
}

inline void rotate(Graph& g, Projections* p, Value angles, uint32_t head_dim) {
  p->query = g.rotary(p->query, angles, head_dim);
  p->key = g.rotary(p->key, angles, head_dim);
}

/// Attention of one layer over what it kept of earlier positions. -> tokens x heads * head_dim
inline Value attend(Graph& g, uint32_t layer, const Projections& p, AttentionOptions options) {
  if (options.window != 0) options.reader = schema::Reader::window;
  Cache cache = g.token_state(layer, options.kv_heads, options.width, options.window);
  g.append(cache, p.key, p.value);
  return g.attention(p.query, cache, options);
}

/// down(function(gate x) * up x), arXiv 2002.05202. -> tokens x hidden
inline Value gated_mlp(Graph& g, Value h, const std::string& mlp, schema::Function function, bool bias = false) {
  Value u = g.gate(g.linear(h, {mlp + "gate_proj", mlp + "up_proj"}, {.bias = bias}), function);  // tokens x intermediate
  return g.linear(u, mlp + "down_proj", {.bias = bias, .turned = true});
}

/// Logits for the rows that are wanted: h: outputs x hidden. -> outputs x vocabulary
inline Value head_logits(Graph& g, Value h, const std::string& head, const std::string& table, bool tied) {
  return g.linear_with(h, g.head_matrix(head, table, tied), {.role = WeightRole::head});
}

inline void output_logits(Graph& g, Value logits) {
  g.output(schema::Role::logits, "logits", logits);
  g.task(schema::Task::text_generation);
  g.ignore("*.rotary_emb.inv_freq");
}

/// The frame's end: the last norm and the head.
inline void write_logits(Graph& g, Value x, const DecoderKeys& c) {
  Value h = rms_norm(g, g.select_outputs(x), c, c.body + "norm");  // outputs x hidden
  output_logits(g, head_logits(g, h, "lm_head.weight", c.body + "embed_tokens.weight", c.tied));
}

}  // namespace linnet::convert::pages
