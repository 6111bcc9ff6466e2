// LLaMA, arXiv 2302.13971, with grouped key/value heads (arXiv 2305.13245) and every scaling of the rotary frequencies.
#include "convert/architecture.h"

namespace linnet::convert::pages {

namespace {

struct Keys {
  explicit Keys(const Config& c)
      : hidden(c.count("hidden_size")),
        layers(c.count("num_hidden_layers")),
        heads(c.count("num_attention_heads")),
        kv_heads(c.count("num_key_value_heads", heads)),
        head_dim(c.count("head_dim", hidden / heads)),
        positions(c.count("max_position_embeddings", 2048)),
        epsilon(convert::epsilon(c, "rms_norm_eps", 1e-6)),
        activation(convert::activation(c.text("hidden_act", "silu"))),
        attention_bias(c.flag("attention_bias", false)),
        mlp_bias(c.flag("mlp_bias", false)),
        tied(c.flag("tie_word_embeddings", false)) {
    if (!c.has("head_dim") && hidden % heads != 0) c.refuse("hidden_size", "a multiple of num_attention_heads where head_dim is absent");
    c.require("sliding_window", nullptr, "this architecture sees every position");
    for (const std::string& type : c.texts("layer_types"))
      if (type != "full_attention") c.refuse("layer_types", "\"full_attention\" for every layer");
    const std::vector<std::string> saved = c.texts("architectures");
    if (!saved.empty() && saved[0].find("ForCausalLM") == std::string::npos)
      c.refuse("architectures", "a language model (LlamaForCausalLM)");
  }
  uint32_t hidden, layers, heads, kv_heads, head_dim, positions;
  float epsilon;
  schema::Function activation;
  bool attention_bias, mlp_bias, tied;
};

void write(const Config& config, Graph& g) {
  const Keys c(config);
  const std::string table = "model.embed_tokens";
  auto rms = [&](Value x, const std::string& name) {
    return g.norm(x, {.kind = schema::NormKind::rms, .epsilon = c.epsilon, .weight = name + ".weight"});
  };

  g.expect_size(config, "vocab_size", table + ".weight", 0);
  g.expect_size(config, "hidden_size", table + ".weight", 1);
  g.expect_size(config, "intermediate_size", "model.layers.0.mlp.down_proj.weight", 1);
  const Rope rope = g.rope(config, c.head_dim);
  g.program("generate", schema::ProgramKind::autoregressive, rope.reach(c.positions));
  Value ids = g.token_ids(g.size(table + ".weight", 0));  // tokens
  Value angles = g.rotary_angles(g.positions(), rope);    // tokens x rotated channels
  Value x = g.embed(ids, table);                          // tokens x hidden
  g.trace("embedding_output", x);

  for (uint32_t layer = 0; layer < c.layers; ++layer) {
    const std::string name = "model.layers." + std::to_string(layer) + ".";
    const std::string attn = name + "self_attn.", mlp = name + "mlp.";

    Value h = rms(x, name + "input_layernorm");                                                         // tokens x hidden
    Value q = g.linear(h, attn + "q_proj", {.bias = c.attention_bias});                                 // tokens x heads * head_dim
    Value k = g.linear(h, attn + "k_proj", {.role = WeightRole::key_value, .bias = c.attention_bias});  // tokens x kv_heads * head_dim
    Value v = g.linear(h, attn + "v_proj", {.role = WeightRole::key_value, .bias = c.attention_bias});  // tokens x kv_heads * head_dim
    q = g.rotary(q, angles, c.head_dim);
    k = g.rotary(k, angles, c.head_dim);
    Cache cache = g.token_state(layer, c.kv_heads, c.head_dim);
    g.append(cache, k, v);
    Value a = g.attention(q, cache, {.heads = c.heads, .kv_heads = c.kv_heads, .width = c.head_dim});  // tokens x heads * head_dim
    x = g.add(x, g.linear(a, attn + "o_proj", {.bias = c.attention_bias}));                            // tokens x hidden

    h = rms(x, name + "post_attention_layernorm");                                                // tokens x hidden
    Value gate_and_up = g.linear(h, {mlp + "gate_proj", mlp + "up_proj"}, {.bias = c.mlp_bias});  // tokens x 2 * intermediate
    Value u = g.gate(gate_and_up, c.activation);                                                  // tokens x intermediate
    x = g.add(x, g.linear(u, mlp + "down_proj", {.bias = c.mlp_bias, .turned = true}));           // tokens x hidden
  }

  Value h = rms(g.select_outputs(x), "model.norm");  // outputs x hidden
  const std::string head = g.head_matrix("lm_head.weight", table + ".weight", c.tied);
  g.output(schema::Role::logits, "logits", g.linear_with(h, head, {.role = WeightRole::head}));  // outputs x vocabulary
  g.task(schema::Task::text_generation);
  g.ignore("*.rotary_emb.inv_freq");
}

}  // namespace

extern const Architecture llama = {
    .family = "llama",
    .description = "text generation; MHA, GQA, MQA; biases; tied or stored head; rope default, linear, dynamic, llama3, yarn, longrope",
    .model_types = {"llama"},
    .write = write,
};

}  // namespace linnet::convert::pages
