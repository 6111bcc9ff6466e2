// GPT-Neo, in the pattern of GPT-3 (arXiv 2005.14165): GPT-2 whose layers see all positions and the last few by turns. Scores are not
// scaled.
#include "convert/architectures/gpt.h"

namespace linnet::convert::pages {

namespace {

/// attention_layers, or attention_types: lists of a pattern and how often it is repeated.
std::vector<std::string> layer_kinds(const Config& c, uint32_t layers) {
  std::vector<std::string> kinds = c.texts("attention_layers");
  const Json types = c.has("attention_types") ? c.json().at("attention_types") : Json::array({Json::array({{"global", "local"}, 12})});
  const char* expected = "a list of [[\"global\" or \"local\", ...], repeats]";
  for (const Json& entry : kinds.empty() ? types : Json::array()) {
    if (!entry.is_array() || entry.size() != 2 || !entry[0].is_array() || !entry[1].is_number_unsigned())
      c.refuse("attention_types", expected);
    for (uint64_t i = 0; i < entry[1].get<uint64_t>() && !entry[0].empty() && kinds.size() <= layers; ++i)
      for (const Json& kind : entry[0]) kinds.push_back(kind.is_string() ? kind.get<std::string>() : "");
  }
  const char* key = c.has("attention_layers") ? "attention_layers" : "attention_types";
  if (kinds.size() != layers) c.refuse(key, "as many as num_layers, " + std::to_string(layers));
  for (const std::string& kind : kinds)
    if (kind != "global" && kind != "local") c.refuse(key, "\"global\" or \"local\" for every layer");
  return kinds;
}

void write(const Config& config, Graph& g) {
  const uint32_t layers = config.count("num_layers"), heads = config.count("num_heads"), window = config.count("window_size", 256);
  const uint32_t head_dim = even_share(config, "hidden_size", "num_heads");
  const float epsilon = convert::epsilon(config, "layer_norm_epsilon", 1e-5);
  const schema::Function function = activation(config.text("activation_function", "gelu_new"));
  const std::vector<std::string> kinds = layer_kinds(config, layers);
  expect_language_model(config);
  const LinearOptions biased = {.bias = true};
  const std::string body = prefix_of(g, "transformer.", "wte.weight");
  g.expect_size(config, "vocab_size", body + "wte.weight", 0);
  g.expect_size(config, "hidden_size", body + "wte.weight", 1);
  g.expect_size(config, "max_position_embeddings", body + "wpe.weight", 0);
  g.expect_size(config, "intermediate_size", body + "h.0.mlp.c_fc.weight", 0);

  Value x = embed_with_positions(g, body + "wte", body + "wpe");  // tokens x hidden
  for (uint32_t layer = 0; layer < layers; ++layer) {
    const std::string name = body + "h." + std::to_string(layer) + ".", attn = name + "attn.attention.";
    Projections p = project(g, gpt_norm(g, x, name + "ln_1", epsilon), attn);
    const uint32_t seen = kinds[layer] == "local" ? window : 0;
    Value a = attend(g, layer, p, {.heads = heads, .kv_heads = heads, .width = head_dim, .scale = 1, .window = seen});
    x = g.add(x, g.linear(a, attn + "out_proj", biased));                                   // tokens x hidden
    Value h = gpt_norm(g, x, name + "ln_2", epsilon);                                       // tokens x hidden
    x = g.add(x, gpt_mlp(g, h, name + "mlp.c_fc", name + "mlp.c_proj", function, biased));  // tokens x hidden
  }
  write_gpt_logits(g, x, body, epsilon, config.flag("tie_word_embeddings", true));
}

}  // namespace

extern const Architecture gpt_neo = {
    .family = "gpt_neo",
    .description = "text generation; every other layer with a sliding window",
    .model_types = {"gpt_neo"},
    .write = write,
};

}  // namespace linnet::convert::pages
