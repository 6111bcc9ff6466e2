// A checkpoint in memory, for tests of pages and of the builder.
#pragma once

#include <algorithm>
#include <cmath>

#include "convert/checkpoint.h"

namespace linnet::convert {

class FakeCheckpoint : public Checkpoint {
 public:
  explicit FakeCheckpoint(Json config = Json::object()) {
    config_ = std::move(config);
    path_ = "fake";
  }
  using Checkpoint::config;
  FakeCheckpoint& put(const std::string& name, std::vector<uint64_t> shape, std::vector<float> values = {}) {
    size_t count = 1;
    for (uint64_t size : shape) count *= size;
    if (values.empty())
      for (size_t i = 0; i < count; ++i) values.push_back(std::sin(0.37f * static_cast<float>(i + 7 * tensors_.size() + 1)));
    if (index_.count(name) == 0) tensors_.push_back({name, "F32", {}});
    index_.emplace(name, tensors_.size() - 1);
    tensors_[index_[name]].shape = std::move(shape);
    values_[name] = std::move(values);
    return *this;
  }
  /// The same as bytes, type U8.
  FakeCheckpoint& put_bytes(const std::string& name, std::vector<uint64_t> shape, std::vector<float> values) {
    put(name, std::move(shape), std::move(values));
    tensors_[index_[name]].type = "U8";
    return *this;
  }
  Json& config() { return config_; }
  void pose_as_gguf(bool yes) { is_gguf_ = yes; }
  std::vector<float> read(const std::string& name) const override { return values_.at(name); }
  std::unique_ptr<Checkpoint> subfolder(const std::string&) const override { return nullptr; }

 private:
  std::map<std::string, std::vector<float>> values_;
};

/// The tensors of a small llama with random-looking weights: hidden 32, 2 heads of 16, 1 key/value head, intermediate 48, vocabulary 40.
inline FakeCheckpoint small_llama() {
  FakeCheckpoint checkpoint({{"model_type", "llama"},
                             {"hidden_size", 32},
                             {"num_hidden_layers", 1},
                             {"num_attention_heads", 2},
                             {"num_key_value_heads", 1},
                             {"intermediate_size", 48},
                             {"vocab_size", 40},
                             {"max_position_embeddings", 64},
                             {"tie_word_embeddings", true}});
  const std::string layer = "model.layers.0.";
  checkpoint.put("model.embed_tokens.weight", {40, 32}).put("model.norm.weight", {32});
  checkpoint.put(layer + "input_layernorm.weight", {32}).put(layer + "post_attention_layernorm.weight", {32});
  checkpoint.put(layer + "self_attn.q_proj.weight", {32, 32}).put(layer + "self_attn.k_proj.weight", {16, 32});
  checkpoint.put(layer + "self_attn.v_proj.weight", {16, 32}).put(layer + "self_attn.o_proj.weight", {32, 32});
  checkpoint.put(layer + "mlp.gate_proj.weight", {48, 32}).put(layer + "mlp.up_proj.weight", {48, 32});
  checkpoint.put(layer + "mlp.down_proj.weight", {32, 48});
  return checkpoint;
}

/// The tensors of a body-only BERT: hidden 20, 2 heads, 1 layer, intermediate 24, vocabulary 30, 16 positions.
inline FakeCheckpoint small_bert(const std::string& prefix = "") {
  FakeCheckpoint checkpoint(
      {{"model_type", "bert"}, {"hidden_size", 20}, {"num_hidden_layers", 1}, {"num_attention_heads", 2}, {"intermediate_size", 24}});
  const std::string tables = prefix + "embeddings.", layer = prefix + "encoder.layer.0.";
  checkpoint.put(tables + "word_embeddings.weight", {30, 20}).put(tables + "position_embeddings.weight", {16, 20});
  checkpoint.put(tables + "token_type_embeddings.weight", {2, 20});
  auto linear = [&](const std::string& name, uint64_t rows, uint64_t columns) {
    checkpoint.put(name + ".weight", {rows, columns}).put(name + ".bias", {rows});
  };
  auto norm = [&](const std::string& name) { checkpoint.put(name + ".weight", {20}).put(name + ".bias", {20}); };
  norm(tables + "LayerNorm");
  for (const char* name : {"attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense"})
    linear(layer + name, 20, 20);
  norm(layer + "attention.output.LayerNorm");
  linear(layer + "intermediate.dense", 24, 20);
  linear(layer + "output.dense", 20, 24);
  norm(layer + "output.LayerNorm");
  return checkpoint;
}

}  // namespace linnet::convert
