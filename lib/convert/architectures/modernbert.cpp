// ModernBERT, arXiv 2412.13663: norms before each half of a layer, rotary positions with a base by layer type, windows on both sides in all
// but every third layer, gated feed-forwards.
#include "convert/architecture.h"
#include "convert/architectures/bert_embeddings.h"
#include "convert/architectures/encoder_heads.h"
#include "convert/architectures/fused_rows.h"
#include "convert/sentence_modules.h"

namespace linnet::convert::pages {

namespace {

struct Keys {
  explicit Keys(const Config& c)
      : hidden(c.count("hidden_size")),
        layers(c.count("num_hidden_layers")),
        heads(c.count("num_attention_heads")),
        window(c.count("local_attention", 128) / 2),
        epsilon(convert::epsilon(c, "norm_eps", 1e-5)),
        activation(convert::activation(c.text("hidden_activation", "gelu"))),
        head_activation(convert::activation(c.text("classifier_activation", "gelu"))),
        norm_bias(c.flag("norm_bias", false)),
        attention_bias(c.flag("attention_bias", false)),
        mlp_bias(c.flag("mlp_bias", false)),
        decoder_bias(c.flag("decoder_bias", true)),
        classifier_bias(c.flag("classifier_bias", false)) {
    if (hidden % heads != 0) c.refuse("hidden_size", "a multiple of num_attention_heads");
    if (window == 0) c.refuse("local_attention", "at least 2 positions");
    const std::string pooling = c.text("classifier_pooling", "cls");
    if (pooling != "cls" && pooling != "mean") c.refuse("classifier_pooling", "cls or mean");
    pool = pooling == "cls" ? schema::PoolKind::first : schema::PoolKind::mean;
    std::vector<std::string> types = c.texts("layer_types");
    const uint32_t every = c.count("global_attn_every_n_layers", 3);
    for (uint32_t i = 0; i < layers && !c.has("layer_types"); ++i) types.push_back(i % every == 0 ? "full_attention" : "sliding_attention");
    if (types.size() != layers) c.refuse("layer_types", "one text for each of the layers");
    for (const std::string& type : types) {
      if (type != "full_attention" && type != "sliding_attention") c.refuse("layer_types", "full_attention or sliding_attention");
      sees_all.push_back(type == "full_attention");
    }
  }
  uint32_t hidden, layers, heads, window;
  float epsilon;
  schema::Function activation, head_activation;
  bool norm_bias, attention_bias, mlp_bias, decoder_bias, classifier_bias;
  schema::PoolKind pool;
  std::vector<bool> sees_all;  // by layer

