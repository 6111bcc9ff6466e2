// Checkpoints of decoders with experts that are small enough to compute by hand, and what they make of a text in double precision.
#pragma once

#include <numeric>

#include "convert/architectures/decoder_oracle.h"

namespace linnet::oracle::mixtures {

constexpr size_t kHidden = 30, kHeads = 4, kKvHeads = 2, kWidth = 10, kInner = 20, kDense = 52, kShared = 24, kWords = 41, kLayers = 4;
constexpr size_t kExperts = 6, kChosen = 2;

/// What the families make of a layer.
struct Mixture {
  std::string moe = "mlp.";  // below the layer's name
  const char *gate = "gate_proj", *up = "up_proj", *down = "down_proj";
  std::vector<bool> has_experts = std::vector<bool>(kLayers, true);
  std::vector<size_t> windows = std::vector<size_t>(kLayers, 0);
  bool qkv_bias = false, head_norms = false, whole_norms = false, shared = false, renormalize = false;
  double clip = 0, theta = 10000;
};

inline std::string layer_name(size_t i) { return "model.layers." + std::to_string(i) + "."; }

inline convert::FakeCheckpoint checkpoint_of(convert::Json config, const Mixture& m) {
  convert::Json all = {
      {"vocab_size", kWords},    {"hidden_size", kHidden},         {"num_attention_heads", kHeads},  {"num_key_value_heads", kKvHeads},
      {"head_dim", kWidth},      {"num_hidden_layers", kLayers},   {"intermediate_size", kDense},    {"moe_intermediate_size", kInner},
      {"num_experts", kExperts}, {"num_experts_per_tok", kChosen}, {"max_position_embeddings", 128}, {"rms_norm_eps", 1e-6},
      {"rope_theta", m.theta},   {"tie_word_embeddings", true}};
  all.update(config);
  convert::FakeCheckpoint c(all);
  Filler w(c, 17);
  w.table("model.embed_tokens", kWords, kHidden), w.scale("model.norm", kHidden);
  const auto expert = [&](const std::string& name, size_t inner) {
    w.matrix(name + m.gate, inner, kHidden, false), w.matrix(name + m.up, inner, kHidden, false);
    w.matrix(name + m.down, kHidden, inner, false);
  };
  for (size_t i = 0; i < kLayers; ++i) {
    const std::string name = layer_name(i), attn = name + "self_attn.", moe = name + m.moe;
    w.scale(name + "input_layernorm", kHidden), w.scale(name + "post_attention_layernorm", kHidden);
    if (m.head_norms) w.scale(attn + "q_norm", kWidth), w.scale(attn + "k_norm", kWidth);
    if (m.whole_norms) w.scale(attn + "q_norm", kHeads * kWidth), w.scale(attn + "k_norm", kKvHeads * kWidth);
    w.matrix(attn + "q_proj", kHeads * kWidth, kHidden, m.qkv_bias), w.matrix(attn + "k_proj", kKvHeads * kWidth, kHidden, m.qkv_bias);
    w.matrix(attn + "v_proj", kKvHeads * kWidth, kHidden, m.qkv_bias), w.matrix(attn + "o_proj", kHidden, kHeads * kWidth, false);
    if (!m.has_experts[i]) {
      expert(name + "mlp.", kDense);
      continue;
    }
    w.matrix(moe + "gate", kExperts, kHidden, false);
    for (size_t e = 0; e < kExperts; ++e) expert(moe + "experts." + std::to_string(e) + ".", kInner);
    if (m.shared) expert(moe + "shared_expert.", kShared), w.matrix(moe + "shared_expert_gate", 1, kHidden, false);
  }
  return c;
}

/// The same with all experts of a layer in two tensors, as the reference's newer classes keep them.
inline convert::FakeCheckpoint stacked(const convert::FakeCheckpoint& single, const Mixture& m) {
  convert::FakeCheckpoint c(single.Checkpoint::config());
  for (const convert::SourceTensor& tensor : single.tensors())
    if (tensor.name.find("experts.") == std::string::npos) c.put(tensor.name, tensor.shape, single.read(tensor.name));
  for (size_t i = 0; i < kLayers; ++i) {
    if (!m.has_experts[i]) continue;
    const std::string experts = layer_name(i) + m.moe + "experts.";
    std::vector<float> gate_up, down;
    for (size_t e = 0; e < kExperts; ++e)
      for (const char* part : {m.gate, m.up, m.down})
        for (float value : single.read(experts + std::to_string(e) + "." + part + ".weight"))
          (part == m.down ? down : gate_up).push_back(value);
    c.put(experts + "gate_up_proj", {kExperts, 2 * kInner, kHidden}, gate_up);
    c.put(experts + "down_proj", {kExperts, kHidden, kInner}, down);
  }
  return c;
}

inline Rows mlp(const Tensors& t, const Rows& x, const std::string& name, const Mixture& m) {
  return dense(t, product(activate("silu", dense(t, x, name + m.gate)), dense(t, x, name + m.up)), name + m.down);
}

/// Row by row: the softmax over all scores, of which the best are taken.
inline Rows routed(const Tensors& t, const Rows& x, const std::string& moe, const Mixture& m) {
  const Rows scores = dense(t, x, moe + "gate");
  Rows out;
  for (size_t r = 0; r < x.size(); ++r) {
    Vector p;
    double sum = 0;
    for (double score : scores[r]) sum += std::exp(score);
    for (double score : scores[r]) p.push_back(std::exp(score) / sum);
    std::vector<size_t> order(p.size());
    std::iota(order.begin(), order.end(), 0);
    std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return p[a] > p[b]; });
    double chosen = 0;
    for (size_t k = 0; k < kChosen; ++k) chosen += p[order[k]];
    Rows row = {Vector(x[r].size(), 0.0)};
    for (size_t k = 0; k < kChosen; ++k)
      row =
          add(row, times(mlp(t, {x[r]}, moe + "experts." + std::to_string(order[k]) + ".", m), p[order[k]] / (m.renormalize ? chosen : 1)));
    if (m.shared) {
      const double gate = dense(t, {x[r]}, moe + "shared_expert_gate")[0][0];
      row = add(row, times(mlp(t, {x[r]}, moe + "shared_expert.", m), 1 / (1 + std::exp(-gate))));
    }
    out.push_back(row[0]);
  }
  return out;
}

