// What encoders of pictures share: a picture's and a patch's size, patches as rows, and the layer of ViT, arXiv 2010.11929, with its
// normalizations before each branch.
#pragma once

#include <string>
#include <tuple>
#include <utility>

#include "convert/architecture.h"

namespace linnet::convert::pages {

struct VisionKeys {
  Config config;
  uint32_t hidden = 0, layers = 0, heads = 0, head_dim = 0, channels = 0, height = 0, width = 0, patch = 0;
  float epsilon = 0;
  schema::Function activation = schema::Function::gelu;

  uint32_t rows() const { return height / patch; }
  uint32_t columns() const { return width / patch; }
  uint32_t patches() const { return rows() * columns(); }
};

/// What a family assumes where its configuration is silent, as newer files are about what is usual.
struct VisionDefaults {
  uint32_t hidden = 768, layers = 12, heads = 12, image = 224, patch = 16;
  double epsilon = 1e-6;
  const char* function = "gelu";
};

/// One number for both sides, or a list of two.
inline std::pair<uint32_t, uint32_t> sides(const Config& c, const std::string& key, uint32_t fallback) {
  if (!c.has(key) || !c.json().at(key).is_array()) return {c.count(key, fallback), c.count(key, fallback)};
  const std::vector<float> numbers = c.numbers(key);
  for (float number : numbers)
    if (!(number >= 1 && number <= 65536) || number != static_cast<float>(static_cast<uint32_t>(number))) c.refuse(key, "whole numbers");
  if (numbers.size() != 2) c.refuse(key, "a number, or one for the height and one for the width");
  return {static_cast<uint32_t>(numbers[0]), static_cast<uint32_t>(numbers[1])};
}

inline VisionKeys vision_keys(const Config& c, const VisionDefaults& d) {
  VisionKeys k{.config = c};
  k.hidden = c.count("hidden_size", d.hidden);
  k.layers = c.count("num_hidden_layers", d.layers);
  k.heads = c.count("num_attention_heads", d.heads);
  if (k.hidden % k.heads != 0) c.refuse("hidden_size", "a multiple of num_attention_heads");
  k.head_dim = k.hidden / k.heads;
  k.channels = c.count("num_channels", 3);
  std::tie(k.height, k.width) = sides(c, "image_size", d.image);
  const auto [patch_height, patch_width] = sides(c, "patch_size", d.patch);
  if (patch_height != patch_width || patch_height > k.height || patch_height > k.width)
    c.refuse("patch_size", "a square within the picture");
  k.patch = patch_height;
  k.epsilon = convert::epsilon(c, "layer_norm_eps", d.epsilon);
  k.activation = convert::activation(c.text("hidden_act", d.function));
  return k;
}

/// The pictures of a call as rows. -> images * patches x hidden
inline Value embed_patches(Graph& g, const VisionKeys& k, const std::string& projection, bool bias) {
  Value pictures = g.pixels(k.channels, k.height, k.width);
  Value patches = g.patchify(pictures, k.channels, k.height, k.width, k.patch);
  // The first layer reads colours: as keyword spotting's reads its frames, it is not rounded.
  return g.linear(patches, projection, {.role = WeightRole::classifier, .bias = bias, .flattened = true});
}

struct VisionNames {
  std::string norm1, query, key, value, out, norm2, fc1, fc2;
  std::string scale1 = "", scale2 = "";  // full names of factors for the columns of what a branch adds; "" = none
};

inline Value vision_norm(Graph& g, Value x, const std::string& name, float epsilon) {
  return g.norm(x, {.epsilon = epsilon, .weight = name + ".weight", .bias = name + ".bias"});
}

/// fc2(function(fc1 x)). -> rows of x x hidden
inline Value vision_mlp(Graph& g, Value x, const std::string& fc1, const std::string& fc2, schema::Function function) {
  Value u = g.unary(g.linear(x, fc1, {.bias = true}), function);
  return g.linear(u, fc2, {.bias = true, .turned = true});
}

/// The first branch: x plus attention among a picture's rows. x: rows x hidden
inline Value vision_attention(Graph& g, Value x, const VisionNames& n, const VisionKeys& k, bool qkv_bias, schema::Reader reader) {
  Value h = vision_norm(g, x, n.norm1, k.epsilon);
  Value q = g.linear(h, n.query, {.bias = qkv_bias});                                 // rows x hidden
  Value key = g.linear(h, n.key, {.role = WeightRole::key_value, .bias = qkv_bias});  // rows x hidden
  Value v = g.linear(h, n.value, {.role = WeightRole::key_value, .bias = qkv_bias});  // rows x hidden
  Value a = g.attention(q, key, v, {.reader = reader, .heads = k.heads, .kv_heads = k.heads, .width = k.head_dim});
  a = g.linear(a, n.out, {.bias = true});  // rows x hidden
  return g.add(x, n.scale1.empty() ? a : g.multiply_row(a, n.scale1));
}

/// x: rows x hidden
inline Value vision_layer(Graph& g, Value x, const VisionNames& n, const VisionKeys& k, bool qkv_bias = true,
                          schema::Reader reader = schema::Reader::bidirectional) {
  x = vision_attention(g, x, n, k, qkv_bias, reader);
  Value u = vision_mlp(g, vision_norm(g, x, n.norm2, k.epsilon), n.fc1, n.fc2, k.activation);  // rows x hidden
  return g.add(x, u);
}

/// The class that a file was saved from; "" where config.json names none.
inline std::string saved_as(const Config& c) {
  const std::vector<std::string> names = c.texts("architectures");
  return names.empty() ? "" : names[0];
}

}  // namespace linnet::convert::pages