  Value norm(Graph& g, Value x, const std::string& name) const {
    return g.norm(x, {.epsilon = epsilon, .weight = name + ".weight", .bias = norm_bias ? name + ".bias" : ""});
  }
};

/// Older files have a base for each type of layer, newer ones a set of rope_parameters.
Rope rope_of(const Config& config, Graph& g, uint32_t head_dim, const char* type, const char* key, double base) {
  config.require("rope_scaling", nullptr, "it is not the same for all layers");
  if (has_rope_by_layer_type(config)) return g.rope(rope_of_layer_type(config, type), head_dim, base);
  if (config.has("rope_parameters")) config.refuse("rope_parameters", "a set for full_attention and one for sliding_attention");
  return g.rope(Config(Json{{"rope_theta", config.number(key, base)}}), head_dim);
}

void head(Graph& g, Value x, const Config& config, const Keys& c, const std::string& table) {
  const auto predict = [&](Value h, WeightRole role) {
    h = g.linear(h, "head.dense", {.role = role, .bias = c.classifier_bias});  // rows of h x hidden
    return c.norm(g, g.unary(h, c.head_activation), "head.norm");
  };
  switch (saved_head(config, g, {"ModernBert"}, {.words = "decoder.bias", .sequences = "head.dense.weight"})) {
    case Head::words: {
      Value h = predict(g.select_outputs(x), WeightRole::head);  // outputs x hidden
      const std::string matrix = g.head_matrix("decoder.weight", table, config.flag("tie_word_embeddings", true));
      g.output(schema::Role::logits, "logits",
               g.linear_with(h, matrix, {.role = WeightRole::head, .bias_tensor = c.decoder_bias ? "decoder.bias" : ""}));
      return g.task(schema::Task::masked_language_model);
    }
    case Head::sequences:
      return classify_sequences(g, predict(g.pool(x, c.pool), WeightRole::classifier), "classifier", config);
    case Head::tokens:
      return classify_tokens(g, predict(x, WeightRole::classifier), "classifier", config);
    case Head::spans:
      return mark_spans(g, predict(x, WeightRole::classifier), "classifier");
    case Head::body:
      return leave_bare(g, x, "");
    case Head::pre_training:
      return refuse_head(config, "ModernBertForMaskedLM");
  }
}

void write(const Config& config, Graph& g) {
  const Keys c(config);
  const uint32_t head_dim = c.hidden / c.heads;
  const std::string body = body_prefix(g, "model.", "embeddings.tok_embeddings.weight"), table = body + "embeddings.tok_embeddings";
  g.expect_size(config, "vocab_size", table + ".weight", 0);
  g.expect_size(config, "hidden_size", table + ".weight", 1);
  g.expect_size(config, "intermediate_size", body + "layers.0.mlp.Wo.weight", 1);
  const Rope full = rope_of(config, g, head_dim, "full_attention", "global_rope_theta", 160000),
             local = rope_of(config, g, head_dim, "sliding_attention", "local_rope_theta", 10000);

  g.program("encode", schema::ProgramKind::encoder, config.count("max_position_embeddings", 8192));
  Value x = g.embed(g.token_ids(g.size(table + ".weight", 0)), table);  // tokens x hidden
  x = c.norm(g, x, body + "embeddings.norm");
  g.trace("embedding_output", x);
  Value positions = g.positions();                                                                         // tokens x 1
  Value full_angles = g.rotary_angles(positions, full), local_angles = g.rotary_angles(positions, local);  // tokens x head_dim
  const FusedRows rows = stacked_rows(c.heads, c.heads, head_dim);
  for (uint32_t i = 0; i < c.layers; ++i) {
    const std::string name = body + "layers." + std::to_string(i) + ".", fused = name + "attn.Wqkv";
    Value h = i == 0 ? x : c.norm(g, x, name + "attn_norm");                             // tokens x hidden
    const Projections p = project_fused(g, h, fused, rows, {.bias = c.attention_bias});  // tokens x hidden each
    const Value angles = c.sees_all[i] ? full_angles : local_angles;
    AttentionOptions options = {.reader = schema::Reader::bidirectional, .heads = c.heads, .kv_heads = c.heads, .width = head_dim};
    if (!c.sees_all[i]) {
      options.reader = schema::Reader::window;
      options.window = c.window;
      options.both_sides = true;
    }
    Value a = g.attention(g.rotary(p.query, angles, head_dim), g.rotary(p.key, angles, head_dim), p.value, options);  // tokens x hidden
    x = g.add(x, g.linear(a, name + "attn.Wo", {.bias = c.attention_bias}));                                          // tokens x hidden

    h = g.linear(c.norm(g, x, name + "mlp_norm"), name + "mlp.Wi", {.bias = c.mlp_bias});  // tokens x 2 * intermediate
    h = g.gate(h, c.activation);                                                           // tokens x intermediate
    x = g.add(x, g.linear(h, name + "mlp.Wo", {.bias = c.mlp_bias, .turned = true}));      // tokens x hidden
  }
  x = c.norm(g, x, body + "final_norm");
  g.output(schema::Role::hidden, "last_hidden_state", x);

  g.ignore("head.*");
  g.ignore("decoder.*");
  if (!sentence_modules(g, x)) head(g, x, config, c, table + ".weight");
}

}  // namespace

extern const Architecture modernbert = {
    .family = "modernbert",
    .description =
        "windows on both sides, two rotary bases; body, masked LM, sequence and token classification, re-ranking, question answering, "
        "sentence embedding",
    .model_types = {"modernbert"},
    .write = write,
};

}  // namespace linnet::convert::pages
