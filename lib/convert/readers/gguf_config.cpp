#include "convert/readers/gguf_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace linnet::convert {
namespace {

// ---------------------------------------------------------------- keys that architectures share

constexpr uint32_t kMaxExperts = 4096;  // each becomes tensors of its own

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

const std::vector<GgufArchitecture>& encoders() {
  static const std::vector<GgufArchitecture> kAll = {
      {"bert", {{kBert}}, false, configure_bert},
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
  for (std::span<const GgufArchitecture> group : {gguf_decoders(), gguf_mixtures(), std::span<const GgufArchitecture>(encoders())})
    for (const GgufArchitecture& architecture : group)
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
