// The architectures of GGUF files whose MLPs are routed experts.
#include "convert/readers/gguf_frame.h"

namespace linnet::convert {
namespace {

constexpr GgufName kExperts[] = {
    {"blk.{}.ffn_gate_inp", "model.layers.{}.mlp.gate"},
    {"blk.{}.ffn_gate_exps", "model.layers.{}.mlp.experts.{}.gate_proj", GgufRows::experts},
    {"blk.{}.ffn_up_exps", "model.layers.{}.mlp.experts.{}.up_proj", GgufRows::experts},
    {"blk.{}.ffn_down_exps", "model.layers.{}.mlp.experts.{}.down_proj", GgufRows::experts},
};

constexpr GgufName kSharedExpert[] = {
    {"blk.{}.ffn_gate_inp_shexp", "model.layers.{}.mlp.shared_expert_gate", GgufRows::one_row},
    {"blk.{}.ffn_gate_shexp", "model.layers.{}.mlp.shared_expert.gate_proj"},
    {"blk.{}.ffn_up_shexp", "model.layers.{}.mlp.shared_expert.up_proj"},
    {"blk.{}.ffn_down_shexp", "model.layers.{}.mlp.shared_expert.down_proj"},
};

constexpr GgufName kGptOss[] = {
    {"blk.{}.post_attention_norm", "model.layers.{}.post_attention_layernorm"},
    {"blk.{}.attn_sinks", "model.layers.{}.self_attn.sinks"},
    {"blk.{}.ffn_gate_inp", "model.layers.{}.mlp.router"},
};

// How the chosen experts are weighed: what no page computes is refused.
void add_experts(const GgufKeys& keys, const GgufHeads& heads, bool renormalizes, Json* config) {
  constexpr int64_t kSoftmax = 1;
  Json& c = *config;
  if (heads.experts == 0) keys.refuse("expert_count", "at least 1");
  c["num_experts"] = heads.experts;
  c["num_experts_per_tok"] = keys.count("expert_used_count");
  if (keys.has("expert_feed_forward_length")) c["moe_intermediate_size"] = keys.count("expert_feed_forward_length");
  c["norm_topk_prob"] = keys.whole("expert_weights_norm", renormalizes) != 0;
  if (const double scale = keys.number("expert_weights_scale", 1); scale != 1 && scale != 0) keys.refuse("expert_weights_scale", "1");
  if (const int64_t function = keys.whole("expert_gating_func", kSoftmax); function != kSoftmax && function != 0)
    keys.refuse("expert_gating_func", "1 (softmax)");
  if (keys.count("expert_group_count", 1) != 1) keys.refuse("expert_group_count", "1");
}

void configure_qwen2moe(const GgufKeys& keys, const GgufHeads& heads, Json* config) {
  expect_usual_gguf_scale(keys, heads);
  configure_gguf_frame(keys, heads, "qwen2_moe", "Qwen2MoeForCausalLM", config);
  add_experts(keys, heads, false, config);
  Json& c = *config;
  c["qkv_bias"] = c["attention_bias"];
}

void configure_qwen3moe(const GgufKeys& keys, const GgufHeads& heads, Json* config) {
  expect_usual_gguf_scale(keys, heads);
  configure_gguf_frame(keys, heads, "qwen3_moe", "Qwen3MoeForCausalLM", config);
  add_experts(keys, heads, true, config);
}

void configure_olmoe(const GgufKeys& keys, const GgufHeads& heads, Json* config) {
  expect_usual_gguf_scale(keys, heads);
  configure_gguf_frame(keys, heads, "olmoe", "OlmoeForCausalLM", config);
  add_experts(keys, heads, false, config);
  if (const double limit = keys.number("attention.clamp_kqv", 0); limit > 0) (*config)["clip_qkv"] = limit;
}

// Its weights are the softmax over the chosen scores, whatever the keys leave unsaid.
void configure_gpt_oss(const GgufKeys& keys, const GgufHeads& heads, Json* config) {
  constexpr int64_t kSigmoid = 2;
  expect_usual_gguf_scale(keys, heads);
  configure_gguf_frame(keys, heads, "gpt_oss", "GptOssForCausalLM", config);
  Json& c = *config;
  c["num_experts"] = heads.experts;
  c["num_experts_per_tok"] = keys.count("expert_used_count");
  c["sliding_window"] = keys.count("attention.sliding_window", 128);
  if (keys.whole("expert_gating_func", 0) == kSigmoid) keys.refuse("expert_gating_func", "the softmax of the chosen ones");
  if (c.contains("rope_scaling")) c["rope_scaling"]["truncate"] = false;
}

}  // namespace

std::span<const GgufArchitecture> gguf_mixtures() {
  static const std::vector<GgufArchitecture> kAll = {
      {"qwen2moe", {{kGgufFrame}, {kExperts}, {kSharedExpert}}, false, configure_qwen2moe},
      {"qwen3moe", {{kGgufFrame}, {kGgufQueryKeyNorms}, {kExperts}}, false, configure_qwen3moe},
      {"olmoe", {{kGgufFrame}, {kGgufQueryKeyNorms}, {kExperts}}, false, configure_olmoe},
      {"gpt-oss", {{kGptOss}, {kGgufFrame}, {kExperts}}, false, configure_gpt_oss},
  };
  return kAll;
}

}  // namespace linnet::convert
