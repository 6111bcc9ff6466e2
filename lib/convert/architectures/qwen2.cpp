// Qwen2, arXiv 2407.10671: LLaMA with biases on queries, keys and values; a window in the upper layers where it is switched on.
#include "convert/architectures/decoder.h"
#include "convert/architectures/sliding_window.h"

namespace linnet::convert::pages {

namespace {

void write(const Config& config, Graph& g) {
  const DecoderKeys c(config, g, {.positions = 32768});
  const schema::Function function = activation(config.text("hidden_act", "silu"));
  const std::vector<uint32_t> windows = qwen_windows(config, c.layers);
  expect_language_model(config);

  const Rope rope = g.rope(config, c.head_dim);
  Value x = embed_tokens(g, config, c, rope.reach(c.positions));  // tokens x hidden
  Value angles = g.rotary_angles(g.positions(), rope);            // tokens x rotated channels
  for (uint32_t layer = 0; layer < c.layers; ++layer) {
    const std::string name = c.layer(layer), attn = name + "self_attn.";
    Projections p = project(g, rms_norm(g, x, c, name + "input_layernorm"), attn, true);
    rotate(g, &p, angles, c.head_dim);
    Value a = attend(g, layer, p, c.attention(windows[layer]));      // tokens x heads * head_dim
    x = g.add(x, g.linear(a, attn + "o_proj"));                      // tokens x hidden
    Value h = rms_norm(g, x, c, name + "post_attention_layernorm");  // tokens x hidden
    x = g.add(x, gated_mlp(g, h, name + "mlp.", function));          // tokens x hidden
  }
  write_logits(g, x, c);
}

}  // namespace

extern const Architecture qwen2 = {
    .family = "qwen2",
    .description = "text generation; llama with biases on q, k and v, sliding layers",
    .model_types = {"qwen2"},
    .write = write,
};

}  // namespace linnet::convert::pages
