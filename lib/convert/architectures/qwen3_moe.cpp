// Qwen3-30B-A3B, arXiv 2505.09388: Qwen3 with many small experts.
#include "convert/architectures/qwen_experts.h"
#include "convert/architectures/sliding_window.h"

namespace linnet::convert::pages {

namespace {

void write(const Config& config, Graph& g) {
  const DecoderKeys c(config, g, {.positions = 32768});
  const QwenExperts e(config, 128, 8);
  const bool bias = config.flag("attention_bias", false);
  const uint32_t window = config.flag("use_sliding_window", false) ? sliding_window(config, 4096) : 0;
  const std::vector<uint32_t> windows = layer_windows(config, c.layers, window, [](uint32_t) { return true; });
  expect_language_model(config);

  const Rope rope = g.rope(config, c.head_dim);
  Value x = embed_tokens(g, config, c, rope.reach(c.positions));  // tokens x hidden
  Value angles = g.rotary_angles(g.positions(), rope);            // tokens x rotated channels
  for (uint32_t layer = 0; layer < c.layers; ++layer) {
    const std::string name = c.layer(layer), attn = name + "self_attn.", mlp = name + "mlp.";
    Projections p = project(g, rms_norm(g, x, c, name + "input_layernorm"), attn, bias);
    p.query = head_norm(g, p.query, c, attn + "q_norm");
    p.key = head_norm(g, p.key, c, attn + "k_norm");
    rotate(g, &p, angles, c.head_dim);
    Value a = attend(g, layer, p, c.attention(windows[layer]));      // tokens x heads * head_dim
    x = g.add(x, g.linear(a, attn + "o_proj", {.bias = bias}));      // tokens x hidden
    Value h = rms_norm(g, x, c, name + "post_attention_layernorm");  // tokens x hidden
    x = g.add(x, e.has_experts(layer) ? routed_experts(g, h, mlp, e, layer) : gated_mlp(g, h, mlp, e.function));  // tokens x hidden
  }
  write_logits(g, x, c);
}

}  // namespace

extern const Architecture qwen3_moe = {
    .family = "qwen3_moe",
    .description = "text generation; qwen3 with routed experts",
    .model_types = {"qwen3_moe"},
    .write = write,
};

}  // namespace linnet::convert::pages
