// The encoder-decoder of T5, arXiv 1910.10683: normalization before each part of a layer, no scale of the scores, positions as a bias that
// is learned for buckets of distances. Families differ in their feed-forward, and in whether each layer has a bias of its own.
#pragma once

#include <cmath>
#include <functional>

#include "convert/graph.h"
#include "convert/sentence_modules.h"

namespace linnet::convert::pages {

/// x: rows x hidden, normalized; `name` is that of the part, with a dot behind it: "encoder.block.0.layer.1.".
using T5FeedForward = std::function<Value(Graph& g, Value x, const std::string& name, uint32_t layer)>;

struct T5Keys {
  explicit T5Keys(const Config& c)
      : hidden(c.count("d_model")),
        width(c.count("d_kv")),
        heads(c.count("num_heads")),
        layers(c.count("num_layers")),
        decoder_layers(c.count("num_decoder_layers", layers)),
        distance(c.count("relative_attention_max_distance", 128)),
        epsilon(convert::epsilon(c, "layer_norm_epsilon", 1e-6)) {}
  uint32_t hidden, width, heads, layers, decoder_layers, distance;
  float epsilon;
  bool bias_in_every_layer = false;
  bool tied = true;  // where config.json does not say

  Value norm(Graph& g, Value x, const std::string& name) const {
    return g.norm(x, {.kind = schema::NormKind::rms, .epsilon = epsilon, .weight = name + ".weight"});
  }
  AttentionOptions self_attention(schema::Reader reader, const std::string& stack, uint32_t layer) const {
    const std::string block = stack + "block." + std::to_string(bias_in_every_layer ? layer : 0);
    return {.reader = reader,
            .heads = heads,
            .kv_heads = heads,
            .width = width,
            .scale = 1,
            .relative_bias = block + ".layer.0.SelfAttention.relative_attention_bias.weight",
            .relative_distance = distance};
  }
};

/// "relu", or "gated-" and a function; "gated-gelu" means the tanh form.
inline T5FeedForward t5_feed_forward(const Config& config, const std::string& fallback) {
  const std::string name = config.text("feed_forward_proj", fallback);
  const bool gated = name.rfind("gated-", 0) == 0;
  const schema::Function function = activation(name == "gated-gelu" ? "gelu_new" : gated ? name.substr(6) : name);
  return [=](Graph& g, Value x, const std::string& part, uint32_t) {
    const std::string dense = part + "DenseReluDense.";
    Value u = gated ? g.gate(g.linear(x, {dense + "wi_0", dense + "wi_1"}), function)  // rows x d_ff
                    : g.unary(g.linear(x, dense + "wi"), function);
    return g.linear(u, dense + "wo", {.turned = true});  // rows x hidden
  };
}

/// x: rows x hidden.
inline Value t5_encoder(Graph& g, Value x, const T5Keys& c, const T5FeedForward& feed_forward) {
  const std::string stack = "encoder.";
  for (uint32_t layer = 0; layer < c.layers; ++layer) {
    const std::string name = stack + "block." + std::to_string(layer) + ".layer.", self = name + "0.SelfAttention.";
    Value h = c.norm(g, x, name + "0.layer_norm");                    // rows x hidden
    Value q = g.linear(h, self + "q", {.role = WeightRole::source});  // rows x heads * width
    Value k = g.linear(h, self + "k", {.role = WeightRole::source});  // rows x heads * width
    Value v = g.linear(h, self + "v", {.role = WeightRole::source});  // rows x heads * width
    Value a = g.attention(q, k, v, c.self_attention(schema::Reader::bidirectional, stack, layer));
    x = g.add(x, g.linear(a, self + "o", {.role = WeightRole::source}));  // rows x hidden
    x = g.add(x, feed_forward(g, c.norm(g, x, name + "1.layer_norm"), name + "1.", layer));
  }
  return c.norm(g, x, stack + "final_layer_norm");
}

/// What the decoder's layers see of the encoder's output.
inline std::vector<Cache> t5_sources(Graph& g, Value encoded, const T5Keys& c) {
  std::vector<Cache> sources;
  for (uint32_t layer = 0; layer < c.decoder_layers; ++layer) {
    const std::string cross = "decoder.block." + std::to_string(layer) + ".layer.1.EncDecAttention.";
    sources.push_back(g.source_state(layer, c.heads, c.width));
    Value k = g.linear(encoded, cross + "k", {.role = WeightRole::key_value});  // source tokens x heads * width
    Value v = g.linear(encoded, cross + "v", {.role = WeightRole::key_value});  // source tokens x heads * width
    g.append(sources.back(), k, v);
  }
  return sources;
}

/// x: tokens x hidden.
inline Value t5_decoder(Graph& g, Value x, const std::vector<Cache>& sources, const T5Keys& c, const T5FeedForward& feed_forward) {
  const std::string stack = "decoder.";
  for (uint32_t layer = 0; layer < c.decoder_layers; ++layer) {
    const std::string name = stack + "block." + std::to_string(layer) + ".layer.";
    const std::string self = name + "0.SelfAttention.", cross = name + "1.EncDecAttention.";
    Value h = c.norm(g, x, name + "0.layer_norm");  // tokens x hidden
    Cache cache = g.token_state(layer, c.heads, c.width);
    Value q = g.linear(h, self + "q");                                   // tokens x heads * width
    Value k = g.linear(h, self + "k", {.role = WeightRole::key_value});  // tokens x heads * width
    Value v = g.linear(h, self + "v", {.role = WeightRole::key_value});  // tokens x heads * width
    g.append(cache, k, v);
    Value a = g.attention(q, cache, c.self_attention(schema::Reader::causal, stack, layer));
    x = g.add(x, g.linear(a, self + "o"));  // tokens x hidden

    q = g.linear(c.norm(g, x, name + "1.layer_norm"), cross + "q");  // tokens x heads * width
    a = g.attention(q, sources[layer],
                    {.reader = schema::Reader::bidirectional, .heads = c.heads, .kv_heads = c.heads, .width = c.width, .scale = 1});
    x = g.add(x, g.linear(a, cross + "o"));  // tokens x hidden
    x = g.add(x, feed_forward(g, c.norm(g, x, name + "2.layer_norm"), name + "2.", layer));
  }
  return c.norm(g, x, stack + "final_layer_norm");
}

/// The output head: logits = (h * hidden^-0.5) . head^T where the embedding was trained as the head too.
inline void t5_head(Graph& g, Value h, const Config& config, const T5Keys& c, const std::string& table) {
  const bool tied = config.flag("tie_word_embeddings", c.tied);
  if (config.flag("scale_decoder_outputs", tied)) h = g.scale(h, static_cast<float>(1 / std::sqrt(static_cast<double>(c.hidden))));
  const std::string head = g.head_matrix("lm_head.weight", table + ".weight", tied);
  g.output(schema::Role::logits, "logits", g.linear_with(h, head, {.role = WeightRole::head}));  // outputs x vocabulary
}

/// Whether the file is one of the encoder alone.
inline bool t5_is_encoder(const Config& config, const Graph& g) {
  const std::vector<std::string> saved = config.texts("architectures");
  if (saved.empty()) return !g.has("decoder.final_layer_norm.weight");
  const auto ends_with = [&](const std::string& end) {
    return saved[0].size() >= end.size() && saved[0].compare(saved[0].size() - end.size(), end.size(), end) == 0;
  };
  if (ends_with("EncoderModel")) return true;
  if (!ends_with("ForConditionalGeneration")) config.refuse("architectures", "an encoder, or a model for conditional generation");
  return false;
}

/// The whole model, or its encoder alone.
inline void t5_model(Graph& g, const Config& config, const T5Keys& c, const T5FeedForward& feed_forward) {
  const std::string table = g.has("shared.weight") ? "shared" : "encoder.embed_tokens";
  const uint32_t vocabulary = g.size(table + ".weight", 0);
  const std::string bias = "encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight";
  g.expect_size(config, "vocab_size", table + ".weight", 0);
  g.expect_size(config, "d_model", table + ".weight", 1);
  g.expect_size(config, "relative_attention_num_buckets", bias, 0);
  g.ignore("*coder.embed_tokens.weight");
  if (t5_is_encoder(config, g)) {
    g.program("encode", schema::ProgramKind::encoder, 0);
    Value x = t5_encoder(g, g.embed(g.token_ids(vocabulary), table), c, feed_forward);  // tokens x hidden
    g.output(schema::Role::hidden, "last_hidden_state", x);
    if (!sentence_modules(g, x)) g.task(schema::Task::feature_extraction);
    g.ignore("decoder.*");
    g.ignore("lm_head.weight");
    return;
  }
  g.program("encode", schema::ProgramKind::encode, 0);
  Value encoded = t5_encoder(g, g.embed(g.source_ids(vocabulary), table), c, feed_forward);  // source tokens x hidden
  const std::vector<Cache> sources = t5_sources(g, encoded, c);
  g.output(schema::Role::hidden, "encoder_last_hidden_state", encoded);

  g.program("decode", schema::ProgramKind::decode, 0);
  Value x = g.embed(g.token_ids(vocabulary), table);  // tokens x hidden
  x = t5_decoder(g, x, sources, c, feed_forward);
  t5_head(g, g.select_outputs(x), config, c, table);
  g.task(schema::Task::text_to_text);
  g.ignore("decoder.block.0.layer.1.EncDecAttention.relative_attention_bias.weight");  // left over: nothing reads it
}

}  // namespace linnet::convert::pages
