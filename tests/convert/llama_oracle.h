// Llama in plain double precision, and checkpoints of any shape for it.
#pragma once

#include "convert/fake_checkpoint.h"
#include "convert/oracle.h"
#include "runtime/small_models.h"

namespace linnet::oracle {

struct LlamaShape {
  size_t hidden = 32, layers = 1, heads = 2, kv_heads = 1, head_dim = 16, intermediate = 48, vocabulary = 40;
  std::string activation = "silu";
  bool attention_bias = false, mlp_bias = false, tied = true;
  double epsilon = 1e-5, theta = 10000, partial = 1;
  size_t positions = 64;
  convert::Json rope = nullptr;  // rope_scaling, 4.x spelling
  bool new_spelling = false;     // rope_parameters and dtype, as 5.x saves them
};

inline convert::Json llama_config(const LlamaShape& s) {
  convert::Json c = {{"model_type", "llama"},
                     {"architectures", {"LlamaForCausalLM"}},
                     {"hidden_size", s.hidden},
                     {"num_hidden_layers", s.layers},
                     {"num_attention_heads", s.heads},
                     {"num_key_value_heads", s.kv_heads},
                     {"head_dim", s.head_dim},
                     {"intermediate_size", s.intermediate},
                     {"vocab_size", s.vocabulary},
                     {"max_position_embeddings", s.positions},
                     {"hidden_act", s.activation},
                     {"rms_norm_eps", s.epsilon},
                     {"attention_bias", s.attention_bias},
                     {"mlp_bias", s.mlp_bias},
                     {"tie_word_embeddings", s.tied}};
  if (s.new_spelling) {
    convert::Json rope = s.rope.is_null() ? convert::Json{{"rope_type", "default"}} : s.rope;
    rope["rope_theta"] = s.theta;
    if (s.partial != 1) rope["partial_rotary_factor"] = s.partial;
    c["rope_parameters"] = rope;
    c["dtype"] = "float32";
  } else {
    c["rope_theta"] = s.theta;
    c["rope_scaling"] = s.rope;
    if (s.partial != 1) c["partial_rotary_factor"] = s.partial;
    c["torch_dtype"] = "float32";
  }
  return c;
}

inline convert::FakeCheckpoint llama_checkpoint(const LlamaShape& s, uint32_t seed) {
  convert::FakeCheckpoint c(llama_config(s));
  tests::Weights w(seed);
  auto norm = [&](const std::string& name) { c.put(name + ".weight", {s.hidden}, w.around(1, s.hidden)); };
  auto linear = [&](const std::string& name, size_t rows, size_t columns, bool bias) {
    c.put(name + ".weight", {rows, columns}, w.matrix(rows, columns));
    if (bias) c.put(name + ".bias", {rows}, w.around(0, rows));
  };
  c.put("model.embed_tokens.weight", {s.vocabulary, s.hidden}, w.matrix(s.vocabulary, s.hidden));
  for (size_t i = 0; i < s.layers; ++i) {
    const std::string layer = "model.layers." + std::to_string(i) + ".";
    norm(layer + "input_layernorm");
    linear(layer + "self_attn.q_proj", s.heads * s.head_dim, s.hidden, s.attention_bias);
    linear(layer + "self_attn.k_proj", s.kv_heads * s.head_dim, s.hidden, s.attention_bias);
    linear(layer + "self_attn.v_proj", s.kv_heads * s.head_dim, s.hidden, s.attention_bias);
    linear(layer + "self_attn.o_proj", s.hidden, s.heads * s.head_dim, s.attention_bias);
    norm(layer + "post_attention_layernorm");
    linear(layer + "mlp.gate_proj", s.intermediate, s.hidden, s.mlp_bias);
    linear(layer + "mlp.up_proj", s.intermediate, s.hidden, s.mlp_bias);
    linear(layer + "mlp.down_proj", s.hidden, s.intermediate, s.mlp_bias);
  }
  norm("model.norm");
  if (!s.tied) c.put("lm_head.weight", {s.vocabulary, s.hidden}, w.matrix(s.vocabulary, s.hidden));
  return c;
}

/// Rotary frequencies of `rotated` channels and the factor of cos and sin, for sequences of `length` tokens.
inline Vector frequencies(const LlamaShape& s, size_t rotated, size_t length, double* factor_of_cos) {
  const convert::Json none = convert::Json::object();
  const convert::Json& rope = s.rope.is_null() ? none : s.rope;
  const std::string type = rope.value("rope_type", rope.value("type", std::string("default")));
  const double positions = static_cast<double>(s.positions), original = rope.value("original_max_position_embeddings", positions);
  const double factor = rope.value("factor", positions / original), rot = static_cast<double>(rotated), now = static_cast<double>(length);
  double theta = s.theta;
  if (type == "dynamic" && now > positions) theta *= std::pow(factor * now / positions - (factor - 1), rot / (rot - 2));
  *factor_of_cos = 1;
  Vector f(rotated / 2);
  for (size_t i = 0; i < f.size(); ++i) f[i] = std::pow(theta, -2.0 * static_cast<double>(i) / rot);
  if (type == "linear")
    for (double& value : f) value /= factor;
  if (type == "llama3") {
    const double low = rope.at("low_freq_factor"), high = rope.at("high_freq_factor");
    for (double& value : f) {
      const double wave = 2 * M_PI / value, t = (original / wave - low) / (high - low);
      if (wave > original / low)
        value /= factor;
      else if (wave >= original / high)
        value = (1 - t) * value / factor + t * value;
    }
  }
  if (type == "yarn") {
    auto dimension = [&](double turns) { return rot * std::log(original / (turns * 2 * M_PI)) / (2 * std::log(s.theta)); };
    const double lo = std::max(std::floor(dimension(rope.value("beta_fast", 32.0))), 0.0);
    double hi = std::min(std::ceil(dimension(rope.value("beta_slow", 1.0))), rot - 1);
    if (lo == hi) hi += 0.001;
    for (size_t i = 0; i < f.size(); ++i) {
      const double r = std::clamp((static_cast<double>(i) - lo) / (hi - lo), 0.0, 1.0);
      f[i] = f[i] / factor * r + f[i] * (1 - r);
    }
    *factor_of_cos = rope.value("attention_factor", factor <= 1 ? 1.0 : 0.1 * std::log(factor) + 1);
  }
  if (type == "longrope" || type == "su") {
    const convert::Json& by = rope.at(now > original ? "long_factor" : "short_factor");
    for (size_t i = 0; i < f.size(); ++i) f[i] /= by.at(i).get<double>();
    *factor_of_cos = rope.value("attention_factor", factor <= 1 ? 1.0 : std::sqrt(1 + std::log(factor) / std::log(original)));
  }
  return f;
}

/// The first channel pairs with the one half of the rotated width further on.
inline void rotate(Rows& x, const LlamaShape& s, size_t heads) {
  const size_t rotated = static_cast<size_t>(static_cast<double>(s.head_dim) * s.partial), half = rotated / 2;
  double m = 1;
  const Vector f = frequencies(s, rotated, x.size(), &m);
  for (size_t p = 0; p < x.size(); ++p)
    for (size_t h = 0; h < heads; ++h)
      for (size_t i = 0; i < half; ++i) {
        double &a = x[p][h * s.head_dim + i], &b = x[p][h * s.head_dim + half + i];
        const double angle = static_cast<double>(p) * f[i], c = std::cos(angle) * m, n = std::sin(angle) * m, first = a;
        a = first * c - b * n;
        b = b * c + first * n;
      }
}

/// Logits of every token.
inline Rows llama(const Tensors& t, const LlamaShape& s, const std::vector<int32_t>& ids) {
  Rows x;
  for (int32_t id : ids) x.push_back(table_row(t, "model.embed_tokens.weight", static_cast<size_t>(id), s.hidden));
  for (size_t i = 0; i < s.layers; ++i) {
    const std::string layer = "model.layers." + std::to_string(i) + ".", attn = layer + "self_attn.", mlp = layer + "mlp.";
    auto project = [&](const Rows& rows, const std::string& name, bool bias) {
      return linear(t, rows, name + ".weight", bias ? name + ".bias" : "");
    };
    Rows h = rms_norm(t, x, layer + "input_layernorm.weight", s.epsilon);
    Rows q = project(h, attn + "q_proj", s.attention_bias), k = project(h, attn + "k_proj", s.attention_bias);
    rotate(q, s, s.heads);
    rotate(k, s, s.kv_heads);
    Rows a = attention(q, k, project(h, attn + "v_proj", s.attention_bias), s.heads, s.kv_heads, s.head_dim, true);
    x = add(x, project(a, attn + "o_proj", s.attention_bias));
    h = rms_norm(t, x, layer + "post_attention_layernorm.weight", s.epsilon);
    Rows gate = activate(s.activation, project(h, mlp + "gate_proj", s.mlp_bias)), up = project(h, mlp + "up_proj", s.mlp_bias);
    for (size_t row = 0; row < gate.size(); ++row)
      for (size_t c = 0; c < gate[row].size(); ++c) gate[row][c] *= up[row][c];
    x = add(x, project(gate, mlp + "down_proj", s.mlp_bias));
  }
  const bool stored = t.count("lm_head.weight") != 0;
  return linear(t, rms_norm(t, x, "model.norm.weight", s.epsilon), stored ? "lm_head.weight" : "model.embed_tokens.weight", "");
}

}  // namespace linnet::oracle
