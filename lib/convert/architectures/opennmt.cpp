// The Transformer of arXiv 1706.03762 as OpenNMT trains and stores it: norms in front of each part and one behind each stack, computed
// positions, q, k and v in one matrix, a vocabulary for each side.
#include <cmath>

#include "convert/architecture.h"
#include "convert/architectures/sinusoids.h"

namespace linnet::convert::pages {

namespace {

constexpr uint32_t kPositions = 1024;  // the reference computes positions without end

uint32_t layers_of(const Graph& g, const std::string& stack) {
  uint32_t count = 0;
  while (g.has(stack + "layer_" + std::to_string(count) + ".ffn.linear_0.weight")) ++count;
  return count;
}

/// A variable of one number; `fallback` where the file is older than it.
float number(Graph& g, const std::string& name, float fallback) {
  if (!g.has(name)) return fallback;
  const std::vector<float> all = g.weights().read(name);
  if (all.size() != 1) throw Error("tensor " + name + " has " + std::to_string(all.size()) + " values, expected 1");
  return all[0];
}

struct Keys {
  Keys(const Config& config, Graph& g)
      : encoder(g.has("encoder.embeddings_0.weight") ? "encoder.embeddings_0" : "encoder.embeddings"),
        hidden(g.size("decoder.embeddings.weight", 1)),
        scale(number(g, "decoder.scale_embeddings", 1) != 0 ? static_cast<float>(std::sqrt(static_cast<double>(hidden))) : 1) {
    const std::string spec = config.text("spec", "TransformerBase");
    const float given = number(g, "encoder.num_heads", spec == "TransformerBig" ? 16 : 8);
    if (!(given >= 1 && given <= 1024) || hidden % static_cast<uint32_t>(given) != 0)
      throw Error("tensor encoder.num_heads does not divide the width of the embedding");
    heads = static_cast<uint32_t>(given);
    for (const char* stack : {"encoder.", "decoder."}) {
      if (number(g, stack + std::string("pre_norm"), 1) != 1) throw Error(std::string("tensor ") + stack + "pre_norm is 0, expected 1");
      if (number(g, stack + std::string("num_heads"), given) != given) throw Error("the two stacks have another number of heads");
      const float function = number(g, stack + std::string("activation"), 0);
      constexpr schema::Function kFunctions[] = {schema::Function::relu, schema::Function::gelu_tanh, schema::Function::silu,
                                                 schema::Function::gelu, schema::Function::gelu_quick};
      if (!(function >= 0 && function < 5)) throw Error(std::string("tensor ") + stack + "activation names a function that is not known");
      activation = kFunctions[static_cast<size_t>(function)];
    }
  }
  std::string encoder;
  uint32_t hidden, heads = 0;
  float scale;
  schema::Function activation = schema::Function::relu;

