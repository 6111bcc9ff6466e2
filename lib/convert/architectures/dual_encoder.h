// The towers of models that compare pictures with texts, arXiv 2103.00020: a ViT for pictures, and the same layers over words.
#pragma once

#include <cmath>

#include "convert/architectures/vision_layer.h"

namespace linnet::convert::pages {

/// The names that both towers' layers have.
inline VisionNames tower_names(const std::string& layer) {
  const std::string attn = layer + "self_attn.", mlp = layer + "mlp.";
  return {.norm1 = layer + "layer_norm1",
          .query = attn + "q_proj",
          .key = attn + "k_proj",
          .value = attn + "v_proj",
          .out = attn + "out_proj",
          .norm2 = layer + "layer_norm2",
          .fc1 = mlp + "fc1",
          .fc2 = mlp + "fc2"};
}

/// x: rows x hidden; `body` ends with a dot or is empty.
inline Value tower(Graph& g, Value x, const std::string& body, const VisionKeys& k, schema::Reader reader) {
  g.expect_size(k.config, "hidden_size", body + "encoder.layers.0.mlp.fc1.weight", 1);
  g.expect_size(k.config, "intermediate_size", body + "encoder.layers.0.mlp.fc1.weight", 0);
  for (uint32_t layer = 0; layer < k.layers; ++layer)
    x = vision_layer(g, x, tower_names(body + "encoder.layers." + std::to_string(layer) + "."), k, true, reader);
  return x;
}

/// The keys of the tower of texts: those of ViT's layers without a picture's.
inline VisionKeys text_keys(const Config& c, const VisionDefaults& d) {
  Json words = c.json();
  words["image_size"] = words["patch_size"] = 1;
  return vision_keys(Config(words, "text_config"), d);
}

/// Tokens of a text through their tower. -> tokens x hidden
inline Value text_tower(Graph& g, Value ids, const std::string& body, const VisionKeys& k, schema::Reader reader) {
  const std::string tables = body + "embeddings.", places = tables + "position_embedding.weight";
  Value x = g.embed(ids, tables + "token_embedding");  // tokens x hidden
  x = g.add_positions(x, places, g.size(places, 0));   // tokens x hidden
  x = tower(g, x, body, k, reader);                    // tokens x hidden
  return vision_norm(g, x, body + "final_layer_norm", k.epsilon);
}

/// Where a tower's names begin: files of one tower may leave the prefix out.
inline std::string tower_prefix(const Graph& g, const std::string& usual) {
  return g.has(usual + "encoder.layers.0.layer_norm1.weight") ? usual : "";
}

/// Of length 1, as they are compared.
inline Value unit_length(Graph& g, Value x) { return g.norm(x, {.kind = schema::NormKind::l2}); }

/// The factor that embeddings are compared with is stored as its logarithm.
inline void write_similarity(Graph& g, bool with_bias) {
  const float scale = std::exp(g.scalar("logit_scale")), bias = with_bias ? g.scalar("logit_bias") : 0.0f;
  g.similarity(scale, bias);
}

/// A part of the configuration, with what older files say in a second object besides.
inline Config tower_config(const Config& c, const std::string& key) {
  const Config older = c.object(key + "_dict");
  Json merged = c.object(key).json();
  for (const auto& [name, value] : older.json().items())
    if (!value.is_null()) merged[name] = value;
  return Config(merged, key);
}

}  // namespace linnet::convert::pages
