// Qwen3-VL, arXiv 2511.21631: a ViT over pictures of any size, whose patches are merged by fours into the tokens of a Qwen3. Some of its
// layers feed the first layers of the text as well, and a token's position has three axes.
#include <fmt/format.h>

#include "convert/architectures/decoder.h"
#include "convert/architectures/fused_rows.h"
#include "convert/architectures/vision_layer.h"

namespace linnet::convert::pages {

namespace {

struct Vision {
  explicit Vision(const Config& c)
      : hidden(c.count("hidden_size", 1152)),
        depth(c.count("depth", 27)),
        heads(c.count("num_heads", 16)),
        merge(c.count("spatial_merge_size", 2)),
        patch_numbers(c.count("in_channels", 3) * c.count("temporal_patch_size", 2) * c.count("patch_size", 16) *
                      c.count("patch_size", 16)),
        activation(convert::activation(c.text("hidden_act", "gelu_pytorch_tanh"))) {
    if (hidden % heads != 0 || hidden / heads % 4 != 0) c.refuse("hidden_size", "a multiple of 4 num_heads");
    if (merge > 32) c.refuse("spatial_merge_size", "at most 32");
    const std::vector<float> chosen =
        c.has("deepstack_visual_indexes") ? c.numbers("deepstack_visual_indexes") : std::vector<float>{8, 16, 24};
    for (float index : chosen) {
      if (!(index >= 0 && index < static_cast<float>(depth))) c.refuse("deepstack_visual_indexes", "numbers of layers");
      deepstack.push_back(static_cast<uint32_t>(index));
    }
  }
  uint32_t hidden, depth, heads, merge, patch_numbers;
  schema::Function activation;
  std::vector<uint32_t> deepstack;
};

constexpr float kEpsilon = 1e-6f;

/// Patches that are merged stand one behind the other. x: 4 patches x hidden -> patches x out_hidden_size
Value merger(Graph& g, Value x, const Vision& v, const std::string& name, bool norm_first) {
  const uint32_t together = v.merge * v.merge;
  if (norm_first) x = g.join_rows(vision_norm(g, x, name + "norm", kEpsilon), together);
  if (!norm_first) x = vision_norm(g, g.join_rows(x, together), name + "norm", kEpsilon);
  return vision_mlp(g, x, name + "linear_fc1", name + "linear_fc2", schema::Function::gelu);
}

/// One frame of one picture is a sequence; a row of the input holds the patches of one merged token.
void see(Graph& g, const Config& config) {
  const Vision v(config);
  const std::string body = "model.visual.";
  const uint32_t together = v.merge * v.merge, head_dim = v.hidden / v.heads, table_rows = g.size(body + "pos_embed.weight", 0);
  const auto side = static_cast<uint32_t>(std::lround(std::sqrt(static_cast<double>(table_rows))));
  if (side * side != table_rows) throw Error(fmt::format("tensor {}pos_embed.weight has {} rows, expected a square", body, table_rows));
  g.expect_size(config, "num_position_embeddings", body + "pos_embed.weight", 0);
  g.expect_size(config, "intermediate_size", body + "blocks.0.mlp.linear_fc1.weight", 0);
  g.expect_size(config, "out_hidden_size", body + "merger.linear_fc2.weight", 0);

  g.program("see", schema::ProgramKind::vision, 0);
  Value x = g.split_rows(g.features(v.patch_numbers * together, "pixel_values"), together);  // 4 patches x numbers of one
  x = g.linear(x, body + "patch_embed.proj", {.role = WeightRole::classifier, .bias = true, .flattened = true});
  Value places = g.places(g.rows(x));                                   // 4 patches x 4
  x = g.add(x, g.grid_embed(places, body + "pos_embed.weight", side));  // 4 patches x hidden
  Value angles = g.grid_angles(places, head_dim, 10000);                // 4 patches x head_dim
  std::vector<Value> deep;
  for (uint32_t layer = 0; layer < v.depth; ++layer) {
    const std::string name = body + "blocks." + std::to_string(layer) + ".";
    Projections p = project_fused(g, vision_norm(g, x, name + "norm1", kEpsilon), name + "attn.qkv",
                                  stacked_rows(v.heads, v.heads, head_dim), {.bias = true});
    rotate(g, &p, angles, head_dim);
    Value a = g.attention(p.query, p.key, p.value,
                          {.reader = schema::Reader::bidirectional, .heads = v.heads, .kv_heads = v.heads, .width = head_dim});
    x = g.add(x, g.linear(a, name + "attn.proj", {.bias = true}));
    Value h = vision_norm(g, x, name + "norm2", kEpsilon);
    x = g.add(x, vision_mlp(g, h, name + "mlp.linear_fc1", name + "mlp.linear_fc2", v.activation));
    for (size_t n = 0; n < v.deepstack.size(); ++n)
      if (v.deepstack[n] == layer) deep.push_back(merger(g, x, v, fmt::format("{}deepstack_merger_list.{}.", body, n), false));
  }
  if (deep.size() != v.deepstack.size() || !std::is_sorted(v.deepstack.begin(), v.deepstack.end()))
    config.refuse("deepstack_visual_indexes", "different layers in their order");
  g.output(schema::Role::image_features, "image_features", merger(g, x, v, body + "merger.", true));  // patches x out_hidden_size
  for (size_t n = 0; n < deep.size(); ++n) g.output(schema::Role::image_features, fmt::format("deepstack_features.{}", n), deep[n]);
}

/// Rotary with three axes, woven into each other.
Rope three_axes(const Config& text, Graph& g, uint32_t head_dim) {
  Json merged = text.json();
  const std::string key = text.has("rope_scaling") ? "rope_scaling" : "rope_parameters";
  const Config scaling = text.object(key);
  if (scaling.text("rope_type", scaling.text("type", "")) == "mrope") merged[key]["rope_type"] = "default";
  scaling.require("mrope_interleaved", true, "the axes are woven into each other");
  Rope rope = g.rope(Config(merged, "text_config"), head_dim, 500000);
  const std::vector<float> sections = scaling.has("mrope_section") ? scaling.numbers("mrope_section") : std::vector<float>{24, 20, 20};
  float sum = 0;
  for (float pairs : sections) sum += pairs;
  if (sections.size() != 3 || sum != static_cast<float>(rope.width / 2) || *std::min_element(sections.begin(), sections.end()) < 0)
    scaling.refuse("mrope_section", fmt::format("three numbers that make {} together", rope.width / 2));
  rope.sections.assign(sections.begin(), sections.end());
  return rope;
}

void write_text(Graph& g, const Config& config, uint32_t pictures) {
  const Config text = config.object("text_config");
  DecoderKeys c(text, g, {.head_dim = 128, .positions = 128000});
  c.body = "model.language_model.";
  c.tied = config.flag("tie_word_embeddings", text.flag("tie_word_embeddings", false));
  const schema::Function function = activation(text.text("hidden_act", "silu"));
  const bool bias = text.flag("attention_bias", false);
  if (pictures > c.layers + 1) config.object("vision_config").refuse("deepstack_visual_indexes", "at most one for each layer of the text");
  const Rope rope = three_axes(text, g, c.head_dim);
  const auto token = static_cast<uint32_t>(config.whole("image_token_id", 151655));

  Value ids, x = embed_tokens(g, text, c, rope.reach(c.positions), 1, &ids);  // tokens x hidden
  const uint32_t hidden = x.columns;
  Value rows = g.picture_rows(pictures * hidden);  // parts of pictures x (once for the tokens, once for each of the first layers)
  x = g.place_rows(x, ids, g.slice(rows, 0, hidden), token, false);
  Value angles = g.rotary_angles(g.positions_3d(), rope);  // tokens x rotated channels
  for (uint32_t layer = 0; layer < c.layers; ++layer) {
    const std::string name = c.layer(layer), attn = name + "self_attn.";
    Projections p = project(g, rms_norm(g, x, c, name + "input_layernorm"), attn, bias);
    p.query = head_norm(g, p.query, c, attn + "q_norm");
    p.key = head_norm(g, p.key, c, attn + "k_norm");
    rotate(g, &p, angles, c.head_dim);
    Value a = attend(g, layer, p, c.attention());                    // tokens x heads * head_dim
    x = g.add(x, g.linear(a, attn + "o_proj", {.bias = bias}));      // tokens x hidden
    Value h = rms_norm(g, x, c, name + "post_attention_layernorm");  // tokens x hidden
    x = g.add(x, gated_mlp(g, h, name + "mlp.", function));          // tokens x hidden
    if (layer + 1 < pictures) x = g.place_rows(x, ids, g.slice(rows, (layer + 1) * hidden, hidden), token, true);
  }
  write_logits(g, x, c);
}

void write(const Config& config, Graph& g) {
  if (const std::string saved = saved_as(config); saved != "" && saved != "Qwen3VLForConditionalGeneration")
    config.refuse("architectures", "Qwen3VLForConditionalGeneration");
  see(g, config.object("vision_config"));
  uint32_t pictures = 0;
  for (const Graph::Port& port : g.programs()[0].outputs) pictures += port.role == schema::Role::image_features;
  write_text(g, config, pictures);
}

}  // namespace

extern const Architecture qwen3_vl = {
    .family = "qwen3_vl",
    .description = "text generation about pictures of any size",
    .model_types = {"qwen3_vl"},
    .write = write,
};

}  // namespace linnet::convert::pages
