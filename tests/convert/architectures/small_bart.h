// A small BART with random weights: hidden 12, 2 heads, 1 + 1 layers, feed-forward 20, vocabulary 15, 24 positions.
#pragma once

#include "runtime/small_models.h"

namespace linnet::convert {

inline FakeCheckpoint small_bart() {
  FakeCheckpoint c({{"model_type", "bart"},
                    {"d_model", 12},
                    {"encoder_layers", 1},
                    {"decoder_layers", 1},
                    {"encoder_attention_heads", 2},
                    {"decoder_attention_heads", 3},
                    {"encoder_ffn_dim", 20},
                    {"decoder_ffn_dim", 20},
                    {"vocab_size", 15},
                    {"max_position_embeddings", 24},
                    {"decoder_start_token_id", 2},
                    {"eos_token_id", 2}});
  tests::Weights w;
  const auto linear = [&](const std::string& name, size_t rows, size_t columns) {
    c.put(name + ".weight", {rows, columns}, w.matrix(rows, columns)).put(name + ".bias", {rows}, w.around(0, rows));
  };
  const auto norm = [&](const std::string& name) {
    c.put(name + ".weight", {12}, w.around(1, 12)).put(name + ".bias", {12}, w.around(0, 12));
  };
  c.put("model.shared.weight", {15, 12}, w.matrix(15, 12));
  for (const std::string stack : {"model.encoder.", "model.decoder."}) {
    c.put(stack + "embed_positions.weight", {26, 12}, w.matrix(26, 12));
    norm(stack + "layernorm_embedding");
    const std::string layer = stack + "layers.0.";
    for (const std::string part : {"self_attn", "encoder_attn"}) {
      if (part == "encoder_attn" && stack == "model.encoder.") continue;
      for (const char* name : {".q_proj", ".k_proj", ".v_proj", ".out_proj"}) linear(layer + part + name, 12, 12);
      norm(layer + part + "_layer_norm");
    }
    linear(layer + "fc1", 20, 12);
    linear(layer + "fc2", 12, 20);
    norm(layer + "final_layer_norm");
  }
  return c;
}

/// The matrix that changes nothing.
inline std::vector<float> identity(size_t size) {
  std::vector<float> numbers(size * size);
  for (size_t i = 0; i < size; ++i) numbers[i * size + i] = 1;
  return numbers;
}

}  // namespace linnet::convert
