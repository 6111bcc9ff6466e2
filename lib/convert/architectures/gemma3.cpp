// Gemma 3, arXiv 2503.19786: Gemma 2 with normalized queries and keys in the place of soft-caps, five layers with a window and a rotary
// base of their own for each one without. Of a checkpoint that also sees images, the text part.
#include "convert/architectures/gemma_parts.h"
#include "convert/architectures/sliding_window.h"

namespace linnet::convert::pages {

namespace {

const char* kVision[] = {"vision_tower.*", "multi_modal_projector.*", "model.vision_tower.*", "model.multi_modal_projector.*"};

/// Sizes that the configurations of checkpoints with images leave out.
Config with_defaults(const Config& config) {
  Json json = config.json();
  const bool sized = config.has("num_attention_heads");
  auto fill = [&](const char* key, const Json& value) {
    if (!config.has(key)) json[key] = value;
  };
  if (!sized) fill("num_key_value_heads", 4);
  fill("num_attention_heads", 8);
  fill("hidden_size", 2304);
  fill("num_hidden_layers", 26);
  return Config(json);
}

/// The prefix of the text part's tensors.
std::string body_of(const Graph& g) {
  for (const char* body : {"language_model.model.", "model.language_model."})
    if (g.has(std::string(body) + "embed_tokens.weight")) return body;
  return prefix_of(g, "model.", "embed_tokens.weight");
}

Rope far_rope(const Config& config, Graph& g, uint32_t width) {
  return g.rope(has_rope_by_layer_type(config) ? rope_of_layer_type(config, "full_attention") : config, width, 1e6);
}

/// Of the layers with a window, which no scaling stretches where there is one set of values.
Rope near_rope(const Config& config, uint32_t width) {
  if (has_rope_by_layer_type(config)) return rope_from_config(rope_of_layer_type(config, "sliding_attention"), width, 1e4);
  return rope_from_config(Config(Json{{"rope_theta", config.number("rope_local_base_freq", 1e4)}}), width);
}

void write_text(const Config& config, Graph& g) {
  DecoderKeys c(config, g, {.tied = true, .head_dim = 256, .positions = 131072});
  c.body = body_of(g);
  const schema::Function function = gemma_activation(config);
  const bool bias = config.flag("attention_bias", false);
  const uint32_t pattern = config.count("sliding_window_pattern", 6);
  const uint32_t window = sliding_window(config, 4096);
  const std::vector<bool> slides = sliding_layers(config, c.layers, [&](uint32_t layer) { return (layer + 1) % pattern != 0; });
  expect_causal(config);

  const Rope far = far_rope(config, g, c.head_dim), near = near_rope(config, c.head_dim);
  Value x = gemma_tokens(g, config, c, far.reach(c.positions));  // tokens x hidden
  Value positions = g.positions();
  Value far_angles = g.rotary_angles(positions, far), near_angles = g.rotary_angles(positions, near);  // tokens x rotated channels
  for (uint32_t layer = 0; layer < c.layers; ++layer) {
    const std::string name = c.layer(layer), attn = name + "self_attn.";
    AttentionOptions attention = c.attention(slides[layer] ? window : 0);
    attention.scale = query_scale(config);
    attention.softcap = softcap(config, "attn_logit_softcapping", 0);
    Projections p = project(g, gemma_norm(g, x, c, name + "input_layernorm"), attn, bias);
    p.query = gemma_norm(g, p.query, c, attn + "q_norm", c.head_dim);
    p.key = gemma_norm(g, p.key, c, attn + "k_norm", c.head_dim);
    rotate(g, &p, slides[layer] ? near_angles : far_angles, c.head_dim);
    Value a = g.linear(attend(g, layer, p, attention), attn + "o_proj", {.bias = bias});                       // tokens x hidden
    x = g.add(x, gemma_norm(g, a, c, name + "post_attention_layernorm"));                                      // tokens x hidden
    Value u = gated_mlp(g, gemma_norm(g, x, c, name + "pre_feedforward_layernorm"), name + "mlp.", function);  // tokens x hidden
    x = g.add(x, gemma_norm(g, u, c, name + "post_feedforward_layernorm"));                                    // tokens x hidden
  }
  const std::string head = g.has("language_model.lm_head.weight") ? "language_model.lm_head.weight" : "lm_head.weight";
  gemma_logits(g, x, c, head, softcap(config, "final_logit_softcapping", 0));
}

void write(const Config& config, Graph& g) {
  if (!config.has("text_config")) {
    expect_language_model(config);
    return write_text(with_defaults(config), g);
  }
  for (const char* pattern : kVision) g.ignore(pattern);
  write_text(with_defaults(config.object("text_config")), g);
}

}  // namespace

extern const Architecture gemma3 = {
    .family = "gemma3",
    .description = "text generation; the text part of checkpoints with images",
    .model_types = {"gemma3_text", "gemma3"},
    .write = write,
};

}  // namespace linnet::convert::pages
