// Gemma 2, arXiv 2408.00118: norms before and behind attention and MLP, soft-capped scores and logits, a window in every other layer.
#include "convert/architectures/gemma_parts.h"
#include "convert/architectures/sliding_window.h"

namespace linnet::convert::pages {

namespace {

void write(const Config& config, Graph& g) {
  const DecoderKeys c(config, g, {.tied = true, .head_dim = 256, .positions = 8192});
  const schema::Function function = gemma_activation(config);
  const bool bias = config.flag("attention_bias", false);
  const uint32_t window = sliding_window(config, 4096);
  const std::vector<uint32_t> windows = layer_windows(config, c.layers, window, [](uint32_t layer) { return layer % 2 == 0; });
  expect_language_model(config);
  expect_causal(config);

  const Rope rope = g.rope(config, c.head_dim);
  Value x = gemma_tokens(g, config, c, rope.reach(c.positions));  // tokens x hidden
  Value angles = g.rotary_angles(g.positions(), rope);            // tokens x rotated channels
  for (uint32_t layer = 0; layer < c.layers; ++layer) {
    const std::string name = c.layer(layer), attn = name + "self_attn.";
    AttentionOptions attention = c.attention(windows[layer]);
    attention.scale = query_scale(config);
    attention.softcap = softcap(config, "attn_logit_softcapping", 50);
    Projections p = project(g, gemma_norm(g, x, c, name + "input_layernorm"), attn, bias);
    rotate(g, &p, angles, c.head_dim);
    Value a = g.linear(attend(g, layer, p, attention), attn + "o_proj", {.bias = bias});                       // tokens x hidden
    x = g.add(x, gemma_norm(g, a, c, name + "post_attention_layernorm"));                                      // tokens x hidden
    Value u = gated_mlp(g, gemma_norm(g, x, c, name + "pre_feedforward_layernorm"), name + "mlp.", function);  // tokens x hidden
    x = g.add(x, gemma_norm(g, u, c, name + "post_feedforward_layernorm"));                                    // tokens x hidden
  }
  gemma_logits(g, x, c, "lm_head.weight", softcap(config, "final_logit_softcapping", 30));
}

}  // namespace

extern const Architecture gemma2 = {
    .family = "gemma2",
    .description = "text generation; soft-caps, a sliding window in every other layer",
    .model_types = {"gemma2"},
    .write = write,
};

}  // namespace linnet::convert::pages
