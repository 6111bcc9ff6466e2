// Checkpoints of the families around GPT-2 that are small enough to compute by hand.
#pragma once

#include "convert/architectures/decoder_oracle.h"

namespace linnet::oracle::gpt {

constexpr size_t kHidden = 24, kHeads = 4, kWidth = 6, kInner = 40, kWords = 31, kPositions = 40, kLayers = 2;

inline std::string layer_of(const std::string& body, size_t i) { return body + "h." + std::to_string(i) + "."; }

inline convert::Json gpt_config(const char* type, const char* saved) {
  return {{"model_type", type}, {"architectures", {saved}}, {"vocab_size", kWords},     {"n_embd", kHidden},
          {"n_head", kHeads},   {"n_layer", kLayers},       {"n_positions", kPositions}};
}

/// c_attn and its like are [in, out]; `keys` columns beside the queries.
inline convert::FakeCheckpoint gpt2_checkpoint(const std::string& body, bool tied) {
  convert::FakeCheckpoint c(gpt_config("gpt2", "GPT2LMHeadModel"));
  c.config()["n_inner"] = kInner;
  c.config()["tie_word_embeddings"] = tied;
  Filler f(c, 3);
  f.table(body + "wte", kWords, kHidden), f.table(body + "wpe", kPositions, kHidden), f.norm(body + "ln_f", kHidden);
  if (!tied) f.table("lm_head", kWords, kHidden);
  for (size_t i = 0; i < kLayers; ++i) {
    const std::string name = layer_of(body, i);
    f.norm(name + "ln_1", kHidden), f.norm(name + "ln_2", kHidden);
    f.in_out(name + "attn.c_attn", kHidden, 3 * kHidden), f.in_out(name + "attn.c_proj", kHidden, kHidden);
    f.in_out(name + "mlp.c_fc", kHidden, kInner), f.in_out(name + "mlp.c_proj", kInner, kHidden);
    c.put(name + "attn.bias", {1, 1, kPositions, kPositions}, std::vector<float>(kPositions * kPositions, 1.0f));
  }
  return c;
}

/// StarCoder's matrices are [out, in]; keys and values of one head, or of all, each head's three together.
inline convert::FakeCheckpoint bigcode_checkpoint(bool multi_query) {
  convert::FakeCheckpoint c(gpt_config("gpt_bigcode", "GPTBigCodeForCausalLM"));
  c.config()["n_inner"] = kInner;
  c.config()["multi_query"] = multi_query;
  Filler f(c, 5);
  const std::string body = "transformer.";
  f.table(body + "wte", kWords, kHidden), f.table(body + "wpe", kPositions, kHidden), f.norm(body + "ln_f", kHidden);
  for (size_t i = 0; i < kLayers; ++i) {
    const std::string name = layer_of(body, i);
    f.norm(name + "ln_1", kHidden), f.norm(name + "ln_2", kHidden);
    f.matrix(name + "attn.c_attn", multi_query ? kHidden + 2 * kWidth : 3 * kHidden, kHidden, true);
    f.matrix(name + "attn.c_proj", kHidden, kHidden, true);
    f.matrix(name + "mlp.c_fc", kInner, kHidden, true), f.matrix(name + "mlp.c_proj", kHidden, kInner, true);
  }
  return c;
}

/// Each head's q, k and v together.
inline convert::FakeCheckpoint neox_checkpoint(bool parallel, bool bias, double rotary) {
  convert::FakeCheckpoint c(convert::Json{{"model_type", "gpt_neox"},
                                          {"vocab_size", kWords},
                                          {"hidden_size", kHidden},
                                          {"num_attention_heads", kHeads},
                                          {"num_hidden_layers", kLayers},
                                          {"intermediate_size", kInner},
                                          {"max_position_embeddings", kPositions},
                                          {"use_parallel_residual", parallel},
                                          {"attention_bias", bias},
                                          {"rotary_pct", rotary},
                                          {"rotary_emb_base", 500}});
  Filler f(c, 7);
  f.table("gpt_neox.embed_in", kWords, kHidden), f.table("embed_out", kWords, kHidden), f.norm("gpt_neox.final_layer_norm", kHidden);
  for (size_t i = 0; i < kLayers; ++i) {
    const std::string name = "gpt_neox.layers." + std::to_string(i) + ".";
    f.norm(name + "input_layernorm", kHidden), f.norm(name + "post_attention_layernorm", kHidden);
    f.matrix(name + "attention.query_key_value", 3 * kHidden, kHidden, bias), f.matrix(name + "attention.dense", kHidden, kHidden, bias);
    f.matrix(name + "mlp.dense_h_to_4h", kInner, kHidden, true), f.matrix(name + "mlp.dense_4h_to_h", kHidden, kInner, true);
  }
  return c;
}

}  // namespace linnet::oracle::gpt
