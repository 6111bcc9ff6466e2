// SmolLM3: LLaMA in which some layers do not rotate queries and keys (NoPE, arXiv 2501.18795).
#include <cmath>

#include "convert/architectures/decoder.h"
#include "convert/architectures/sliding_window.h"

namespace linnet::convert::pages {

namespace {

/// no_rope_layers says 1 for the layers that do rotate; where it is absent, every fourth does not.
std::vector<bool> rotated_layers(const Config& config, uint32_t layers) {
  const uint32_t interval = config.count("no_rope_layer_interval", 4);
  std::vector<bool> rotated(layers);
  const std::vector<float> listed = config.numbers("no_rope_layers");
  if (!listed.empty() && listed.size() != layers)
    config.refuse("no_rope_layers", "1 or 0 for each of " + std::to_string(layers) + " layers");
  for (uint32_t i = 0; i < layers; ++i) rotated[i] = listed.empty() ? (i + 1) % interval != 0 : listed[i] != 0;
  return rotated;
}

void write(const Config& config, Graph& g) {
  const DecoderKeys c(config, g, {.tied = true, .positions = 32768});
  const schema::Function function = activation(config.text("hidden_act", "silu"));
  const bool attention_bias = config.flag("attention_bias", false), mlp_bias = config.flag("mlp_bias", false);
  const std::vector<bool> rotated = rotated_layers(config, c.layers);
  const uint32_t window = config.flag("use_sliding_window", false) ? sliding_window(config, 0) : 0;
  const std::vector<uint32_t> windows = layer_windows(config, c.layers, window, [&](uint32_t layer) { return !rotated[layer]; });
  expect_language_model(config);

  const Rope rope = g.rope(config, c.head_dim, 2e6);
  Value x = embed_tokens(g, config, c, rope.reach(c.positions));  // tokens x hidden
  Value angles = g.rotary_angles(g.positions(), rope);            // tokens x rotated channels
  for (uint32_t layer = 0; layer < c.layers; ++layer) {
    const std::string name = c.layer(layer), attn = name + "self_attn.";
    Projections p = project(g, rms_norm(g, x, c, name + "input_layernorm"), attn, attention_bias);
    if (rotated[layer]) rotate(g, &p, angles, c.head_dim);
    Value a = attend(g, layer, p, c.attention(windows[layer]));            // tokens x heads * head_dim
    x = g.add(x, g.linear(a, attn + "o_proj", {.bias = attention_bias}));  // tokens x hidden
    Value h = rms_norm(g, x, c, name + "post_attention_layernorm");        // tokens x hidden
    x = g.add(x, gated_mlp(g, h, name + "mlp.", function, mlp_bias));      // tokens x hidden
  }
  write_logits(g, x, c);
}

}  // namespace

extern const Architecture smollm3 = {
    .family = "smollm3",
    .description = "text generation; llama with layers without rotary positions",
    .model_types = {"smollm3"},
    .write = write,
};

}  // namespace linnet::convert::pages