  AttentionOptions attention(schema::Reader reader) const {
    return {.reader = reader, .heads = heads, .kv_heads = heads, .width = hidden / heads};
  }
};

Value norm(Graph& g, Value x, const std::string& name) {
  return g.norm(x, {.epsilon = 1e-5f, .weight = name + ".gamma", .bias = name + ".beta"});
}

/// The words of one side at their places, which count from 1: rows x hidden.
Value embedding(Graph& g, Value ids, Value positions, const std::string& words, const std::string& stack, const Keys& c) {
  Value x = g.embed(ids, words, {.scale = c.scale});
  const std::string stored = stack + "position_encodings.encodings";
  if (g.has(stored)) throw Error("tensor " + stored + ": positions that are stored are not supported");
  const double step = c.hidden > 3 ? 1.0 / (c.hidden / 2 - 1) : 1;
  return g.add(x, g.embed_numbers(positions, "sinusoids", c.hidden, sinusoids(1, kPositions, c.hidden, step)));
}

Value feed_forward(Graph& g, Value x, const std::string& layer, const Keys& c) {
  Value h = norm(g, x, layer + "ffn.layer_norm");
  h = g.unary(g.linear(h, layer + "ffn.linear_0", {.bias = true}), c.activation);        // rows x ffn
  return g.add(x, g.linear(h, layer + "ffn.linear_1", {.bias = true, .turned = true}));  // rows x hidden
}

struct Parts {
  Value q, k, v;
};

Parts self_parts(Graph& g, Value x, const std::string& attn, WeightRole role, const Keys& c) {
  Value all = g.linear(norm(g, x, attn + "layer_norm"), attn + "linear_0", {.role = role, .bias = true});
  return {g.slice(all, 0, c.hidden), g.slice(all, c.hidden, c.hidden), g.slice(all, 2 * c.hidden, c.hidden)};
}

std::vector<Cache> write_encoder(Graph& g, const Keys& c) {
  const std::string stack = "encoder.";
  g.program("encode", schema::ProgramKind::encode, kPositions);
  Value ids = g.source_ids(g.size(c.encoder + ".weight", 0));
  Value x = embedding(g, ids, g.source_positions(kPositions), c.encoder, stack, c);  // source tokens x hidden
  for (uint32_t layer = 0; layer < layers_of(g, stack); ++layer) {
    const std::string name = stack + "layer_" + std::to_string(layer) + ".", attn = name + "self_attention.";
    const Parts p = self_parts(g, x, attn, WeightRole::source, c);
    Value a = g.attention(p.q, p.k, p.v, c.attention(schema::Reader::bidirectional));
    x = feed_forward(g, g.add(x, g.linear(a, attn + "linear_1", {.role = WeightRole::source, .bias = true})), name, c);
  }
  x = norm(g, x, stack + "layer_norm");
  std::vector<Cache> sources;
  for (uint32_t layer = 0; layer < layers_of(g, "decoder."); ++layer) {
    const std::string cross = "decoder.layer_" + std::to_string(layer) + ".attention.";
    sources.push_back(g.source_state(layer, c.heads, c.hidden / c.heads));
    Value both = g.linear(x, cross + "linear_1", {.role = WeightRole::key_value, .bias = true});  // source tokens x 2 * hidden
    g.append(sources.back(), g.slice(both, 0, c.hidden), g.slice(both, c.hidden, c.hidden));
  }
  g.output(schema::Role::hidden, "encoder_last_hidden_state", x);
  return sources;
}

void write_decoder(Graph& g, const std::vector<Cache>& sources, const Keys& c) {
  const std::string stack = "decoder.";
  g.program("decode", schema::ProgramKind::decode, kPositions);
  Value ids = g.token_ids(g.size(stack + "embeddings.weight", 0));
  Value x = embedding(g, ids, g.positions(kPositions), stack + "embeddings", stack, c);  // tokens x hidden
  for (uint32_t layer = 0; layer < sources.size(); ++layer) {
    const std::string name = stack + "layer_" + std::to_string(layer) + ".", attn = name + "self_attention.", cross = name + "attention.";
    const Parts p = self_parts(g, x, attn, WeightRole::key_value, c);
    Cache cache = g.token_state(layer, c.heads, c.hidden / c.heads);
    g.append(cache, p.k, p.v);
    Value a = g.attention(p.q, cache, c.attention(schema::Reader::causal));
    x = g.add(x, g.linear(a, attn + "linear_1", {.bias = true}));  // tokens x hidden
    Value q = g.linear(norm(g, x, cross + "layer_norm"), cross + "linear_0", {.bias = true});
    a = g.attention(q, sources[layer], c.attention(schema::Reader::bidirectional));
    x = g.add(x, g.linear(a, cross + "linear_2", {.bias = true}));  // tokens x hidden
    x = feed_forward(g, x, name, c);
  }
  Value h = norm(g, g.select_outputs(x), stack + "layer_norm");  // outputs x hidden
  g.output(schema::Role::logits, "logits", g.linear(h, stack + "projection", {.role = WeightRole::head, .bias = true}));
}

void write(const Config& config, Graph& g) {
  const Keys c(config, g);
  const std::vector<Cache> sources = write_encoder(g, c);
  if (sources.empty()) throw Error("the decoder has no layers");
  write_decoder(g, sources, c);
  g.task(schema::Task::text_to_text);
  g.ignore("decoder.alignment_*");
}

}  // namespace

extern const Architecture opennmt = {
    .family = "opennmt",
    .description = "translation, as OpenNMT's runtime stores it (f32, f16, int16, int8)",
    .model_types = {"opennmt"},
    .write = write,
};

}  // namespace linnet::convert::pages
