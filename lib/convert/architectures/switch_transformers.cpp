// Switch Transformers, arXiv 2101.03961: T5 whose feed-forwards are, in every few blocks, one expert of many: the best one, multiplied by
// its probability.
#include <fmt/format.h>

#include "convert/architecture.h"
#include "convert/architectures/t5_layer.h"

namespace linnet::convert::pages {

namespace {

struct Keys {
  explicit Keys(const Config& c)
      : experts(c.count("num_experts", 8)),
        router_bias(c.flag("router_bias", false)),
        function(activation(c.text("dense_act_fn", "relu"))) {
    c.require("is_gated_act", false, "experts with gates are not supported");
    c.require("router_dtype", "float32", "a router is computed in 32 bits");
    const uint32_t layers = c.count("num_layers", 12);
    encoder_step = step(c, "num_sparse_encoder_layers", layers);
    decoder_step = step(c, "num_sparse_decoder_layers", c.count("num_decoder_layers", layers));
  }
  /// From so many of the layers being sparse to how far they are apart; 0 = there are none.
  static uint32_t step(const Config& c, const std::string& key, uint32_t layers) {
    const int32_t sparse = c.whole(key, 3);
    if (sparse < 0) c.refuse(key, "a whole number from 0 on");
    return sparse == 0 ? layers : layers / static_cast<uint32_t>(sparse);
  }
  bool has_experts(uint32_t layer, uint32_t every) const { return every == 1 || (every > 1 && layer % every == 1); }

  uint32_t experts, encoder_step, decoder_step;
  bool router_bias;
  schema::Function function;
};

/// `mlp` ends with a dot. -> rows x hidden
Value one_expert(Graph& g, Value x, const std::string& part, const std::string& mlp, const Keys& c) {
  const Value scores = g.linear(x, mlp + "router.classifier", {.role = WeightRole::exact, .bias = c.router_bias});  // rows x experts
  if (scores.columns != c.experts)
    throw Error(fmt::format("tensor {}router.classifier.weight has {} rows, expected {}", mlp, scores.columns, c.experts));
  g.trace("router_logits." + part.substr(0, part.size() - 1), scores);
  ExpertMatrices m;
  m.gate_up_name = mlp + "experts.*.wi.weight";
  m.down_name = mlp + "experts.*.wo.weight";
  for (uint32_t e = 0; e < c.experts; ++e) {
    const std::string expert = fmt::format("{}experts.expert_{}.", mlp, e);
    m.gate_up.push_back({expert + "wi.weight"});
    m.down.push_back({expert + "wo.weight"});
  }
  return g.experts(x, g.route(scores, {.count = 1}), m, {.function = c.function, .plain = true});
}

void write(const Config& config, Graph& g) {
  const Keys c(config);
  const T5FeedForward feed_forward = [&](Graph& graph, Value x, const std::string& part, uint32_t layer) {
    const std::string mlp = part + "mlp.";
    if (c.has_experts(layer, part.rfind("encoder.", 0) == 0 ? c.encoder_step : c.decoder_step)) return one_expert(graph, x, part, mlp, c);
    Value u = graph.unary(graph.linear(x, mlp + "wi"), c.function);  // rows x d_ff
    return graph.linear(u, mlp + "wo", {.turned = true});            // rows x hidden
  };
  t5_model(g, config, T5Keys(config), feed_forward);
}

}  // namespace

extern const Architecture switch_transformers = {
    .family = "switch_transformers",
    .description = "text to text; t5 with one expert of many in every few blocks",
    .model_types = {"switch_transformers"},
    .write = write,
};

}  // namespace linnet::convert::pages
