// LLaMA, arXiv 2302.13971, with grouped key/value heads (arXiv 2305.13245) and every scaling of the rotary frequencies.
#include "convert/architectures/decoder.h"

namespace linnet::convert::pages {

namespace {

void write(const Config& config, Graph& g) {
  const DecoderKeys c(config, g);
  const schema::Function function = activation(config.text("hidden_act", "silu"));
  const bool attention_bias = config.flag("attention_bias", false), mlp_bias = config.flag("mlp_bias", false);
  expect_language_model(config);
  config.require("sliding_window", nullptr, "this architecture sees every position");
  for (const std::string& type : config.texts("layer_types"))
    if (type != "full_attention") config.refuse("layer_types", "\"full_attention\" for every layer");

  const Rope rope = g.rope(config, c.head_dim);
  Value x = embed_tokens(g, config, c, rope.reach(c.positions));  // tokens x hidden
  Value angles = g.rotary_angles(g.positions(), rope);            // tokens x rotated channels
  for (uint32_t layer = 0; layer < c.layers; ++layer) {
    const std::string name = c.layer(layer), attn = name + "self_attn.";
    Projections p = project(g, rms_norm(g, x, c, name + "input_layernorm"), attn, attention_bias);
    rotate(g, &p, angles, c.head_dim);
    Value a = attend(g, layer, p, c.attention());                          // tokens x heads * head_dim
    x = g.add(x, g.linear(a, attn + "o_proj", {.bias = attention_bias}));  // tokens x hidden
    Value h = rms_norm(g, x, c, name + "post_attention_layernorm");        // tokens x hidden
    x = g.add(x, gated_mlp(g, h, name + "mlp.", function, mlp_bias));      // tokens x hidden
  }
  write_logits(g, x, c);
}

}  // namespace

extern const Architecture llama = {
    .family = "llama",
    .description = "text generation; MHA, GQA, MQA; biases; tied or stored head; rope default, linear, dynamic, llama3, yarn, longrope",
    .model_types = {"llama"},
    .write = write,
};

}  // namespace linnet::convert::pages
