// OLMo 2, arXiv 2501.00656: LLaMA that normalizes what attention and MLP return, not what they read, and queries and keys as a whole.
#include "convert/architectures/decoder.h"

namespace linnet::convert::pages {

namespace {

void write(const Config& config, Graph& g) {
  const DecoderKeys c(config, g, {.epsilon = 1e-5});
  const schema::Function function = activation(config.text("hidden_act", "silu"));
  const bool bias = config.flag("attention_bias", false);
  expect_language_model(config);

  const Rope rope = g.rope(config, c.head_dim);
  Value x = embed_tokens(g, config, c, rope.reach(c.positions));  // tokens x hidden
  Value angles = g.rotary_angles(g.positions(), rope);            // tokens x rotated channels
  for (uint32_t layer = 0; layer < c.layers; ++layer) {
    const std::string name = c.layer(layer), attn = name + "self_attn.";
    Projections p = project(g, x, attn, bias);
    p.query = rms_norm(g, p.query, c, attn + "q_norm");
    p.key = rms_norm(g, p.key, c, attn + "k_norm");
    rotate(g, &p, angles, c.head_dim);
    Value a = g.linear(attend(g, layer, p, c.attention()), attn + "o_proj", {.bias = bias});  // tokens x hidden
    x = g.add(x, rms_norm(g, a, c, name + "post_attention_layernorm"));                       // tokens x hidden
    Value u = gated_mlp(g, x, name + "mlp.", function);                                       // tokens x hidden
    x = g.add(x, rms_norm(g, u, c, name + "post_feedforward_layernorm"));                     // tokens x hidden
  }
  write_logits(g, x, c);
}

}  // namespace

extern const Architecture olmo2 = {
    .family = "olmo2",
    .description = "text generation; llama with norms behind attention and MLP, normalized queries and keys",
    .model_types = {"olmo2"},
    .write = write,
};

}  // namespace linnet::convert::pages
