// ProphetNet, arXiv 2001.04063. Its decoder runs two streams of rows: the main one is kept as state, and the first predicting stream, which
// stands one position ahead of it, gives the logits. Streams that predict tokens further ahead serve training alone and are left out.
#include "convert/architecture.h"

namespace linnet::convert::pages {

namespace {

struct Keys {
  explicit Keys(const Config& c)
      : hidden(c.count("hidden_size")),
        encoder_layers(c.count("num_encoder_layers")),
        decoder_layers(c.count("num_decoder_layers")),
        encoder_heads(c.count("num_encoder_attention_heads")),
        decoder_heads(c.count("num_decoder_attention_heads")),
        ngram(c.count("ngram", 2)),
        buckets(c.count("num_buckets", 32)),
        distance(c.count("relative_max_distance", 128)),
        activation(convert::activation(c.text("activation_function", "gelu"))) {
    if (hidden % encoder_heads != 0) c.refuse("num_encoder_attention_heads", "a divisor of hidden_size");
    if (hidden % decoder_heads != 0) c.refuse("num_decoder_attention_heads", "a divisor of hidden_size");
    const std::vector<std::string> saved = c.texts("architectures");
    if (!saved.empty() && saved[0].find("ForConditionalGeneration") == std::string::npos)
      c.refuse("architectures", "a model for conditional generation");
  }
  uint32_t hidden, encoder_layers, decoder_layers, encoder_heads, decoder_heads, ngram, buckets, distance;
  schema::Function activation;
};

const std::string kBody = "prophetnet.", kEncoder = kBody + "encoder.", kDecoder = kBody + "decoder.";

Value norm(Graph& g, Value x, const std::string& name) {
  return g.norm(x, {.epsilon = 1e-5f, .weight = name + ".weight", .bias = name + ".bias"});
}

Value query(Graph& g, Value x, const std::string& attn, WeightRole role = WeightRole::linear) {
  return g.linear(x, attn + "query_proj", {.role = role, .bias = true});
}
Value key(Graph& g, Value x, const std::string& attn, WeightRole role = WeightRole::key_value) {
  return g.linear(x, attn + "key_proj", {.role = role, .bias = true});
}
Value value(Graph& g, Value x, const std::string& attn, WeightRole role = WeightRole::key_value) {
  return g.linear(x, attn + "value_proj", {.role = role, .bias = true});
}

/// LN(x + out_proj(a))
Value close(Graph& g, Value x, Value a, const std::string& layer, const std::string& part, WeightRole role = WeightRole::linear) {
  return norm(g, g.add(x, g.linear(a, layer + part + ".out_proj", {.role = role, .bias = true})), layer + part + "_layer_norm");
}

Value feed_forward(Graph& g, Value x, const std::string& layer, const Keys& c) {
  const std::string name = layer + "feed_forward.";
  Value u = g.unary(g.linear(x, name + "intermediate", {.bias = true}), c.activation);  // rows x ffn
  u = g.linear(u, name + "output", {.bias = true, .turned = true});                     // rows x hidden
  return norm(g, g.add(x, u), layer + "feed_forward_layer_norm");
}

AttentionOptions bidirectional(uint32_t heads, const Keys& c) {
  return {.reader = schema::Reader::bidirectional, .heads = heads, .kv_heads = heads, .width = c.hidden / heads};
}

/// The row of position p is p + offset: row 0 is that of padding.
Value places(Graph& g, Value positions, const std::string& stack, uint32_t offset) {
  return g.embed(positions, stack + "position_embeddings", {.role = WeightRole::exact, .row_offset = offset});
}

std::vector<Cache> write_encoder(Graph& g, const Keys& c, const std::string& words) {
  const uint32_t rows = g.size(kEncoder + "position_embeddings.weight", 0);
  if (rows < 2) throw Error("tensor " + kEncoder + "position_embeddings.weight has no row for the first position");
  g.program("encode", schema::ProgramKind::encode, rows - 1);
  Value ids = g.source_ids(g.size(words + ".weight", 0));
  Value x = g.add(g.embed(ids, words), places(g, g.source_positions(rows - 1), kEncoder, 1));  // source tokens x hidden
  x = norm(g, x, kEncoder + "embeddings_layer_norm");
  for (uint32_t layer = 0; layer < c.encoder_layers; ++layer) {
    const std::string name = kEncoder + "layers." + std::to_string(layer) + ".", attn = name + "self_attn.";
    constexpr WeightRole role = WeightRole::source;
    Value a = g.attention(query(g, x, attn, role), key(g, x, attn, role), value(g, x, attn, role), bidirectional(c.encoder_heads, c));
    x = feed_forward(g, close(g, x, a, name, "self_attn", role), name, c);
  }
  std::vector<Cache> sources;
  for (uint32_t layer = 0; layer < c.decoder_layers; ++layer) {
    const std::string cross = kDecoder + "layers." + std::to_string(layer) + ".cross_attn.";
    sources.push_back(g.source_state(layer, c.decoder_heads, c.hidden / c.decoder_heads));
    g.append(sources.back(), key(g, x, cross), value(g, x, cross));
  }
  g.output(schema::Role::hidden, "encoder_last_hidden_state", x);
  return sources;
}

/// Self attention of one stream's rows; those of a predicting stream see a key of their own besides.
Value self_attention(Graph& g, Value x, const Cache& cache, bool predicting, const std::string& name, const Keys& c) {
  const std::string attn = name + "self_attn.";
  Value bias = g.linear(x, attn + "relative_pos_embeddings", {.role = WeightRole::exact, .bias = true});  // tokens x buckets * heads
  NgramOptions options;
  options.heads = c.decoder_heads;
  options.width = c.hidden / c.decoder_heads;
  options.relative_distance = c.distance;
  if (predicting) {
    options.own_key = key(g, x, attn);
    options.own_value = value(g, x, attn);
  }
  return close(g, x, g.ngram_attention(query(g, x, attn), bias, cache, options), name, "self_attn");
}

Value cross_attention(Graph& g, Value x, const Cache& source, const std::string& name, const Keys& c) {
  Value a = g.attention(query(g, x, name + "cross_attn."), source, bidirectional(c.decoder_heads, c));
  return close(g, x, a, name, "cross_attn");
}

Value write_decoder(Graph& g, const Keys& c, const std::string& words, const std::vector<Cache>& sources) {
  const std::string ahead = kDecoder + "ngram_embeddings";
  const uint32_t rows = g.size(kDecoder + "position_embeddings.weight", 0);
  if (rows < 3) throw Error("tensor " + kDecoder + "position_embeddings.weight has no row for the first position");
  if (g.size(ahead + ".weight", 0) != c.ngram)
    throw Error("tensor " + ahead + ".weight has " + std::to_string(g.size(ahead + ".weight", 0)) +
                " rows, expected one for each of ngram");
  g.program("decode", schema::ProgramKind::decode, rows - 2);
  Value ids = g.token_ids(g.size(words + ".weight", 0)), positions = g.positions(rows - 2);
  const auto start = [&](Value x) { return norm(g, x, kDecoder + "embeddings_layer_norm"); };  // tokens x hidden
  Value main = start(g.add(g.embed(ids, words), places(g, positions, kDecoder, 1)));
  // The last row of the table is that of the first predicting stream.
  Value first = start(g.add_row(places(g, positions, kDecoder, 2), ahead + ".weight", c.ngram - 1));
  for (uint32_t layer = 0; layer < c.decoder_layers; ++layer) {
    const std::string name = kDecoder + "layers." + std::to_string(layer) + ".", attn = name + "self_attn.";
    Cache cache = g.token_state(layer, c.decoder_heads, c.hidden / c.decoder_heads);
    g.append(cache, key(g, main, attn), value(g, main, attn));
    const auto rest = [&](Value x, bool predicting) {
      x = self_attention(g, x, cache, predicting, name, c);
      return feed_forward(g, cross_attention(g, x, sources[layer], name, c), name, c);
    };
    first = rest(first, true);
    if (layer + 1 < c.decoder_layers) main = rest(main, false);  // nothing sees what the last layer makes of it
  }
  return first;
}

void write(const Config& config, Graph& g) {
  const Keys c(config);
  const std::string words = kBody + "word_embeddings";
  g.expect_size(config, "vocab_size", words + ".weight", 0);
  g.expect_size(config, "hidden_size", words + ".weight", 1);
  g.expect_size(config, "max_position_embeddings", kDecoder + "position_embeddings.weight", 0);
  g.expect_size(config, "encoder_ffn_dim", kEncoder + "layers.0.feed_forward.intermediate.weight", 0);
  g.expect_size(config, "decoder_ffn_dim", kDecoder + "layers.0.feed_forward.intermediate.weight", 0);
  if (uint64_t{c.buckets} * c.decoder_heads != g.size(kDecoder + "layers.0.self_attn.relative_pos_embeddings.weight", 0))
    config.refuse("num_buckets", "as many as tensor " + kDecoder + "layers.0.self_attn.relative_pos_embeddings.weight has for each head");
  const std::vector<Cache> sources = write_encoder(g, c, words);
  Value h = g.select_outputs(write_decoder(g, c, words, sources));  // outputs x hidden
  const std::string head = g.head_matrix("lm_head.weight", words + ".weight", config.flag("tie_word_embeddings", true));
  g.output(schema::Role::logits, "logits", g.linear_with(h, head, {.role = WeightRole::head}));  // outputs x vocabulary
  g.task(schema::Task::text_to_text);
  g.ignore(kBody + "*coder.word_embeddings.weight");  // copies
}

}  // namespace

extern const Architecture prophetnet = {
    .family = "prophetnet",
    .description = "text to text, by the stream that predicts the next token",
    .model_types = {"prophetnet", "xlm-prophetnet"},
    .write = write,
};

}  // namespace linnet::convert::pages
