// Phi-3 and Phi-4-mini, arXiv 2404.14219: LLaMA with fused linears, rotary frequencies for long texts (LongRoPE, arXiv 2402.13753).
#include "convert/architectures/decoder.h"
#include "convert/architectures/fused_rows.h"
#include "convert/architectures/sliding_window.h"

namespace linnet::convert::pages {

namespace {

/// The first files call LongRoPE by other names.
Config with_rope_names(const Config& config) {
  Json json = config.json();
  if (!config.has("original_max_position_embeddings")) json["original_max_position_embeddings"] = 4096;
  for (const char* key : {"rope_scaling", "rope_parameters"}) {
    if (!config.has(key) || !json[key].is_object()) continue;
    for (const char* type : {"rope_type", "type"})
      if (json[key].contains(type) && json[key][type] == "yarn") json[key][type] = "longrope";
  }
  return Config(json);
}

void write(const Config& given, Graph& g) {
  const Config config = with_rope_names(given);
  const DecoderKeys c(config, g, {.epsilon = 1e-5, .positions = 4096});
  const schema::Function function = activation(config.text("hidden_act", "silu"));
  const uint32_t window = sliding_window(config, 0);
  expect_language_model(config);
  config.require("attention_bias", false, "this architecture has no biases");
  config.require("lm_head_bias", false, "the head has no bias");
  const FusedRows rows = stacked_rows(c.heads, c.kv_heads, c.head_dim);

  const Rope rope = g.rope(config, c.head_dim);
  Value x = embed_tokens(g, config, c, rope.reach(c.positions));  // tokens x hidden
  Value angles = g.rotary_angles(g.positions(), rope);            // tokens x rotated channels
  for (uint32_t layer = 0; layer < c.layers; ++layer) {
    const std::string name = c.layer(layer), attn = name + "self_attn.", mlp = name + "mlp.";
    Projections p = project_fused(g, rms_norm(g, x, c, name + "input_layernorm"), attn + "qkv_proj", rows);
    rotate(g, &p, angles, c.head_dim);
    Value a = attend(g, layer, p, c.attention(window));              // tokens x heads * head_dim
    x = g.add(x, g.linear(a, attn + "o_proj"));                      // tokens x hidden
    Value h = rms_norm(g, x, c, name + "post_attention_layernorm");  // tokens x hidden
    Value u = g.gate(g.linear(h, mlp + "gate_up_proj"), function);   // tokens x intermediate
    x = g.add(x, g.linear(u, mlp + "down_proj", {.turned = true}));  // tokens x hidden
  }
  write_logits(g, x, c);
}

}  // namespace

extern const Architecture phi3 = {
    .family = "phi3",
    .description = "text generation; fused linears, longrope, sliding window (Phi-3, Phi-4-mini)",
    .model_types = {"phi3"},
    .write = write,
};

}  // namespace linnet::convert::pages
