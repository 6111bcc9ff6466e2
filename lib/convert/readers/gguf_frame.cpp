#include "convert/readers/gguf_frame.h"

#include <fmt/format.h>

#include <cmath>

#include "convert/readers/gguf_rope.h"

namespace linnet::convert {

void expect_usual_gguf_scale(const GgufKeys& keys, const GgufHeads& heads) {
  const double scale = 1 / std::sqrt(double(heads.key_width));
  if (double asked = keys.number("attention.scale", 0); asked != 0 && std::fabs(asked - scale) > 1e-6 * scale)
    keys.refuse("attention.scale", fmt::format("{}", scale));
}

void name_gguf_model(const GgufKeys& keys, const char* model_type, const char* saved_class, Json* config) {
  (*config)["architectures"] = Json::array({saved_class});
  (*config)["model_type"] = model_type;
  (*config)["tie_word_embeddings"] = !keys.has_tensor("output.weight");
  if (keys.whole("attention.causal", 1) != 1) keys.refuse("attention.causal", "true");
}

void configure_gguf_frame(const GgufKeys& keys, const GgufHeads& heads, const char* model_type, const char* saved_class, Json* config) {
  Json& c = *config;
  name_gguf_model(keys, model_type, saved_class, config);
  c["num_key_value_heads"] = heads.kv_heads;
  c["head_dim"] = heads.key_width;
  if (heads.value_width != heads.key_width) keys.refuse("attention.value_length", "the same as attention.key_length");
  c["rms_norm_eps"] = keys.number("attention.layer_norm_rms_epsilon");
  c["hidden_act"] = "silu";
  c["attention_bias"] = keys.has_tensor("blk.0.attn_q.bias") || keys.has_tensor("blk.0.attn_qkv.bias");
  c["mlp_bias"] = keys.has_tensor("blk.0.ffn_up.bias");
  add_gguf_rope(keys, heads, config);
}

}  // namespace linnet::convert
