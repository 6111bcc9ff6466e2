// GPT, Radford et al. 2018: GPT-2's layer with the norms behind the residual sums and none at the end.
#include "convert/architectures/gpt.h"

namespace linnet::convert::pages {

namespace {

/// Its "gelu" is the tanh form.
schema::Function function_of(const Config& c) {
  const std::string name = c.text("afn", "gelu");
  if (name != "gelu" && name != "relu" && name != "silu" && name != "swish") c.refuse("afn", "\"gelu\", \"relu\", \"silu\" or \"swish\"");
  return activation(name == "gelu" ? "gelu_new" : name);
}

void write(const Config& config, Graph& g) {
  const uint32_t layers = config.count("n_layer"), heads = config.count("n_head"), head_dim = even_share(config, "n_embd", "n_head");
  const float epsilon = convert::epsilon(config, "layer_norm_epsilon", 1e-5);
  const schema::Function function = function_of(config);
  expect_language_model(config);
  const std::string body = prefix_of(g, "transformer.", "tokens_embed.weight");
  const LinearOptions linears = {.bias = true, .transposed = true};
  const FusedRows rows = stacked_rows(heads, heads, head_dim);
  g.expect_size(config, "vocab_size", body + "tokens_embed.weight", 0);
  g.expect_size(config, "n_embd", body + "tokens_embed.weight", 1);
  g.expect_size(config, "n_positions", body + "positions_embed.weight", 0);

  Value x = embed_with_positions(g, body + "tokens_embed", body + "positions_embed");  // tokens x hidden
  for (uint32_t layer = 0; layer < layers; ++layer) {
    const std::string name = body + "h." + std::to_string(layer) + ".";
    Projections p = project_fused(g, x, name + "attn.c_attn", rows, linears);
    Value a = attend(g, layer, p, {.heads = heads, .kv_heads = heads, .width = head_dim});  // tokens x hidden
    a = g.linear(a, name + "attn.c_proj", linears);                                         // tokens x hidden
    x = gpt_norm(g, g.add(x, a), name + "ln_1", epsilon);                                   // tokens x hidden
    Value u = gpt_mlp(g, x, name + "mlp.c_fc", name + "mlp.c_proj", function, linears);     // tokens x hidden
    x = gpt_norm(g, g.add(x, u), name + "ln_2", epsilon);                                   // tokens x hidden
  }
  const bool tied = config.flag("tie_word_embeddings", true);
  output_logits(g, head_logits(g, g.select_outputs(x), "lm_head.weight", body + "tokens_embed.weight", tied));  // outputs x vocabulary
  ignore_buffers(g);
  g.ignore(body + "position_ids");
}

}  // namespace

extern const Architecture openai_gpt = {
    .family = "openai_gpt",
    .description = "text generation (the first GPT)",
    .model_types = {"openai-gpt"},
    .write = write,
};

}  // namespace linnet::convert::pages
