// The architectures of GGUF files that write text: which tensors are whose, and the config.json that their keys amount to.
#include <fmt/format.h>

#include <cmath>

#include "convert/readers/gguf_frame.h"
#include "convert/readers/gguf_rope.h"

namespace linnet::convert {
namespace {

// ---------------------------------------------------------------- in the frame of Llama

// What Gemma's files call the norm before the MLP, and those behind attention and MLP.
constexpr GgufName kFourNorms[] = {
    {"blk.{}.ffn_norm", "model.layers.{}.pre_feedforward_layernorm"},
    {"blk.{}.post_attention_norm", "model.layers.{}.post_attention_layernorm"},
    {"blk.{}.post_ffw_norm", "model.layers.{}.post_feedforward_layernorm"},
};

constexpr GgufName kPhi3[] = {
    {"blk.{}.attn_qkv", "model.layers.{}.self_attn.qkv_proj"},
    {"blk.{}.ffn_up", "model.layers.{}.mlp.gate_up_proj"},
};

// Of files that say a window only where they have one.
void add_window(const GgufKeys& keys, Json* config) {
  if (const uint32_t window = keys.count("attention.sliding_window", 0)) (*config)["sliding_window"] = window;
}

// Mistral is Llama with a window, Mixtral with experts.
void configure_llama(const GgufKeys& keys, const GgufHeads& heads, Json* config) {
  const uint32_t window = keys.count("attention.sliding_window", 0);
  const bool is_windowed = window > 0 && window < keys.count("context_length");
  expect_usual_gguf_scale(keys, heads);
  if (heads.experts > 0)
    configure_gguf_frame(keys, heads, "mixtral", "MixtralForCausalLM", config);
  else if (is_windowed)
    configure_gguf_frame(keys, heads, "mistral", "MistralForCausalLM", config);
  else
    configure_gguf_frame(keys, heads, "llama", "LlamaForCausalLM", config);
  Json& c = *config;
  if (is_windowed) c["sliding_window"] = window;
  if (heads.experts == 0) return;
  c["num_local_experts"] = heads.experts;
  c["num_experts_per_tok"] = keys.count("expert_used_count");
}

void configure_qwen2(const GgufKeys& keys, const GgufHeads& heads, Json* config) {
  expect_usual_gguf_scale(keys, heads);
  configure_gguf_frame(keys, heads, "qwen2", "Qwen2ForCausalLM", config);
  (*config)["use_sliding_window"] = false;
}

void configure_qwen3(const GgufKeys& keys, const GgufHeads& heads, Json* config) {
  expect_usual_gguf_scale(keys, heads);
  configure_gguf_frame(keys, heads, "qwen3", "Qwen3ForCausalLM", config);
  (*config)["use_sliding_window"] = false;
}

void configure_olmo2(const GgufKeys& keys, const GgufHeads& heads, Json* config) {
  expect_usual_gguf_scale(keys, heads);
  configure_gguf_frame(keys, heads, "olmo2", "Olmo2ForCausalLM", config);
}

void configure_smollm3(const GgufKeys& keys, const GgufHeads& heads, Json* config) {
  expect_usual_gguf_scale(keys, heads);
  configure_gguf_frame(keys, heads, "smollm3", "SmolLM3ForCausalLM", config);
}

void configure_phi3(const GgufKeys& keys, const GgufHeads& heads, Json* config) {
  expect_usual_gguf_scale(keys, heads);
  configure_gguf_frame(keys, heads, "phi3", "Phi3ForCausalLM", config);
  add_window(keys, config);
  const char* original = "rope.scaling.original_context_length";
  if (keys.has(original)) (*config)["original_max_position_embeddings"] = keys.count(original);
}

void configure_granite(const GgufKeys& keys, const GgufHeads& heads, Json* config) {
  configure_gguf_frame(keys, heads, "granite", "GraniteForCausalLM", config);
  Json& c = *config;
  c["attention_multiplier"] = keys.number("attention.scale", 1 / std::sqrt(double(heads.key_width)));
  c["embedding_multiplier"] = keys.number("embedding_scale", 1);
  c["residual_multiplier"] = keys.number("residual_scale", 1);
  c["logits_scaling"] = keys.number("logit_scale", 1);
}

// ---------------------------------------------------------------- Gemma

void configure_gemma(const GgufKeys& keys, const GgufHeads& heads, Json* config) {
  expect_usual_gguf_scale(keys, heads);
  configure_gguf_frame(keys, heads, "gemma", "GemmaForCausalLM", config);
  (*config)["hidden_activation"] = "gelu_pytorch_tanh";
}

// Scores are divided by the root of a number that the files of one size leave out.
void add_query_scale(const GgufKeys& keys, const GgufHeads& heads, uint32_t layers_of_largest, Json* config) {
  Json& c = *config;
  c["hidden_activation"] = "gelu_pytorch_tanh";
  c["query_pre_attn_scalar"] = heads.layers == layers_of_largest ? keys.count("embedding_length") / heads.heads : heads.key_width;
  if (const double scale = keys.number("attention.scale", 0); scale > 0) c["query_pre_attn_scalar"] = 1 / (scale * scale);
}

void configure_gemma2(const GgufKeys& keys, const GgufHeads& heads, Json* config) {
  configure_gguf_frame(keys, heads, "gemma2", "Gemma2ForCausalLM", config);
  add_query_scale(keys, heads, 46, config);
  add_window(keys, config);
  (*config)["attn_logit_softcapping"] = keys.number("attn_logit_softcapping", 50);
  (*config)["final_logit_softcapping"] = keys.number("final_logit_softcapping", 30);
}

// sliding_window_pattern: for each layer whether it slides, or every how many layers one does not.
void configure_gemma3(const GgufKeys& keys, const GgufHeads& heads, Json* config) {
  configure_gguf_frame(keys, heads, "gemma3_text", "Gemma3ForCausalLM", config);
  add_query_scale(keys, heads, 62, config);
  add_window(keys, config);
  Json& c = *config;
  c["rope_local_base_freq"] = keys.number("rope.freq_base_swa", 10000);
  const std::string pattern = "attention.sliding_window_pattern";
  const GgufMetadata::Value* value = keys.metadata().find(keys.full(pattern));
  if (value && std::holds_alternative<std::vector<int64_t>>(*value)) {
    for (int64_t slides : std::get<std::vector<int64_t>>(*value))
      c["layer_types"].push_back(slides ? "sliding_attention" : "full_attention");
  } else if (value) {
    c["sliding_window_pattern"] = keys.count(pattern);
  }
}

// ---------------------------------------------------------------- GPT-2 and what came after it

constexpr GgufName kGpt2[] = {
    {"token_embd", "transformer.wte"},
    {"position_embd", "transformer.wpe"},
    {"output_norm", "transformer.ln_f"},
    {"output", "lm_head"},
    {"blk.{}.attn_norm", "transformer.h.{}.ln_1"},
    {"blk.{}.attn_qkv", "transformer.h.{}.attn.c_attn"},
    {"blk.{}.attn_output", "transformer.h.{}.attn.c_proj"},
    {"blk.{}.ffn_norm", "transformer.h.{}.ln_2"},
    {"blk.{}.ffn_up", "transformer.h.{}.mlp.c_fc"},
    {"blk.{}.ffn_down", "transformer.h.{}.mlp.c_proj"},
};

constexpr GgufName kGptNeox[] = {
    {"token_embd", "gpt_neox.embed_in"},
    {"output_norm", "gpt_neox.final_layer_norm"},
    {"output", "embed_out"},
    {"blk.{}.attn_norm", "gpt_neox.layers.{}.input_layernorm"},
    {"blk.{}.attn_qkv", "gpt_neox.layers.{}.attention.query_key_value"},
    {"blk.{}.attn_output", "gpt_neox.layers.{}.attention.dense"},
    {"blk.{}.ffn_norm", "gpt_neox.layers.{}.post_attention_layernorm"},
    {"blk.{}.ffn_up", "gpt_neox.layers.{}.mlp.dense_h_to_4h"},
    {"blk.{}.ffn_down", "gpt_neox.layers.{}.mlp.dense_4h_to_h"},
};

constexpr GgufName kFalconTwoNorms[] = {
    {"blk.{}.attn_norm", "transformer.h.{}.ln_mlp"},
    {"blk.{}.attn_norm_2", "transformer.h.{}.ln_attn"},
};

constexpr GgufName kFalcon[] = {
    {"token_embd", "transformer.word_embeddings"},
    {"output_norm", "transformer.ln_f"},
    {"output", "lm_head"},
    {"blk.{}.attn_norm", "transformer.h.{}.input_layernorm"},
    {"blk.{}.attn_qkv", "transformer.h.{}.self_attention.query_key_value"},
    {"blk.{}.attn_output", "transformer.h.{}.self_attention.dense"},
    {"blk.{}.ffn_up", "transformer.h.{}.mlp.dense_h_to_4h"},
    {"blk.{}.ffn_down", "transformer.h.{}.mlp.dense_4h_to_h"},
};

void add_gpt2_keys(const GgufKeys& keys, const GgufHeads& heads, Json* config) {
  Json& c = *config;
  c["n_embd"] = keys.count("embedding_length");
  c["n_layer"] = heads.layers;
  c["n_head"] = heads.heads;
  c["layer_norm_epsilon"] = keys.number("attention.layer_norm_epsilon");
}

void configure_gpt2(const GgufKeys& keys, const GgufHeads& heads, Json* config) {
  expect_usual_gguf_scale(keys, heads);
  name_gguf_model(keys, "gpt2", "GPT2LMHeadModel", config);
  add_gpt2_keys(keys, heads, config);
  if (heads.kv_heads != heads.heads) keys.refuse("attention.head_count_kv", "attention.head_count");
}

void configure_starcoder(const GgufKeys& keys, const GgufHeads& heads, Json* config) {
  expect_usual_gguf_scale(keys, heads);
  name_gguf_model(keys, "gpt_bigcode", "GPTBigCodeForCausalLM", config);
  add_gpt2_keys(keys, heads, config);
  if (heads.kv_heads != 1) keys.refuse("attention.head_count_kv", "1");
}

void configure_gptneox(const GgufKeys& keys, const GgufHeads& heads, Json* config) {
  expect_usual_gguf_scale(keys, heads);
  name_gguf_model(keys, "gpt_neox", "GPTNeoXForCausalLM", config);
  Json& c = *config;
  c["layer_norm_eps"] = keys.number("attention.layer_norm_epsilon");
  c["use_parallel_residual"] = keys.whole("use_parallel_residual", 1) != 0;
  c["attention_bias"] = keys.has_tensor("blk.0.attn_qkv.bias");
  c["rotary_pct"] = 1;  // what add_gguf_rope says wins
  add_gguf_rope(keys, heads, config);
}

void configure_falcon(const GgufKeys& keys, const GgufHeads& heads, Json* config) {
  expect_usual_gguf_scale(keys, heads);
  name_gguf_model(keys, "falcon", "FalconForCausalLM", config);
  Json& c = *config;
  c["layer_norm_epsilon"] = keys.number("attention.layer_norm_epsilon");
  c["new_decoder_architecture"] = true;
  c["num_kv_heads"] = heads.kv_heads;
  c["num_ln_in_parallel_attn"] = keys.has_tensor("blk.0.attn_norm_2.weight") ? 2 : 1;
  c["bias"] = keys.has_tensor("blk.0.attn_qkv.bias");
  add_gguf_rope(keys, heads, config);
}

}  // namespace

std::span<const GgufArchitecture> gguf_decoders() {
  static const std::vector<GgufArchitecture> kAll = {
      {"llama", {{kGgufFrame}, {kGgufMixtralExperts}}, true, configure_llama},
      {"qwen2", {{kGgufFrame}}, false, configure_qwen2},
      {"qwen3", {{kGgufFrame}, {kGgufQueryKeyNorms}}, false, configure_qwen3},
      {"olmo2", {{kFourNorms}, {kGgufQueryKeyNorms}, {kGgufFrame}}, false, configure_olmo2},
      {"smollm3", {{kGgufFrame}}, true, configure_smollm3},
      {"phi3", {{kPhi3}, {kGgufFrame}}, false, configure_phi3},
      {"granite", {{kGgufFrame}}, true, configure_granite},
      {"gemma", {{kGgufFrame}}, false, configure_gemma},
      {"gemma2", {{kFourNorms}, {kGgufFrame}}, false, configure_gemma2},
      {"gemma3", {{kFourNorms}, {kGgufQueryKeyNorms}, {kGgufFrame}}, false, configure_gemma3},
      {"gpt2", {{kGpt2}}, false, configure_gpt2},
      {"starcoder", {{kGpt2}}, false, configure_starcoder},
      {"gptneox", {{kGptNeox}}, false, configure_gptneox},
      {"falcon", {{kFalconTwoNorms, "blk.0.attn_norm_2.weight"}, {kFalcon}}, false, configure_falcon},
  };
  return kAll;
}

}  // namespace linnet::convert
