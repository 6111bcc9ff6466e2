// StarCoder and SantaCoder, arXiv 2305.06161: GPT-2 with one key and value head for all queries (arXiv 1911.02150).
#include "convert/architectures/gpt.h"

namespace linnet::convert::pages {

namespace {

void write(const Config& config, Graph& g) {
  const uint32_t layers = config.count("n_layer"), heads = config.count("n_head"), head_dim = even_share(config, "n_embd", "n_head");
  const uint32_t kv_heads = config.flag("multi_query", true) ? 1 : heads;
  const float epsilon = convert::epsilon(config, "layer_norm_epsilon", 1e-5);
  const float scale = config.flag("scale_attn_weights", true) ? 0.0f : 1.0f;
  const schema::Function function = activation(config.text("activation_function", "gelu_pytorch_tanh"));
  expect_language_model(config);
  config.require("add_cross_attention", false, "a decoder alone");
  const LinearOptions biased = {.bias = true};
  const std::string body = prefix_of(g, "transformer.", "wte.weight");
  g.expect_size(config, "vocab_size", body + "wte.weight", 0);
  g.expect_size(config, "n_embd", body + "wte.weight", 1);
  g.expect_size(config, "n_positions", body + "wpe.weight", 0);
  g.expect_size(config, "n_inner", body + "h.0.mlp.c_fc.weight", 0);
  const FusedRows rows = g.checkpoint().is_gguf() ? stacked_rows(heads, kv_heads, head_dim) : grouped_rows(heads, kv_heads, head_dim);

  Value x = embed_with_positions(g, body + "wte", body + "wpe");  // tokens x hidden
  for (uint32_t layer = 0; layer < layers; ++layer) {
    const std::string name = body + "h." + std::to_string(layer) + ".";
    Projections p = project_fused(g, gpt_norm(g, x, name + "ln_1", epsilon), name + "attn.c_attn", rows, biased);
    Value a = attend(g, layer, p, {.heads = heads, .kv_heads = kv_heads, .width = head_dim, .scale = scale});  // tokens x hidden
    x = g.add(x, g.linear(a, name + "attn.c_proj", biased));                                                   // tokens x hidden
    Value h = gpt_norm(g, x, name + "ln_2", epsilon);                                                          // tokens x hidden
    x = g.add(x, gpt_mlp(g, h, name + "mlp.c_fc", name + "mlp.c_proj", function, biased));                     // tokens x hidden
  }
  write_gpt_logits(g, x, body, epsilon, config.flag("tie_word_embeddings", true));
}

}  // namespace

extern const Architecture gpt_bigcode = {
    .family = "gpt_bigcode",
    .description = "text generation; multi-query or multi-head",
    .model_types = {"gpt_bigcode"},
    .write = write,
};

}  // namespace linnet::convert::pages
