// GPT-NeoX and Pythia, arXiv 2204.06745: attention and MLP side by side, a part of each head's channels rotated.
#include "convert/architectures/gpt.h"

namespace linnet::convert::pages {

namespace {

/// The old names of the rotary keys.
Config with_rotary_names(const Config& config) {
  Json json = config.json();
  if (!config.has("rope_theta")) json["rope_theta"] = config.number("rotary_emb_base", 10000);
  if (!config.has("partial_rotary_factor")) json["partial_rotary_factor"] = config.number("rotary_pct", 0.25);
  return Config(json);
}

void write(const Config& config, Graph& g) {
  const uint32_t layers = config.count("num_hidden_layers"), heads = config.count("num_attention_heads");
  const uint32_t head_dim = even_share(config, "hidden_size", "num_attention_heads");
  const float epsilon = convert::epsilon(config, "layer_norm_eps", 1e-5);
  const schema::Function function = activation(config.text("hidden_act", "gelu"));
  const bool parallel = config.flag("use_parallel_residual", true), bias = config.flag("attention_bias", true);
  expect_language_model(config);
  const LinearOptions biased = {.bias = true};
  const std::string body = prefix_of(g, "gpt_neox.", "embed_in.weight"), table = body + "embed_in";
  g.expect_size(config, "vocab_size", table + ".weight", 0);
  g.expect_size(config, "hidden_size", table + ".weight", 1);
  g.expect_size(config, "intermediate_size", body + "layers.0.mlp.dense_h_to_4h.weight", 0);
  const FusedRows rows = g.checkpoint().is_gguf() ? stacked_rows(heads, heads, head_dim) : grouped_rows(heads, heads, head_dim);

  const Rope rope = g.rope(with_rotary_names(config), head_dim);
  g.program("generate", schema::ProgramKind::autoregressive, rope.reach(config.count("max_position_embeddings", 2048)));
  Value x = g.embed(g.token_ids(g.size(table + ".weight", 0)), table);  // tokens x hidden
  Value angles = g.rotary_angles(g.positions(), rope);                  // tokens x rotated channels
  g.trace("embedding_output", x);
  for (uint32_t layer = 0; layer < layers; ++layer) {
    const std::string name = body + "layers." + std::to_string(layer) + ".", attn = name + "attention.", mlp = name + "mlp.";
    Projections p = project_fused(g, gpt_norm(g, x, name + "input_layernorm", epsilon), attn + "query_key_value", rows, {.bias = bias});
    rotate(g, &p, angles, head_dim);
    Value a = attend(g, layer, p, {.heads = heads, .kv_heads = heads, .width = head_dim});  // tokens x hidden
    Value sum = g.add(x, g.linear(a, attn + "dense", {.bias = bias}));                      // tokens x hidden
    Value h = gpt_norm(g, parallel ? x : sum, name + "post_attention_layernorm", epsilon);
    x = g.add(sum, gpt_mlp(g, h, mlp + "dense_h_to_4h", mlp + "dense_4h_to_h", function, biased));  // tokens x hidden
  }
  Value h = gpt_norm(g, g.select_outputs(x), body + "final_layer_norm", epsilon);  // outputs x hidden
  const bool tied = config.flag("tie_word_embeddings", false);
  output_logits(g, head_logits(g, h, "embed_out.weight", table + ".weight", tied));  // outputs x vocabulary
  ignore_buffers(g);
  g.ignore("*.rotary_emb.*");
}

}  // namespace

extern const Architecture gpt_neox = {
    .family = "gpt_neox",
    .description = "text generation; parallel or sequential residuals",
    .model_types = {"gpt_neox"},
    .write = write,
};

}  // namespace linnet::convert::pages
