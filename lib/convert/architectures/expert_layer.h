// The mixture of experts of decoders: a router in full precision, the softmax over all experts, the best few of them, each a gated MLP
// (arXiv 2112.06905, arXiv 2401.04088). How weights are made and what stands beside the experts is a page's to say.
#pragma once

#include <fmt/format.h>

#include "convert/graph.h"

namespace linnet::convert::pages {

/// A number that two keys may give, one the other's alias.
inline uint32_t count_of_either(const Config& c, const std::string& key, const std::string& alias, uint32_t fallback) {
  if (!c.has(key)) return c.count(alias, fallback);
  if (c.has(alias) && c.count(alias) != c.count(key)) c.refuse(alias, fmt::format("{} as {} says", c.count(key), key));
  return c.count(key);
}

struct ExpertKeys {
  ExpertKeys(const Config& c, uint32_t usual_experts, uint32_t usual_chosen)
      : experts(count_of_either(c, "num_experts", "num_local_experts", usual_experts)),
        chosen(count_of_either(c, "num_experts_per_tok", "experts_per_token", usual_chosen)) {
    if (chosen > experts) c.refuse("num_experts_per_tok", fmt::format("no more than the {} experts", experts));
  }
  uint32_t experts, chosen;
};

/// What the matrices of one expert are called.
struct ExpertNames {
  const char *gate = "gate_proj", *up = "up_proj", *down = "down_proj";
};

/// The experts below `name`, which ends with a dot: each with tensors of its own, or all in two, [experts, 2 * inner, hidden] with the rows
/// of the gates first and [experts, hidden, inner].
inline ExpertMatrices gated_experts(const Graph& g, const std::string& name, uint32_t count, const ExpertNames& names = {}) {
  const bool stacked = g.has(name + "gate_up_proj");
  ExpertMatrices m;
  m.gate_up_name = name + (stacked ? "gate_up_proj" : fmt::format("*.{{{},{}}}.weight", names.gate, names.up));
  m.down_name = name + (stacked ? "down_proj" : fmt::format("*.{}.weight", names.down));
  for (uint32_t e = 0; e < count; ++e) {
    const std::string one = fmt::format("{}{}.", name, e);
    Source gate_up(name + "gate_up_proj"), down(name + "down_proj");
    gate_up.matrix = down.matrix = e;
    if (stacked) {
      m.gate_up.push_back({gate_up});
      m.down.push_back({down});
    } else {
      m.gate_up.push_back({one + names.gate + ".weight", one + names.up + ".weight"});
      m.down.push_back({one + names.down + ".weight"});
    }
  }
  return m;
}

/// Scores of a layer's experts in full precision, traced by the number of layers with experts before it. -> tokens x experts
inline Value router_scores(Graph& g, Value h, const std::string& router, uint32_t experts, uint32_t number, bool bias = false) {
  Value scores = g.linear(h, router, {.role = WeightRole::exact, .bias = bias});
  if (scores.columns != experts)
    throw Error(fmt::format("tensor {}.weight has {} rows, expected {} experts", router, scores.columns, experts));
  g.trace(fmt::format("router_logits.{}", number), scores);
  return scores;
}

/// An expert that every row goes to, with the weight sigmoid(w h) of its own. -> tokens x hidden
inline Value shared_expert(Graph& g, Value h, const std::string& expert, const std::string& gate, schema::Function function) {
  const Routed always = g.route(g.linear(h, gate, {.role = WeightRole::exact}), {.weights = schema::RouteWeights::sigmoid});
  ExpertMatrices m;
  m.gate_up_name = expert + ".{gate_proj,up_proj}.weight";
  m.down_name = expert + ".down_proj.weight";
  m.gate_up = {{expert + ".gate_proj.weight", expert + ".up_proj.weight"}};
  m.down = {{expert + ".down_proj.weight"}};
  return g.experts(h, always, m, {.function = function});
}

}  // namespace linnet::convert::pages
