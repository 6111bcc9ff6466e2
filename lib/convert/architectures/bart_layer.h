// The encoder-decoder of BART, arXiv 1910.13461, whose relatives keep its layers and tensor names: they differ in where norms stand, in
// how positions enter, and in the encoder's attention.
#pragma once

#include <cmath>
#include <functional>

#include "convert/architectures/sinusoids.h"
#include "convert/graph.h"

namespace linnet::convert::pages {

/// What tells one family from another.
struct BartForm {
  std::string body = "model.";   // what tensor names begin with, except for heads
  bool norm_first = false;       // before each part of a layer, instead of behind the residual sum
  bool embedding_norm = true;    // layernorm_embedding
  bool final_norm = false;       // layer_norm behind each stack
  uint32_t position_offset = 2;  // row of position 0 in a table of learned positions
  bool sinusoids = false;        // positions are computed where the file has no table
};

struct BartKeys {
  BartKeys(const Config& c, const BartForm& kind)
      : form(kind),
        hidden(c.count("d_model")),
        encoder_layers(c.count("encoder_layers")),
        decoder_layers(c.count("decoder_layers")),
        encoder_heads(c.count("encoder_attention_heads")),
        decoder_heads(c.count("decoder_attention_heads")),
        positions(c.count("max_position_embeddings", 1024)),
        activation(convert::activation(c.text("activation_function", "gelu"))),
        embed_scale(c.flag("scale_embedding", false) ? static_cast<float>(std::sqrt(static_cast<double>(hidden))) : 1) {
    if (hidden % encoder_heads != 0) c.refuse("encoder_attention_heads", "a divisor of d_model");
    if (hidden % decoder_heads != 0) c.refuse("decoder_attention_heads", "a divisor of d_model");
  }
  BartForm form;
  uint32_t hidden, encoder_layers, decoder_layers, encoder_heads, decoder_heads, positions;
  schema::Function activation;
  float embed_scale;
};

/// The self attention of an encoder layer: x: rows x hidden, `name` that of the layer with a dot behind it.
using BartAttention = std::function<Value(Graph& g, Value x, const std::string& name)>;

inline Value bart_norm(Graph& g, Value x, const std::string& name) {
  return g.norm(x, {.epsilon = 1e-5f, .weight = name + ".weight", .bias = name + ".bias"});
}

/// x + part(x) with the norm on the one side or the other.
template <class Part>
Value bart_residual(Graph& g, Value x, const BartKeys& c, const std::string& norm, Part part) {
  if (c.form.norm_first) return g.add(x, part(bart_norm(g, x, norm)));
  return bart_norm(g, g.add(x, part(x)), norm);
}

inline AttentionOptions bart_heads(const BartKeys& c, schema::Reader reader, uint32_t heads) {
  return {.reader = reader, .heads = heads, .kv_heads = heads, .width = c.hidden / heads};
}

/// How the projections of an attention are stored.
struct BartRoles {
  WeightRole query = WeightRole::linear, key_value = WeightRole::key_value, output = WeightRole::linear;
};
constexpr BartRoles kBartEncoder = {WeightRole::source, WeightRole::source, WeightRole::source};

/// Attention of the rows of x to those of `seen`, of the same sequence.
inline Value bart_attention(Graph& g, Value x, Value seen, const std::string& name, const AttentionOptions& options,
                            const BartRoles& roles = {}) {
  Value q = g.linear(x, name + "q_proj", {.role = roles.query, .bias = true});                              // rows x hidden
  Value k = g.linear(seen, name + "k_proj", {.role = roles.key_value, .bias = true});                       // rows x hidden
  Value v = g.linear(seen, name + "v_proj", {.role = roles.key_value, .bias = true});                       // rows x hidden
  return g.linear(g.attention(q, k, v, options), name + "out_proj", {.role = roles.output, .bias = true});  // rows x hidden
}

inline Value bart_feed_forward(Graph& g, Value x, const std::string& name, const BartKeys& c) {
  Value u = g.unary(g.linear(x, name + "fc1", {.bias = true}), c.activation);  // rows x ffn
  return g.linear(u, name + "fc2", {.bias = true, .turned = true});            // rows x hidden
}

/// How many positions a stack serves.
inline uint32_t bart_positions(const Graph& g, const BartKeys& c, const std::string& stack) {
  const std::string table = c.form.body + stack + "embed_positions.weight";
  if (c.form.sinusoids && !g.has(table)) return c.positions;
  const uint32_t rows = g.size(table, 0), offset = c.form.sinusoids ? 0 : c.form.position_offset;
  if (rows <= offset) throw Error("tensor " + table + " has no row for the first position");
  return rows - offset;
}

/// The input of a stack: rows x hidden. `stack` is "encoder." or "decoder.", `words` a table's name.
inline Value bart_embedding(Graph& g, Value ids, Value positions, const std::string& words, const BartKeys& c, const std::string& stack) {
  const std::string name = c.form.body + stack, table = name + "embed_positions";
  Value x = g.embed(ids, words, {.scale = c.embed_scale});
  const bool stored = g.has(table + ".weight");
  const uint32_t offset = c.form.sinusoids ? 0 : c.form.position_offset;
  Value places = stored || !c.form.sinusoids
                     ? g.embed(positions, table, {.role = WeightRole::exact, .row_offset = offset})
                     : g.embed_numbers(positions, "sinusoids", c.hidden, sinusoids(0, c.positions, c.hidden, 2.0 / c.hidden));
  x = g.add(x, places);
  return c.form.embedding_norm ? bart_norm(g, x, name + "layernorm_embedding") : x;
}

inline Value bart_encoder(Graph& g, Value x, const BartKeys& c, const BartAttention& attention) {
  for (uint32_t layer = 0; layer < c.encoder_layers; ++layer) {
    const std::string name = c.form.body + "encoder.layers." + std::to_string(layer) + ".";
    x = bart_residual(g, x, c, name + "self_attn_layer_norm", [&](Value h) { return attention(g, h, name); });
    x = bart_residual(g, x, c, name + "final_layer_norm", [&](Value h) { return bart_feed_forward(g, h, name, c); });
  }
  return c.form.final_norm ? bart_norm(g, x, c.form.body + "encoder.layer_norm") : x;
}

/// The attention of every family but those with a window.
inline BartAttention bart_full_attention(const BartKeys& c) {
  return [=](Graph& g, Value h, const std::string& name) {
    return bart_attention(g, h, h, name + "self_attn.", bart_heads(c, schema::Reader::bidirectional, c.encoder_heads), kBartEncoder);
  };
}

/// What the decoder's layers see of the encoder's output.
inline std::vector<Cache> bart_sources(Graph& g, Value encoded, const BartKeys& c) {
  std::vector<Cache> sources;
  for (uint32_t layer = 0; layer < c.decoder_layers; ++layer) {
    const std::string cross = c.form.body + "decoder.layers." + std::to_string(layer) + ".encoder_attn.";
    sources.push_back(g.source_state(layer, c.decoder_heads, c.hidden / c.decoder_heads));
    Value k = g.linear(encoded, cross + "k_proj", {.role = WeightRole::key_value, .bias = true});  // source tokens x hidden
    Value v = g.linear(encoded, cross + "v_proj", {.role = WeightRole::key_value, .bias = true});  // source tokens x hidden
    g.append(sources.back(), k, v);
  }
  return sources;
}

/// The two attentions of a decoder layer; `name` is the layer's.
struct BartDecoding {
  std::function<Value(Graph&g, Value x, uint32_t layer, const std::string&name)> self, cross;
};

/// With token state and the sources that an encode program left.
inline BartDecoding bart_cached(const BartKeys& c, const std::vector<Cache>& sources) {
  const auto self = [=](Graph& g, Value x, uint32_t layer, const std::string& name) {
    const std::string attn = name + "self_attn.";
    Cache cache = g.token_state(layer, c.decoder_heads, c.hidden / c.decoder_heads);
    Value q = g.linear(x, attn + "q_proj", {.bias = true});                                 // tokens x hidden
    Value k = g.linear(x, attn + "k_proj", {.role = WeightRole::key_value, .bias = true});  // tokens x hidden
    Value v = g.linear(x, attn + "v_proj", {.role = WeightRole::key_value, .bias = true});  // tokens x hidden
    g.append(cache, k, v);
    Value a = g.attention(q, cache, bart_heads(c, schema::Reader::causal, c.decoder_heads));
    return g.linear(a, attn + "out_proj", {.bias = true});  // tokens x hidden
  };
  const auto cross = [=](Graph& g, Value x, uint32_t layer, const std::string& name) {
    const std::string attn = name + "encoder_attn.";
    Value q = g.linear(x, attn + "q_proj", {.bias = true});  // tokens x hidden
    Value a = g.attention(q, sources[layer], bart_heads(c, schema::Reader::bidirectional, c.decoder_heads));
    return g.linear(a, attn + "out_proj", {.bias = true});  // tokens x hidden
  };
  return {self, cross};
}

/// Within one program: the decoder reads as many tokens as the encoder.
inline BartDecoding bart_at_once(const BartKeys& c, Value encoded) {
  const auto self = [=](Graph& g, Value x, uint32_t, const std::string& name) {
    return bart_attention(g, x, x, name + "self_attn.", bart_heads(c, schema::Reader::causal, c.decoder_heads));
  };
  const auto cross = [=](Graph& g, Value x, uint32_t, const std::string& name) {
    return bart_attention(g, x, encoded, name + "encoder_attn.", bart_heads(c, schema::Reader::bidirectional, c.decoder_heads));
  };
  return {self, cross};
}

inline Value bart_decoder(Graph& g, Value x, const BartKeys& c, const BartDecoding& attention) {
  for (uint32_t layer = 0; layer < c.decoder_layers; ++layer) {
    const std::string name = c.form.body + "decoder.layers." + std::to_string(layer) + ".";
    x = bart_residual(g, x, c, name + "self_attn_layer_norm", [&](Value h) { return attention.self(g, h, layer, name); });
    x = bart_residual(g, x, c, name + "encoder_attn_layer_norm", [&](Value h) { return attention.cross(g, h, layer, name); });
    x = bart_residual(g, x, c, name + "final_layer_norm", [&](Value h) { return bart_feed_forward(g, h, name, c); });
  }
  return c.form.final_norm ? bart_norm(g, x, c.form.body + "decoder.layer_norm") : x;
}

}  // namespace linnet::convert::pages
