// Falcon, arXiv 2311.16867: attention and MLP side by side, few key and value heads, rotary positions or ALiBi (arXiv 2108.12409).
#include "convert/architectures/gpt.h"
#include "core/half.h"

namespace linnet::convert::pages {

namespace {

enum class Block {
  parallel,   // attention and MLP read one norm
  two_norms,  // each reads its own
  sequential  // the MLP reads what attention has added
};

struct Keys {
  explicit Keys(const Config& c)
      : layers(c.count("num_hidden_layers")),
        heads(c.count("num_attention_heads")),
        head_dim(even_share(c, "hidden_size", "num_attention_heads")),
        epsilon(convert::epsilon(c, "layer_norm_epsilon", 1e-5)),
        function(activation(c.text("activation", "gelu"))),
        bias(c.flag("bias", false)),
        alibi(c.flag("alibi", false)),
        tied(c.flag("tie_word_embeddings", true)) {
    expect_language_model(c);
    const bool grouped = c.flag("new_decoder_architecture", false);
    const uint32_t norms = c.count("num_ln_in_parallel_attn", 2);
    kv_heads = grouped ? c.count("num_kv_heads", heads) : c.flag("multi_query", true) ? 1 : heads;
    if (heads % kv_heads != 0) c.refuse("num_kv_heads", "a divisor of num_attention_heads");
    if (grouped && norms > 2) c.refuse("num_ln_in_parallel_attn", "1 or 2");
    block = grouped                         ? (norms == 2 ? Block::two_norms : Block::parallel)
            : c.flag("parallel_attn", true) ? Block::parallel
                                            : Block::sequential;
  }
  uint32_t layers, heads, kv_heads = 1, head_dim;
  float epsilon;
  schema::Function function;
  bool bias, alibi, tied;
  Block block = Block::parallel;
};

/// A geometric series over the heads, rounded as the model was trained; where their number is no power of two, the rest take the odd
/// members of the series that is twice as dense.
std::vector<float> alibi_slopes(uint32_t heads) {
  uint32_t power = 1;
  while (power * 2 <= heads) power *= 2;
  std::vector<float> slopes(heads);
  for (uint32_t a = 0; a < heads; ++a) {
    const double exponent = a < power ? -8.0 * (a + 1) / power : -4.0 * (2 * (a - power) + 1) / power;
    slopes[a] = core::float_from_bfloat16(core::bfloat16_from_float(static_cast<float>(std::exp2(exponent))));
  }
  return slopes;
}

void write(const Config& config, Graph& g) {
  const Keys c(config);
  const std::string body = prefix_of(g, "transformer.", "word_embeddings.weight"), table = body + "word_embeddings";
  const FusedRows rows =
      g.checkpoint().is_gguf() ? stacked_rows(c.heads, c.kv_heads, c.head_dim) : grouped_rows(c.heads, c.kv_heads, c.head_dim);
  const LinearOptions linears = {.bias = c.bias};
  g.expect_size(config, "vocab_size", table + ".weight", 0);
  g.expect_size(config, "hidden_size", table + ".weight", 1);
  g.expect_size(config, "ffn_hidden_size", body + "h.0.mlp.dense_h_to_4h.weight", 0);
  AttentionOptions attention = {.heads = c.heads, .kv_heads = c.kv_heads, .width = c.head_dim};
  if (c.alibi) attention.slopes = alibi_slopes(c.heads);

  const Rope rope = c.alibi ? Rope() : g.rope(config, c.head_dim);
  g.program("generate", schema::ProgramKind::autoregressive, rope.reach(config.count("max_position_embeddings", 2048)));
  Value x = g.embed(g.token_ids(g.size(table + ".weight", 0)), table);      // tokens x hidden
  Value angles = c.alibi ? Value() : g.rotary_angles(g.positions(), rope);  // tokens x head_dim
  g.trace("embedding_output", x);
  for (uint32_t layer = 0; layer < c.layers; ++layer) {
    const std::string name = body + "h." + std::to_string(layer) + ".", attn = name + "self_attention.", mlp = name + "mlp.";
    auto norm = [&](Value value, const char* which) { return gpt_norm(g, value, name + which, c.epsilon); };
    Value h = norm(x, c.block == Block::two_norms ? "ln_attn" : "input_layernorm");  // tokens x hidden
    Projections p = project_fused(g, h, attn + "query_key_value", rows, linears);
    if (!c.alibi) rotate(g, &p, angles, c.head_dim);
    Value sum = g.add(x, g.linear(attend(g, layer, p, attention), attn + "dense", linears));  // tokens x hidden
    if (c.block == Block::two_norms) h = norm(x, "ln_mlp");
    if (c.block == Block::sequential) h = norm(sum, "post_attention_layernorm");
    x = g.add(sum, gpt_mlp(g, h, mlp + "dense_h_to_4h", mlp + "dense_4h_to_h", c.function, linears));  // tokens x hidden
  }
  Value h = gpt_norm(g, g.select_outputs(x), body + "ln_f", c.epsilon);              // outputs x hidden
  output_logits(g, head_logits(g, h, "lm_head.weight", table + ".weight", c.tied));  // outputs x vocabulary
}

}  // namespace

extern const Architecture falcon = {
    .family = "falcon",
    .description = "text generation; multi-query, grouped or multi-head; rotary positions or ALiBi",
    .model_types = {"falcon"},
    .write = write,
};

}  // namespace linnet::convert::pages
