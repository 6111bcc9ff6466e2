// Mixtral of experts, arXiv 2401.04088: Mistral whose MLPs are the best two of eight, weighted by the softmax over these two.
#include "convert/architectures/decoder.h"
#include "convert/architectures/expert_layer.h"
#include "convert/architectures/sliding_window.h"

namespace linnet::convert::pages {

namespace {

void write(const Config& config, Graph& g) {
  const DecoderKeys c(config, g, {.epsilon = 1e-5, .positions = 131072});
  const ExpertKeys e(config, 8, 2);
  const schema::Function function = activation(config.text("hidden_act", "silu"));
  const std::vector<uint32_t> windows = layer_windows(config, c.layers, sliding_window(config, 0), [](uint32_t) { return true; });
  expect_language_model(config);
  config.require("attention_bias", false, "this architecture has no biases");

  const Rope rope = g.rope(config, c.head_dim, 1e6);
  Value x = embed_tokens(g, config, c, rope.reach(c.positions));  // tokens x hidden
  Value angles = g.rotary_angles(g.positions(), rope);            // tokens x rotated channels
  for (uint32_t layer = 0; layer < c.layers; ++layer) {
    const std::string name = c.layer(layer), attn = name + "self_attn.";
    Projections p = project(g, rms_norm(g, x, c, name + "input_layernorm"), attn);
    rotate(g, &p, angles, c.head_dim);
    Value a = attend(g, layer, p, c.attention(windows[layer]));      // tokens x heads * head_dim
    x = g.add(x, g.linear(a, attn + "o_proj"));                      // tokens x hidden
    Value h = rms_norm(g, x, c, name + "post_attention_layernorm");  // tokens x hidden
    // As saved by the reference's newer classes, or as published.
    const std::string moe = name + (g.has(name + "mlp.gate.weight") ? "mlp." : "block_sparse_moe.");
    const Routed routed = g.route(router_scores(g, h, moe + "gate", e.experts, layer), {.count = e.chosen, .renormalize = true});
    const ExpertMatrices matrices = gated_experts(g, moe + "experts.", e.experts, {.gate = "w1", .up = "w3", .down = "w2"});
    x = g.add(x, g.experts(h, routed, matrices, {.function = function}));  // tokens x hidden
  }
  write_logits(g, x, c);
}

}  // namespace

extern const Architecture mixtral = {
    .family = "mixtral",
    .description = "text generation; mistral with a mixture of experts",
    .model_types = {"mixtral"},
    .write = write,
};

}  // namespace linnet::convert::pages
