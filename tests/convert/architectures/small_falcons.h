// Checkpoints of Falcon that are small enough to compute by hand.
#pragma once

#include "convert/architectures/decoder_oracle.h"

namespace linnet::oracle::falcons {

struct Shape {
  size_t heads, kv_heads;  // kv_heads as the matrix has them
  bool grouped;            // the new architecture
  int norms;               // of the new architecture, 0 = the key is absent
  bool multi_query, parallel, bias, alibi;
};

constexpr size_t kWidth = 8, kInner = 44, kWords = 37, kLayers = 2;

inline convert::FakeCheckpoint checkpoint_of(const Shape& s) {
  const size_t hidden = s.heads * kWidth;
  convert::Json config = {{"model_type", "falcon"},
                          {"vocab_size", kWords},
                          {"hidden_size", hidden},
                          {"num_attention_heads", s.heads},
                          {"num_hidden_layers", kLayers},
                          {"ffn_hidden_size", kInner},
                          {"new_decoder_architecture", s.grouped},
                          {"multi_query", s.multi_query},
                          {"parallel_attn", s.parallel},
                          {"bias", s.bias},
                          {"alibi", s.alibi},
                          {"num_kv_heads", s.grouped ? s.kv_heads : s.heads}};
  if (s.norms != 0) config["num_ln_in_parallel_attn"] = s.norms;
  convert::FakeCheckpoint c(config);
  Filler f(c, 11);
  f.table("transformer.word_embeddings", kWords, hidden), f.norm("transformer.ln_f", hidden);
  for (size_t i = 0; i < kLayers; ++i) {
    const std::string name = "transformer.h." + std::to_string(i) + ".";
    if (s.grouped && s.norms != 1)
      f.norm(name + "ln_attn", hidden), f.norm(name + "ln_mlp", hidden);
    else
      f.norm(name + "input_layernorm", hidden);
    if (!s.grouped && !s.parallel) f.norm(name + "post_attention_layernorm", hidden);
    f.matrix(name + "self_attention.query_key_value", (s.heads + 2 * s.kv_heads) * kWidth, hidden, s.bias);
    f.matrix(name + "self_attention.dense", hidden, hidden, s.bias);
    f.matrix(name + "mlp.dense_h_to_4h", kInner, hidden, s.bias), f.matrix(name + "mlp.dense_4h_to_h", hidden, kInner, s.bias);
  }
  return c;
}

}  // namespace linnet::oracle::falcons
