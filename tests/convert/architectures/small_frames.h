// Checkpoints of the families in Llama's frame that are small enough to compute by hand, and everything that they differ in.
#pragma once

#include "convert/architectures/decoder_oracle.h"

namespace linnet::oracle::frames {

constexpr size_t kHidden = 30, kHeads = 4, kKvHeads = 2, kWidth = 10, kInner = 52, kWords = 41, kLayers = 4;

/// What the families make of a layer; what a configuration says is in the tests.
struct Frame {
  std::vector<size_t> windows = std::vector<size_t>(kLayers, 0);
  std::vector<bool> rotated = std::vector<bool>(kLayers, true);
  std::vector<double> thetas = std::vector<double>(kLayers, 10000);
  bool pre_norms = true, post_norms = false, head_norms = false, whole_norms = false;
  const char* mlp_norm = "post_attention_layernorm";  // before the MLP
  double norm_added = 0, embedding = 1, scale = 0, softcap = 0, residual = 1, logits = 1, logit_cap = 0;
  size_t rotated_channels = kWidth;
  const char* activation = "silu";
};

inline convert::FakeCheckpoint checkpoint_of(const convert::Json& config, const Frame& f, bool qkv_bias = false) {
  convert::Json all = {
      {"vocab_size", kWords},       {"hidden_size", kHidden},       {"num_attention_heads", kHeads}, {"num_key_value_heads", kKvHeads},
      {"head_dim", kWidth},         {"num_hidden_layers", kLayers}, {"intermediate_size", kInner},   {"max_position_embeddings", 128},
      {"tie_word_embeddings", true}};
  all.update(config);
  convert::FakeCheckpoint c(all);
  Filler w(c, 13);
  const auto middle = static_cast<float>(1 - f.norm_added);
  w.table("model.embed_tokens", kWords, kHidden), w.scale("model.norm", kHidden, middle);
  for (size_t i = 0; i < kLayers; ++i) {
    const std::string name = "model.layers." + std::to_string(i) + ".", attn = name + "self_attn.";
    if (f.pre_norms) w.scale(name + "input_layernorm", kHidden, middle), w.scale(name + f.mlp_norm, kHidden, middle);
    if (f.post_norms)
      w.scale(name + "post_attention_layernorm", kHidden, middle), w.scale(name + "post_feedforward_layernorm", kHidden, middle);
    if (f.head_norms) w.scale(attn + "q_norm", kWidth, middle), w.scale(attn + "k_norm", kWidth, middle);
    if (f.whole_norms) w.scale(attn + "q_norm", kHeads * kWidth), w.scale(attn + "k_norm", kKvHeads * kWidth);
    w.matrix(attn + "q_proj", kHeads * kWidth, kHidden, qkv_bias), w.matrix(attn + "k_proj", kKvHeads * kWidth, kHidden, qkv_bias);
    w.matrix(attn + "v_proj", kKvHeads * kWidth, kHidden, qkv_bias), w.matrix(attn + "o_proj", kHidden, kHeads * kWidth, false);
    w.matrix(name + "mlp.gate_proj", kInner, kHidden, false), w.matrix(name + "mlp.up_proj", kInner, kHidden, false);
    w.matrix(name + "mlp.down_proj", kHidden, kInner, false);
  }
  return c;
}

inline Frame gemma_frame() {
  Frame f;
  f.norm_added = 1;
  f.embedding = std::sqrt(double(kHidden));
  f.activation = "gelu_pytorch_tanh";
  return f;
}

/// Gemma 2 and 3.
inline Frame four_norms() {
  Frame f = gemma_frame();
  f.post_norms = true;
  f.mlp_norm = "pre_feedforward_layernorm";
  return f;
}

/// q, k and v in one tensor, gate and up in another.
inline convert::FakeCheckpoint fused(const convert::FakeCheckpoint& plain, const convert::Json& changes) {
  convert::FakeCheckpoint c(plain.Checkpoint::config());
  c.config().update(changes);
  auto join = [&](const std::string& to, const std::vector<std::string>& from) {
    std::vector<float> rows;
    for (const std::string& name : from)
      for (float value : plain.read(name + ".weight")) rows.push_back(value);
    c.put(to + ".weight", {rows.size() / kHidden, kHidden}, rows);
  };
  for (const convert::SourceTensor& tensor : plain.tensors())
    if (tensor.name.find("_proj.weight") == std::string::npos || tensor.name.find("o_proj") != std::string::npos ||
        tensor.name.find("down") != std::string::npos)
      c.put(tensor.name, tensor.shape, plain.read(tensor.name));
  for (size_t i = 0; i < kLayers; ++i) {
    const std::string name = "model.layers." + std::to_string(i) + ".", attn = name + "self_attn.", mlp = name + "mlp.";
    join(attn + "qkv_proj", {attn + "q_proj", attn + "k_proj", attn + "v_proj"});
    join(mlp + "gate_up_proj", {mlp + "gate_proj", mlp + "up_proj"});
  }
  return c;
}

/// Logits of every token.
inline Rows frame(const Tensors& t, const std::vector<int32_t>& ids, const Frame& f, double epsilon = 1e-6) {
  auto norm = [&](const Rows& x, const std::string& name) { return root_mean(t, x, name, epsilon, 0, f.norm_added); };
  Rows x = times(embedded(t, "model.embed_tokens.weight", ids, kHidden), f.embedding);
  for (size_t i = 0; i < kLayers; ++i) {
    const std::string name = "model.layers." + std::to_string(i) + ".", attn = name + "self_attn.";
    const Rows h = f.pre_norms ? norm(x, name + "input_layernorm") : x;
    Rows q = dense(t, h, attn + "q_proj"), k = dense(t, h, attn + "k_proj");
    if (f.head_norms)
      q = root_mean(t, q, attn + "q_norm", epsilon, kWidth, f.norm_added),
      k = root_mean(t, k, attn + "k_norm", epsilon, kWidth, f.norm_added);
    if (f.whole_norms) q = root_mean(t, q, attn + "q_norm", epsilon), k = root_mean(t, k, attn + "k_norm", epsilon);
    if (f.rotated[i]) q = turn(q, kWidth, f.rotated_channels, f.thetas[i]), k = turn(k, kWidth, f.rotated_channels, f.thetas[i]);
    Rows a =
        dense(t, look(q, k, dense(t, h, attn + "v_proj"), {kHeads, kKvHeads, kWidth, f.scale, f.windows[i], f.softcap}), attn + "o_proj");
    if (f.post_norms) a = norm(a, name + "post_attention_layernorm");
    x = add(x, times(a, f.residual));
    const Rows m = f.pre_norms ? norm(x, name + f.mlp_norm) : x;
    Rows u = dense(t, product(activate(f.activation, dense(t, m, name + "mlp.gate_proj")), dense(t, m, name + "mlp.up_proj")),
                   name + "mlp.down_proj");
    if (f.post_norms) u = norm(u, name + "post_feedforward_layernorm");
    x = add(x, times(u, f.residual));
  }
  Rows logits = times(linear(t, norm(x, "model.norm"), "model.embed_tokens.weight", ""), 1 / f.logits);
  for (Vector& row : logits)
    for (double& value : row) value = f.logit_cap != 0 ? f.logit_cap * std::tanh(value / f.logit_cap) : value;
  return logits;
}

}  // namespace linnet::oracle::frames