inline Rows decoder(const Tensors& t, const std::vector<int32_t>& ids, const Mixture& m) {
  const auto norm = [&](const Rows& x, const std::string& name) { return root_mean(t, x, name, 1e-6); };
  const auto clipped = [&](Rows x) {
    for (Vector& row : x)
      for (double& value : row) value = m.clip > 0 ? std::clamp(value, -m.clip, m.clip) : value;
    return x;
  };
  Rows x = embedded(t, "model.embed_tokens.weight", ids, kHidden);
  for (size_t i = 0; i < kLayers; ++i) {
    const std::string name = layer_name(i), attn = name + "self_attn.";
    Rows h = norm(x, name + "input_layernorm");
    Rows q = dense(t, h, attn + "q_proj"), k = dense(t, h, attn + "k_proj");
    if (m.head_norms) q = root_mean(t, q, attn + "q_norm", 1e-6, kWidth), k = root_mean(t, k, attn + "k_norm", 1e-6, kWidth);
    if (m.whole_norms) q = norm(q, attn + "q_norm"), k = norm(k, attn + "k_norm");
    q = turn(clipped(q), kWidth, kWidth, m.theta), k = turn(clipped(k), kWidth, kWidth, m.theta);
    const Rows v = clipped(dense(t, h, attn + "v_proj"));
    x = add(x, dense(t, look(q, k, v, {kHeads, kKvHeads, kWidth, 0, m.windows[i]}), attn + "o_proj"));
    h = norm(x, name + "post_attention_layernorm");
    x = add(x, m.has_experts[i] ? routed(t, h, name + m.moe, m) : mlp(t, h, name + "mlp.", m));
  }
  return linear(t, norm(x, "model.norm"), "model.embed_tokens.weight", "");
}

}  // namespace linnet::oracle::mixtures
