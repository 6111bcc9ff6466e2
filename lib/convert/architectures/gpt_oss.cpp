// gpt-oss, arXiv 2508.10925: experts with biases and clipped gates, attention sinks, every other layer with a window. Published with
// experts in four-bit floats, which are kept as they are unless f32 or f16 is asked for.
#include "convert/architectures/decoder.h"
#include "convert/architectures/expert_layer.h"
#include "convert/architectures/sliding_window.h"

namespace linnet::convert::pages {

namespace {

/// The rows 0, 2, 4, ... or 1, 3, 5, ... of one expert's matrix: gate and up are interleaved.
Source every_other(const std::string& tensor, uint32_t expert, uint32_t first, uint32_t count, bool transposed) {
  Source source(tensor, {.first = first, .rows = 1, .step = 2, .count = count}, transposed);
  source.matrix = expert;
  return source;
}

/// Biases [experts, 2 * inner] with those of the gates first.
std::vector<float> gates_first(Graph& g, const std::string& tensor, uint32_t experts, uint32_t inner) {
  const std::vector<float> numbers = g.weights().read(tensor);
  if (numbers.size() != size_t{experts} * 2 * inner)
    throw Error(fmt::format("tensor {} has {} values, expected {} x {}", tensor, numbers.size(), experts, 2 * inner));
  std::vector<float> sorted;
  for (size_t expert = 0; expert < numbers.size(); expert += 2 * size_t{inner})
    for (size_t half = 0; half < 2; ++half)
      for (size_t i = 0; i < inner; ++i) sorted.push_back(numbers[expert + 2 * i + half]);
  return sorted;
}

/// All experts in two tensors, [experts, hidden, 2 * inner] and [experts, inner, hidden]; four-bit floats have rows and columns the other
/// way round.
ExpertMatrices stacked_experts(Graph& g, const std::string& name, const ExpertKeys& e, const Config& config) {
  const std::string gate_up = name + "gate_up_proj", down = name + "down_proj";
  const bool transposed = g.weights().source(gate_up).type != "MXFP4";
  const uint32_t inner = g.size(down, transposed ? 1 : 2);
  g.expect_size(config, "intermediate_size", down, transposed ? 1 : 2);
  ExpertMatrices m;
  m.gate_up_name = gate_up;
  m.down_name = down;
  for (uint32_t expert = 0; expert < e.experts; ++expert) {
    m.gate_up.push_back({every_other(gate_up, expert, 0, inner, transposed), every_other(gate_up, expert, 1, inner, transposed)});
    Source source(down, {}, transposed);
    source.matrix = expert;
    m.down.push_back({source});
  }
  m.gate_up_bias = gates_first(g, gate_up + "_bias", e.experts, inner);
  m.down_bias = g.weights().read(down + "_bias");
  return m;
}

/// Each expert with tensors and biases of its own, gate and up apart: what a GGUF file amounts to.
ExpertMatrices single_experts(Graph& g, const std::string& name, const ExpertKeys& e) {
  ExpertMatrices m = gated_experts(g, name, e.experts);
  const auto append = [&](std::vector<float>* to, const std::string& tensor) {
    const std::vector<float> numbers = g.weights().read(tensor);
    to->insert(to->end(), numbers.begin(), numbers.end());
  };
  for (uint32_t expert = 0; expert < e.experts; ++expert) {
    const std::string one = name + std::to_string(expert) + ".";
    append(&m.gate_up_bias, one + "gate_proj.bias");
    append(&m.gate_up_bias, one + "up_proj.bias");
    append(&m.down_bias, one + "down_proj.bias");
  }
  return m;
}

void write(const Config& config, Graph& g) {
  const DecoderKeys c(config, g, {.epsilon = 1e-5, .head_dim = 64, .positions = 131072});
  const ExpertKeys e(config, 128, 4);
  const bool bias = config.flag("attention_bias", true);
  const auto limit = static_cast<float>(config.number("swiglu_limit", 7));
  if (!(limit > 0)) config.refuse("swiglu_limit", "a number above 0");
  const std::vector<uint32_t> windows =
      layer_windows(config, c.layers, sliding_window(config, 128), [](uint32_t layer) { return layer % 2 == 0; });
  expect_language_model(config);
  config.require("hidden_act", "silu", "the experts of this architecture have a function of their own");

  const Rope rope = g.rope(config, c.head_dim, 150000);
  Value x = embed_tokens(g, config, c, rope.reach(c.positions));  // tokens x hidden
  Value angles = g.rotary_angles(g.positions(), rope);            // tokens x rotated channels
  for (uint32_t layer = 0; layer < c.layers; ++layer) {
    const std::string name = c.layer(layer), attn = name + "self_attn.", mlp = name + "mlp.";
    Projections p = project(g, rms_norm(g, x, c, name + "input_layernorm"), attn, bias);
    rotate(g, &p, angles, c.head_dim);
    AttentionOptions attention = c.attention(windows[layer]);
    attention.sinks = attn + (g.has(attn + "sinks") ? "sinks" : "sinks.weight");
    Value a = attend(g, layer, p, attention);                        // tokens x heads * head_dim
    x = g.add(x, g.linear(a, attn + "o_proj", {.bias = bias}));      // tokens x hidden
    Value h = rms_norm(g, x, c, name + "post_attention_layernorm");  // tokens x hidden
    const Routed routed = g.route(router_scores(g, h, mlp + "router", e.experts, layer, true),
                                  {.count = e.chosen, .weights = schema::RouteWeights::softmax_of_chosen});
    const std::string experts = mlp + "experts.";
    const ExpertMatrices matrices =
        g.has(experts + "gate_up_proj") ? stacked_experts(g, experts, e, config) : single_experts(g, experts, e);
    // gate * sigmoid(1.702 gate) * (up + 1)
    x = g.add(
        x, g.experts(h, routed, matrices, {.function = schema::Function::gelu_quick, .limit = limit, .up_offset = 1}));  // tokens x hidden
  }
  write_logits(g, x, c);
}

}  // namespace

extern const Architecture gpt_oss = {
    .family = "gpt_oss",
    .description = "text generation; llama with routed experts, attention sinks and alternating windows; experts published as mxfp4",
    .model_types = {"gpt_oss"},
    .write = write,
};

}  // namespace linnet::convert::pages
