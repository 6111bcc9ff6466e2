// OLMoE, arXiv 2409.02060: LLaMA's frame with 64 small experts, queries and keys normalized as a whole and, where asked for, clipped.
#include "convert/architectures/decoder.h"
#include "convert/architectures/expert_layer.h"

namespace linnet::convert::pages {

namespace {

void clip(Graph& g, Projections* p, float limit) {
  p->query = g.clamp(p->query, limit);
  p->key = g.clamp(p->key, limit);
  p->value = g.clamp(p->value, limit);
}

void write(const Config& config, Graph& g) {
  const DecoderKeys c(config, g, {.epsilon = 1e-5, .positions = 4096});
  const ExpertKeys e(config, 64, 8);
  const schema::Function function = activation(config.text("hidden_act", "silu"));
  const bool bias = config.flag("attention_bias", false), renormalize = config.flag("norm_topk_prob", false);
  const bool clipped = config.has("clip_qkv");
  const auto limit = static_cast<float>(config.number("clip_qkv", 0));
  if (clipped && !(limit > 0)) config.refuse("clip_qkv", "a number above 0");
  expect_language_model(config);

  const Rope rope = g.rope(config, c.head_dim);
  Value x = embed_tokens(g, config, c, rope.reach(c.positions));  // tokens x hidden
  Value angles = g.rotary_angles(g.positions(), rope);            // tokens x rotated channels
  for (uint32_t layer = 0; layer < c.layers; ++layer) {
    const std::string name = c.layer(layer), attn = name + "self_attn.", mlp = name + "mlp.";
    Projections p = project(g, rms_norm(g, x, c, name + "input_layernorm"), attn, bias);
    p.query = rms_norm(g, p.query, c, attn + "q_norm");
    p.key = rms_norm(g, p.key, c, attn + "k_norm");
    if (clipped) clip(g, &p, limit);
    rotate(g, &p, angles, c.head_dim);
    Value a = attend(g, layer, p, c.attention());                    // tokens x heads * head_dim
    x = g.add(x, g.linear(a, attn + "o_proj", {.bias = bias}));      // tokens x hidden
    Value h = rms_norm(g, x, c, name + "post_attention_layernorm");  // tokens x hidden
    const Routed routed = g.route(router_scores(g, h, mlp + "gate", e.experts, layer), {.count = e.chosen, .renormalize = renormalize});
    x = g.add(x, g.experts(h, routed, gated_experts(g, mlp + "experts.", e.experts), {.function = function}));  // tokens x hidden
  }
  write_logits(g, x, c);
}

}  // namespace

extern const Architecture olmoe = {
    .family = "olmoe",
    .description = "text generation; llama with routed experts, normalized and clipped queries and keys",
    .model_types = {"olmoe"},
    .write = write,
};

}  // namespace linnet::convert::pages
