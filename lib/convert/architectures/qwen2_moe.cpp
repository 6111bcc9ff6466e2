// Qwen2-57B-A14B and Qwen1.5-MoE, arXiv 2407.10671: Qwen2 with many small experts, and one beside them that every token goes to.
// Without the shared one and with decoder_sparse_step 2, num_experts_per_tok 2, it is the decoder of GLaM, arXiv 2112.06905: every other
// layer has experts, of which each token takes two.
#include "convert/architectures/qwen_experts.h"
#include "convert/architectures/sliding_window.h"

namespace linnet::convert::pages {

namespace {

void write(const Config& config, Graph& g) {
  const DecoderKeys c(config, g, {.positions = 32768});
  const QwenExperts e(config, 60, 4);
  const bool bias = config.flag("qkv_bias", true);
  const std::vector<uint32_t> windows = qwen_windows(config, c.layers);
  expect_language_model(config);

  const Rope rope = g.rope(config, c.head_dim);
  Value x = embed_tokens(g, config, c, rope.reach(c.positions));  // tokens x hidden
  Value angles = g.rotary_angles(g.positions(), rope);            // tokens x rotated channels
  for (uint32_t layer = 0; layer < c.layers; ++layer) {
    const std::string name = c.layer(layer), attn = name + "self_attn.", mlp = name + "mlp.";
    Projections p = project(g, rms_norm(g, x, c, name + "input_layernorm"), attn, bias);
    rotate(g, &p, angles, c.head_dim);
    Value a = attend(g, layer, p, c.attention(windows[layer]));      // tokens x heads * head_dim
    x = g.add(x, g.linear(a, attn + "o_proj"));                      // tokens x hidden
    Value h = rms_norm(g, x, c, name + "post_attention_layernorm");  // tokens x hidden
    if (!e.has_experts(layer)) {
      x = g.add(x, gated_mlp(g, h, mlp, e.function));  // tokens x hidden
      continue;
    }
    x = g.add(x, routed_experts(g, h, mlp, e, layer));  // tokens x hidden
    if (g.has(mlp + "shared_expert_gate.weight"))
      x = g.add(x, shared_expert(g, h, mlp + "shared_expert", mlp + "shared_expert_gate", e.function));  // tokens x hidden
  }
  write_logits(g, x, c);
}

}  // namespace

extern const Architecture qwen2_moe = {
    .family = "qwen2_moe",
    .description = "text generation; qwen2 with routed experts and a shared one; GLaM's pattern",
    .model_types = {"qwen2_moe"},
    .write = write,
};

}  // namespace linnet::convert::pages
