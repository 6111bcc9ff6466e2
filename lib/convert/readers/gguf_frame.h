// What the architectures of GGUF files that kept the frame of Llama share: the names of its tensors, and the keys of its config.json.
#pragma once

#include "convert/readers/gguf_config.h"

namespace linnet::convert {

inline constexpr GgufName kGgufFrame[] = {
    {"token_embd", "model.embed_tokens"},
    {"output_norm", "model.norm"},
    {"output", "lm_head"},
    {"rope_freqs", "rope_freqs"},
    {"rope_factors_long", "rope_factors_long"},
    {"rope_factors_short", "rope_factors_short"},
    {"blk.{}.attn_norm", "model.layers.{}.input_layernorm"},
    {"blk.{}.attn_q", "model.layers.{}.self_attn.q_proj", GgufRows::query},
    {"blk.{}.attn_k", "model.layers.{}.self_attn.k_proj", GgufRows::key},
    {"blk.{}.attn_v", "model.layers.{}.self_attn.v_proj"},
    {"blk.{}.attn_qkv", "model.layers.{}.self_attn.q_proj|model.layers.{}.self_attn.k_proj|model.layers.{}.self_attn.v_proj",
     GgufRows::query_key_value},
    {"blk.{}.attn_output", "model.layers.{}.self_attn.o_proj"},
    {"blk.{}.ffn_norm", "model.layers.{}.post_attention_layernorm"},
    {"blk.{}.ffn_gate", "model.layers.{}.mlp.gate_proj"},
    {"blk.{}.ffn_up", "model.layers.{}.mlp.up_proj"},
    {"blk.{}.ffn_down", "model.layers.{}.mlp.down_proj"},
    {"blk.{}.attn_rot_embd", nullptr},
    {"blk.{}.nextn.*", nullptr},
};

inline constexpr GgufName kGgufQueryKeyNorms[] = {
    {"blk.{}.attn_q_norm", "model.layers.{}.self_attn.q_norm"},
    {"blk.{}.attn_k_norm", "model.layers.{}.self_attn.k_norm"},
};

inline constexpr GgufName kGgufMixtralExperts[] = {
    {"blk.{}.ffn_gate_inp", "model.layers.{}.block_sparse_moe.gate"},
    {"blk.{}.ffn_gate_exps", "model.layers.{}.block_sparse_moe.experts.{}.w1", GgufRows::experts},
    {"blk.{}.ffn_down_exps", "model.layers.{}.block_sparse_moe.experts.{}.w2", GgufRows::experts},
    {"blk.{}.ffn_up_exps", "model.layers.{}.block_sparse_moe.experts.{}.w3", GgufRows::experts},
    {"blk.{}.ffn_gate.{}", "model.layers.{}.block_sparse_moe.experts.{}.w1"},  // the oldest files
    {"blk.{}.ffn_down.{}", "model.layers.{}.block_sparse_moe.experts.{}.w2"},
    {"blk.{}.ffn_up.{}", "model.layers.{}.block_sparse_moe.experts.{}.w3"},
};

/// The usual scale of scores is the only one that most families compute.
void expect_usual_gguf_scale(const GgufKeys& keys, const GgufHeads& heads);
void name_gguf_model(const GgufKeys& keys, const char* model_type, const char* saved_class, Json* config);
void configure_gguf_frame(const GgufKeys& keys, const GgufHeads& heads, const char* model_type, const char* saved_class, Json* config);

}  // namespace linnet::convert
