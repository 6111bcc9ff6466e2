// Granite 3, arXiv 2408.13359 (muP): LLaMA with multipliers of embeddings, scores, residual branches and logits.
#include "convert/architectures/decoder.h"

namespace linnet::convert::pages {

namespace {

float multiplier(const Config& config, const std::string& key) {
  const auto value = static_cast<float>(config.number(key, 1));
  if (value == 0) config.refuse(key, "a number other than 0");
  return value;
}

void write(const Config& config, Graph& g) {
  const DecoderKeys c(config, g);
  const schema::Function function = activation(config.text("hidden_act", "silu"));
  const bool attention_bias = config.flag("attention_bias", false), mlp_bias = config.flag("mlp_bias", false);
  const float residual = multiplier(config, "residual_multiplier");
  AttentionOptions attention = c.attention();
  attention.scale = multiplier(config, "attention_multiplier");
  expect_language_model(config);

  const Rope rope = g.rope(config, c.head_dim);
  Value x = embed_tokens(g, config, c, rope.reach(c.positions), multiplier(config, "embedding_multiplier"));  // tokens x hidden
  Value angles = g.rotary_angles(g.positions(), rope);                                                        // tokens x rotated channels
  for (uint32_t layer = 0; layer < c.layers; ++layer) {
    const std::string name = c.layer(layer), attn = name + "self_attn.";
    Projections p = project(g, rms_norm(g, x, c, name + "input_layernorm"), attn, attention_bias);
    rotate(g, &p, angles, c.head_dim);
    Value a = attend(g, layer, p, attention);                                        // tokens x heads * head_dim
    x = g.add(x, g.linear(a, attn + "o_proj", {.bias = attention_bias}), residual);  // tokens x hidden
    Value h = rms_norm(g, x, c, name + "post_attention_layernorm");                  // tokens x hidden
    x = g.add(x, gated_mlp(g, h, name + "mlp.", function, mlp_bias), residual);      // tokens x hidden
  }
  Value h = rms_norm(g, g.select_outputs(x), c, c.body + "norm");  // outputs x hidden
  Value logits = head_logits(g, h, "lm_head.weight", c.body + "embed_tokens.weight", c.tied);
  output_logits(g, g.scale(logits, 1 / multiplier(config, "logits_scaling")));  // outputs x vocabulary
}

}  // namespace

extern const Architecture granite = {
    .family = "granite",
    .description = "text generation; llama with multipliers",
    .model_types = {"granite"},
    .write = write,
};

}  // namespace linnet::convert::pages
