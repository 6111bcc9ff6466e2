#include "convert/readers/gguf_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace linnet::convert {
namespace {

// ---------------------------------------------------------------- keys that architectures share

constexpr uint32_t kMaxExperts = 4096;  // each becomes tensors of its own

// Rotated channels as a part of the head's; the product must not come out below them.
double rotated_part(uint32_t rotated, uint32_t width) {
  double part = double(rotated) / width;
  while (std::floor(part * width) < rotated) part = std::nextafter(part, 2.0);
  return part;
}

void add_yarn(const GgufKeys& keys, double factor, Json* scaling) {
  if (keys.number("rope.scaling.yarn_log_multiplier", 0) != 0)
    keys.refuse("rope.scaling.yarn_log_multiplier", "0 (a temperature of attention that this architecture does not have)");
  // Below 0 stands for the usual one.
  if (const double part = keys.number("rope.scaling.yarn_ext_factor", 1); part >= 0 && part != 1)
    keys.refuse("rope.scaling.yarn_ext_factor", "1");
  if (keys.number("rope.scaling.yarn_attn_factor", 1) != 1) keys.refuse("rope.scaling.yarn_attn_factor", "1");
  if (keys.has("rope.scaling.yarn_beta_fast")) (*scaling)["beta_fast"] = keys.number("rope.scaling.yarn_beta_fast");
  if (keys.has("rope.scaling.yarn_beta_slow")) (*scaling)["beta_slow"] = keys.number("rope.scaling.yarn_beta_slow");
  // The files' factor comes on top of YaRN's own temperature.
  if (keys.has("rope.scaling.attn_factor"))
    (*scaling)["attention_factor"] = keys.number("rope.scaling.attn_factor") * (0.1 * std::log(std::max(factor, 1.0)) + 1);
}

// rope_freqs.weight needs no key: it is read as a tensor.
void add_rope(const GgufKeys& keys, const GgufHeads& heads, Json* config) {
  (*config)["rope_theta"] = keys.number("rope.freq_base", 10000);
  const uint32_t rotated = keys.count("rope.dimension_count", heads.key_width);
  if (rotated > heads.key_width)
    keys.refuse("rope.dimension_count", fmt::format("no more than the {} channels of a head", heads.key_width));
  if (rotated != heads.key_width) (*config)["partial_rotary_factor"] = rotated_part(rotated, heads.key_width);

  std::string type = keys.text("rope.scaling.type", keys.has("rope.scale_linear") ? "linear" : "none");
  if (keys.has_tensor("rope_factors_long.weight")) type = "longrope";
  if (type == "none") return;
  if (type != "linear" && type != "yarn" && type != "longrope") keys.refuse("rope.scaling.type", "none, linear, yarn or longrope");
  const double factor = keys.number("rope.scaling.factor", keys.number("rope.scale_linear", 0));
  Json scaling = {{"rope_type", type}};
  if (factor > 0) scaling["factor"] = factor;
  if (keys.has("rope.scaling.original_context_length"))
    scaling["original_max_position_embeddings"] = keys.count("rope.scaling.original_context_length");
  if (type == "yarn") add_yarn(keys, factor, &scaling);
  if (type == "longrope" && keys.has("rope.scaling.attn_factor")) scaling["attention_factor"] = keys.number("rope.scaling.attn_factor");
  (*config)["rope_scaling"] = scaling;
}

// Ids that a tokenizer has where the file names none.
struct DefaultIds {
  const char* model;
  int bos, eos, pad;
};
constexpr DefaultIds kDefaultIds[] = {{"llama", 1, 2, -1}, {"bert", 101, 102, 0}, {"gpt2", 11, 11, -1}, {"t5", -1, 1, 0}};

// Generation ends at the end of the text, of a turn and of a message.
void add_token_ids(const GgufMetadata& metadata, Json* config) {
  const std::string model = metadata.text("tokenizer.ggml.model", "none"), prefix = "tokenizer.ggml.";
  DefaultIds ids = {"none", -1, -1, -1};
  for (const DefaultIds& row : kDefaultIds)
    if (model == row.model) ids = row;
  auto id = [&](const char* key, int fallback) { return metadata.whole(prefix + key, fallback); };
  auto is_known = [](int64_t token) { return token >= 0 && token <= INT32_MAX; };
  Json ends = Json::array();
  for (int64_t end : {id("eos_token_id", ids.eos), id("eot_token_id", -1), id("eom_token_id", -1)})
    if (is_known(end) && std::find(ends.begin(), ends.end(), Json(end)) == ends.end()) ends.push_back(end);
  if (!ends.empty()) (*config)["eos_token_id"] = ends;
  if (int64_t bos = id("bos_token_id", ids.bos); is_known(bos)) (*config)["bos_token_id"] = bos;
  if (int64_t pad = id("padding_token_id", ids.pad); is_known(pad)) (*config)["pad_token_id"] = pad;
}

// ---------------------------------------------------------------- decoders

constexpr GgufName kDecoder[] = {
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

constexpr GgufName kMixtralExperts[] = {
    {"blk.{}.ffn_gate_inp", "model.layers.{}.block_sparse_moe.gate"},
    {"blk.{}.ffn_gate_exps", "model.layers.{}.block_sparse_moe.experts.{}.w1", GgufRows::experts},
    {"blk.{}.ffn_down_exps", "model.layers.{}.block_sparse_moe.experts.{}.w2", GgufRows::experts},
    {"blk.{}.ffn_up_exps", "model.layers.{}.block_sparse_moe.experts.{}.w3", GgufRows::experts},
    {"blk.{}.ffn_gate.{}", "model.layers.{}.block_sparse_moe.experts.{}.w1"},  // the oldest files
    {"blk.{}.ffn_down.{}", "model.layers.{}.block_sparse_moe.experts.{}.w2"},
    {"blk.{}.ffn_up.{}", "model.layers.{}.block_sparse_moe.experts.{}.w3"},
};

void configure_decoder(const GgufKeys& keys, const GgufHeads& heads, const char* model_type, const char* saved_class, Json* config) {
  Json& c = *config;
  c["architectures"] = Json::array({saved_class});
  c["model_type"] = model_type;
  c["num_key_value_heads"] = heads.kv_heads;
  c["head_dim"] = heads.key_width;
  if (heads.value_width != heads.key_width) keys.refuse("attention.value_length", "the same as attention.key_length");
  c["rms_norm_eps"] = keys.number("attention.layer_norm_rms_epsilon");
  c["hidden_act"] = "silu";
  c["tie_word_embeddings"] = !keys.has_tensor("output.weight");
  if (keys.whole("attention.causal", 1) != 1) keys.refuse("attention.causal", "true");
  const double scale = 1 / std::sqrt(double(heads.key_width));
  if (double asked = keys.number("attention.scale", 0); asked != 0 && std::fabs(asked - scale) > 1e-6 * scale)
    keys.refuse("attention.scale", fmt::format("{}", scale));
  add_rope(keys, heads, config);
}

// Mistral is Llama with a window, Mixtral with experts.
void configure_llama(const GgufKeys& keys, const GgufHeads& heads, Json* config) {
  const uint32_t window = keys.count("attention.sliding_window", 0);
  const bool is_windowed = window > 0 && window < keys.count("context_length");
  if (heads.experts > 0)
    configure_decoder(keys, heads, "mixtral", "MixtralForCausalLM", config);
  else if (is_windowed)
    configure_decoder(keys, heads, "mistral", "MistralForCausalLM", config);
  else
    configure_decoder(keys, heads, "llama", "LlamaForCausalLM", config);
  Json& c = *config;
  if (is_windowed) c["sliding_window"] = window;
  if (heads.experts > 0) {
    c["num_local_experts"] = heads.experts;
    c["num_experts_per_tok"] = keys.count("expert_used_count");
  }
  c["attention_bias"] = keys.has_tensor("blk.0.attn_q.bias") || keys.has_tensor("blk.0.attn_qkv.bias");
  c["mlp_bias"] = keys.has_tensor("blk.0.ffn_up.bias");
}

void configure_qwen2(const GgufKeys& keys, const GgufHeads& heads, Json* config) {
  configure_decoder(keys, heads, "qwen2", "Qwen2ForCausalLM", config);
  (*config)["use_sliding_window"] = false;
}

// ---------------------------------------------------------------- encoders

constexpr GgufName kBert[] = {
    {"token_embd", "embeddings.word_embeddings"},
    {"token_types", "embeddings.token_type_embeddings"},
    {"position_embd", "embeddings.position_embeddings"},
    {"token_embd_norm", "embeddings.LayerNorm"},
    {"blk.{}.attn_q", "encoder.layer.{}.attention.self.query"},
    {"blk.{}.attn_k", "encoder.layer.{}.attention.self.key"},
    {"blk.{}.attn_v", "encoder.layer.{}.attention.self.value"},
    {"blk.{}.attn_qkv", "encoder.layer.{}.attention.self.query|encoder.layer.{}.attention.self.key|encoder.layer.{}.attention.self.value",
     GgufRows::query_key_value},
    {"blk.{}.attn_output", "encoder.layer.{}.attention.output.dense"},
    {"blk.{}.attn_output_norm", "encoder.layer.{}.attention.output.LayerNorm"},
    {"blk.{}.ffn_up", "encoder.layer.{}.intermediate.dense"},
    {"blk.{}.ffn_down", "encoder.layer.{}.output.dense"},
    {"blk.{}.layer_output_norm", "encoder.layer.{}.output.LayerNorm"},
    {"cls", "pooler.dense"},
    {"cls.output", "classifier"},
};

void configure_bert(const GgufKeys& keys, const GgufHeads&, Json* config) {
  Json& c = *config;
  const bool is_classifier = keys.has_tensor("cls.output.weight");
  c["architectures"] = Json::array({is_classifier ? "BertForSequenceClassification" : "BertModel"});
  c["model_type"] = "bert";
  c["hidden_act"] = "gelu";
  c["layer_norm_eps"] = keys.number("attention.layer_norm_epsilon");
  c["position_embedding_type"] = "absolute";
  c["type_vocab_size"] = keys.metadata().whole("tokenizer.ggml.token_type_count", 2);
  if (keys.whole("attention.causal", 0) != 0) keys.refuse("attention.causal", "false");
  const std::vector<std::string>& labels = keys.metadata().texts(keys.full("classifier.output_labels"));
  for (size_t i = 0; i < labels.size(); ++i) c["id2label"][std::to_string(i)] = labels[i];
}

const std::vector<GgufArchitecture>& all_architectures() {
  static const std::vector<GgufArchitecture> kAll = {
      {"llama", {kDecoder, kMixtralExperts}, true, configure_llama},
      {"qwen2", {kDecoder}, false, configure_qwen2},
      {"bert", {kBert}, false, configure_bert},
  };
  return kAll;
}

}  // namespace

// ---------------------------------------------------------------- keys

GgufKeys::GgufKeys(const GgufMetadata& metadata, std::string architecture, std::vector<std::string> tensors)
    : metadata_(metadata), architecture_(std::move(architecture)), tensors_(std::move(tensors)) {
  std::sort(tensors_.begin(), tensors_.end());
}

bool GgufKeys::has_tensor(const std::string& name) const { return std::binary_search(tensors_.begin(), tensors_.end(), name); }

uint32_t GgufKeys::count(const std::string& key) const {
  const GgufMetadata::Value* value = metadata_.find(full(key));
  if (!value) refuse(key, "a whole number, but it is absent");
  int64_t found = 0;
  if (const auto* list = std::get_if<std::vector<int64_t>>(value)) {
    if (list->empty()) refuse(key, "a number for each layer");
    found = list->front();
    for (int64_t other : *list)
      if (other != found) refuse(key, "the same number for every layer");
  } else {
    found = metadata_.whole(full(key), 0);
  }
  if (found < 1 || found > INT32_MAX) refuse(key, "a whole number from 1 to 2147483647");
  return static_cast<uint32_t>(found);
}

uint32_t GgufKeys::count(const std::string& key, uint32_t fallback) const {
  const GgufMetadata::Value* value = metadata_.find(full(key));
  const auto* whole = value ? std::get_if<int64_t>(value) : nullptr;
  // Writers say 0 where they mean that there is none.
  return !value || (whole && *whole == 0) ? fallback : count(key);
}

double GgufKeys::number(const std::string& key) const {
  if (!has(key)) refuse(key, "a number, but it is absent");
  const double value = metadata_.number(full(key), 0);
  if (!std::isfinite(value)) refuse(key, "a finite number");
  return value;
}

double GgufKeys::number(const std::string& key, double fallback) const { return has(key) ? number(key) : fallback; }

void GgufKeys::refuse(const std::string& key, const std::string& expected) const {
  throw Error(fmt::format("GGUF key '{}': expected {}", full(key), expected));
}

// ---------------------------------------------------------------- the whole

const GgufArchitecture& gguf_architecture(const std::string& name) {
  for (const GgufArchitecture& architecture : all_architectures())
    if (name == architecture.name) return architecture;
  throw Error(fmt::format("GGUF architecture {} is not supported", name));
}

GgufHeads gguf_heads(const GgufKeys& keys, const GgufArchitecture& architecture) {
  GgufHeads heads;
  heads.layers = keys.count("block_count");
  heads.experts = keys.count("expert_count", 0);
  if (heads.experts > kMaxExperts) keys.refuse("expert_count", fmt::format("no more than {}", kMaxExperts));
  heads.heads = keys.count("attention.head_count");
  heads.kv_heads = keys.count("attention.head_count_kv", heads.heads);
  const uint32_t hidden = keys.count("embedding_length");
  if (!keys.has("attention.key_length") && hidden % heads.heads != 0)
    keys.refuse("embedding_length", "a multiple of attention.head_count where attention.key_length is absent");
  heads.key_width = keys.count("attention.key_length", hidden / heads.heads);
  heads.value_width = keys.count("attention.value_length", hidden / heads.heads);
  heads.paired = architecture.paired;
  if (heads.paired && heads.key_width % 2 != 0) keys.refuse("attention.key_length", "an even number of channels in a head");
  return heads;
}

Json gguf_config(const GgufKeys& keys, const GgufHeads& heads, const GgufArchitecture& architecture) {
  Json config = Json::object();
  config["hidden_size"] = keys.count("embedding_length");
  config["num_hidden_layers"] = heads.layers;
  config["num_attention_heads"] = heads.heads;
  config["intermediate_size"] = keys.count("feed_forward_length");
  config["max_position_embeddings"] = keys.count("context_length");
  const size_t tokens = keys.metadata().texts("tokenizer.ggml.tokens").size();
  if (keys.has("vocab_size"))
    config["vocab_size"] = keys.count("vocab_size");
  else if (tokens > 0)
    config["vocab_size"] = tokens;
  add_token_ids(keys.metadata(), &config);
  architecture.configure(keys, heads, &config);
  return config;
}

Json gguf_pooling_file(const GgufKeys& keys, const std::string& relative) {
  enum Pooling : int64_t { kNone, kMean, kFirst, kLast, kRank };
  const int64_t pooling = keys.whole("pooling_type", kNone);
  if (pooling < kNone || pooling > kRank) keys.refuse("pooling_type", "0 to 4");
  if (pooling == kNone || pooling == kRank) return nullptr;
  if (relative == "modules.json")
    return Json::array({{{"path", ""}, {"type", "sentence_transformers.models.Transformer"}},
                        {{"path", "1_Pooling"}, {"type", "sentence_transformers.models.Pooling"}}});
  if (relative == "1_Pooling/config.json") return {{"pooling_mode", pooling == kMean ? "mean" : pooling == kFirst ? "cls" : "lasttoken"}};
  return nullptr;
}

}  // namespace linnet::convert
