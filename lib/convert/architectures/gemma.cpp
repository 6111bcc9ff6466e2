// Gemma, arXiv 2403.08295: LLaMA with 1 + w in its norms, scaled embeddings and wide heads.
#include "convert/architectures/gemma_parts.h"

namespace linnet::convert::pages {

namespace {

void write(const Config& config, Graph& g) {
  const DecoderKeys c(config, g, {.tied = true, .head_dim = 256, .positions = 8192});
  const schema::Function function = gemma_activation(config);
  const bool bias = config.flag("attention_bias", false);
  expect_language_model(config);
  expect_causal(config);

  const Rope rope = g.rope(config, c.head_dim);
  Value x = gemma_tokens(g, config, c, rope.reach(c.positions));  // tokens x hidden
  Value angles = g.rotary_angles(g.positions(), rope);            // tokens x rotated channels
  for (uint32_t layer = 0; layer < c.layers; ++layer) {
    const std::string name = c.layer(layer), attn = name + "self_attn.";
    Projections p = project(g, gemma_norm(g, x, c, name + "input_layernorm"), attn, bias);
    rotate(g, &p, angles, c.head_dim);
    Value a = attend(g, layer, p, c.attention());                      // tokens x heads * head_dim
    x = g.add(x, g.linear(a, attn + "o_proj", {.bias = bias}));        // tokens x hidden
    Value h = gemma_norm(g, x, c, name + "post_attention_layernorm");  // tokens x hidden
    x = g.add(x, gated_mlp(g, h, name + "mlp.", function));            // tokens x hidden
  }
  gemma_logits(g, x, c, "lm_head.weight", 0);
}

}  // namespace

extern const Architecture gemma = {
    .family = "gemma",
    .description = "text generation",
    .model_types = {"gemma"},
    .write = write,
};

}  // namespace linnet::convert::pages
