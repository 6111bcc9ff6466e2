// GPT-2, Radford et al. 2019. Its linears are stored transposed (Conv1D), except in GGUF files.
#include "convert/architectures/gpt.h"

namespace linnet::convert::pages {

namespace {

struct Keys {
  explicit Keys(const Config& c)
      : layers(c.count("n_layer")),
        heads(c.count("n_head")),
        head_dim(even_share(c, "n_embd", "n_head")),
        epsilon(convert::epsilon(c, "layer_norm_epsilon", 1e-5)),
        function(activation(c.text("activation_function", "gelu_new"))),
        scaled(c.flag("scale_attn_weights", true)),
        scaled_by_layer(c.flag("scale_attn_by_inverse_layer_idx", false)),
        tied(c.flag("tie_word_embeddings", true)) {
    expect_language_model(c);
    c.require("add_cross_attention", false, "a decoder alone");
  }
  float scale(uint32_t layer) const {
    const double scale = scaled ? 1 / std::sqrt(static_cast<double>(head_dim)) : 1;
    return static_cast<float>(scaled_by_layer ? scale / (layer + 1) : scale);
  }
  uint32_t layers, heads, head_dim;
  float epsilon;
  schema::Function function;
  bool scaled, scaled_by_layer, tied;
};

void write(const Config& config, Graph& g) {
  const Keys c(config);
  const std::string body = prefix_of(g, "transformer.", "wte.weight");
  const LinearOptions linears = {.bias = true, .transposed = !g.checkpoint().is_gguf()};
  const FusedRows rows = stacked_rows(c.heads, c.heads, c.head_dim);
  g.expect_size(config, "vocab_size", body + "wte.weight", 0);
  g.expect_size(config, "n_embd", body + "wte.weight", 1);
  g.expect_size(config, "n_positions", body + "wpe.weight", 0);
  g.expect_size(config, "n_inner", body + "h.0.mlp.c_fc.bias", 0);

  Value x = embed_with_positions(g, body + "wte", body + "wpe");  // tokens x hidden
  for (uint32_t layer = 0; layer < c.layers; ++layer) {
    const std::string name = body + "h." + std::to_string(layer) + ".";
    Projections p = project_fused(g, gpt_norm(g, x, name + "ln_1", c.epsilon), name + "attn.c_attn", rows, linears);
    Value a = attend(g, layer, p, {.heads = c.heads, .kv_heads = c.heads, .width = c.head_dim, .scale = c.scale(layer)});
    x = g.add(x, g.linear(a, name + "attn.c_proj", linears));                                  // tokens x hidden
    Value h = gpt_norm(g, x, name + "ln_2", c.epsilon);                                        // tokens x hidden
    x = g.add(x, gpt_mlp(g, h, name + "mlp.c_fc", name + "mlp.c_proj", c.function, linears));  // tokens x hidden
  }
  write_gpt_logits(g, x, body, c.epsilon, c.tied);
}

}  // namespace

extern const Architecture gpt2 = {
    .family = "gpt2",
    .description = "text generation",
    .model_types = {"gpt2"},
    .write = write,
};

}  // namespace linnet::convert::pages
