// Where Qwen's mixtures have experts and where an ordinary MLP, and how the chosen ones are weighed.
#pragma once

#include <set>

#include "convert/architectures/decoder.h"
#include "convert/architectures/expert_layer.h"

namespace linnet::convert::pages {

struct QwenExperts : ExpertKeys {
  QwenExperts(const Config& c, uint32_t usual_experts, uint32_t usual_chosen)
      : ExpertKeys(c, usual_experts, usual_chosen),
        step(c.count("decoder_sparse_step", 1)),
        renormalize(c.flag("norm_topk_prob", false)),
        function(activation(c.text("hidden_act", "silu"))) {
    for (float layer : c.numbers("mlp_only_layers")) dense.insert(static_cast<uint32_t>(layer));
  }
  bool has_experts(uint32_t layer) const { return dense.count(layer) == 0 && (layer + 1) % step == 0; }
  /// Of the layers before this one.
  uint32_t number(uint32_t layer) const {
    uint32_t before = 0;
    for (uint32_t i = 0; i < layer; ++i) before += has_experts(i);
    return before;
  }

  uint32_t step;
  bool renormalize;
  schema::Function function;
  std::set<uint32_t> dense;
};

/// The routed experts of one layer. `mlp` ends with a dot. -> tokens x hidden
inline Value routed_experts(Graph& g, Value h, const std::string& mlp, const QwenExperts& e, uint32_t layer) {
  const Value scores = router_scores(g, h, mlp + "gate", e.experts, e.number(layer));
  const Routed routed = g.route(scores, {.count = e.chosen, .renormalize = e.renormalize});
  return g.experts(h, routed, gated_experts(g, mlp + "experts.", e.experts), {.function = e.function});
}

}  // namespace linnet::convert::pages
