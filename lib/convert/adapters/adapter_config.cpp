#include "convert/adapters/adapter_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace linnet::convert {

namespace {

// Keys without effect on the result, whatever they say; and those that are read below. The tensors of the file, not the rules that chose
// them in training, say which modules are adapted.
constexpr const char* kKnown[] = {"peft_type",
                                  "peft_version",
                                  "task_type",
                                  "inference_mode",
                                  "revision",
                                  "base_model_name_or_path",
                                  "auto_mapping",
                                  "runtime_config",
                                  "lora_dropout",
                                  "init_lora_weights",
                                  "eva_config",
                                  "corda_config",
                                  "lora_ga_config",
                                  "megatron_core",
                                  "qalora_group_size",
                                  "target_modules",
                                  "exclude_modules",
                                  "layers_to_transform",
                                  "layers_pattern",
                                  "modules_to_save",
                                  "bias",
                                  "r",
                                  "lora_alpha",
                                  "use_rslora",
                                  "rank_pattern",
                                  "alpha_pattern",
                                  "fan_in_fan_out",
                                  "lora_bias"};

struct Refused {
  const char* key;
  const char* why;
};
constexpr Refused kRefused[] = {
    {"use_dora", "DoRA renormalizes every row of the weights"},
    {"loftq_config", "LoftQ changes the base's weights together with the adapter"},
    {"layer_replication", "the adapter repeats layers of the base"},
    {"trainable_token_indices", "single rows of the embedding were trained"},
    {"target_parameters", "adapters on stacked expert tensors are not supported"},
    {"alora_invocation_tokens", "the adapter is switched on by tokens of the text"},
    {"megatron_config", "the layers were sharded by Megatron"},
    {"use_qalora", "QALoRA pools the inputs of its pairs"},
    {"ensure_weight_tying", "the head follows what was trained beside the embedding"},
    {"arrow_config", "Arrow mixes several adapters"},
};

// null, false, "", 0, [] and {} switch nothing on.
bool says_nothing(const Json& value) {
  if (value.is_null() || value == false) return true;
  if (value.is_number()) return value == 0;
  if (value.is_string()) return value.get<std::string>().empty();
  return value.is_structured() && value.empty();
}

void check_initialization(const Config& config) {
  if (!config.has("init_lora_weights")) return;
  const Json& value = config.json().at("init_lora_weights");
  if (value.is_boolean()) return;
  if (value.is_string())
    for (const char* harmless : {"gaussian", "eva", "orthogonal"})
      if (value == harmless) return;
  config.refuse("init_lora_weights", "true, false, \"gaussian\" or \"eva\" (others change the base's weights together with the adapter)");
}

void check_keys(const Config& config) {
  for (const auto& [key, value] : config.json().items()) {
    if (says_nothing(value)) continue;
    const std::string name = key;
    const auto refused = std::find_if(std::begin(kRefused), std::end(kRefused), [&](const Refused& entry) { return name == entry.key; });
    if (refused != std::end(kRefused)) config.refuse(name, fmt::format("nothing there ({})", refused->why));
    if (std::find(std::begin(kKnown), std::end(kKnown), name) == std::end(kKnown))
      config.refuse(name, "nothing there (the key is not known)");
  }
}

void check_bias(const Config& config) {
  const std::string bias = config.text("bias", "none");
  if (bias != "none" && bias != "all" && bias != "lora_only") config.refuse("bias", "\"none\", \"all\" or \"lora_only\"");
}

}  // namespace

AdapterConfig::AdapterConfig(const Config& config)
    : rank_(config.count("r", 8)),
      alpha_(config.number("lora_alpha", 8)),
      rank_stabilized_(config.flag("use_rslora", false)),
      lora_bias_(config.flag("lora_bias", false)),
      fan_in_fan_out_(config.flag("fan_in_fan_out", false)) {
  if (config.text("peft_type", "") != "LORA") config.refuse("peft_type", "\"LORA\"");
  check_keys(config);
  check_initialization(config);
  check_bias(config);
  ranks_ = choices(config, "rank_pattern", true);
  alphas_ = choices(config, "alpha_pattern", false);
}

std::vector<AdapterConfig::Choice> AdapterConfig::choices(const Config& config, const std::string& key, bool whole) {
  const Config table = config.object(key);
  std::vector<Choice> all;
  for (const auto& [pattern, value] : table.json().items())
    all.push_back({Pattern(pattern), whole ? table.count(pattern) : table.number(pattern)});
  return all;
}

double AdapterConfig::choose(const std::vector<Choice>& choices, const std::string& path, double otherwise) {
  for (const Choice& choice : choices)
    if (matches_end(choice.key, path)) return choice.value;
  return otherwise;
}

double AdapterConfig::scale(const std::string& path, uint32_t rank) const {
  const double expected = choose(ranks_, path, rank_);
  if (expected != rank)
    throw Error(fmt::format("module {} has rank {} in the adapter's file, but its configuration says {}", path, rank, expected));
  const double alpha = choose(alphas_, path, alpha_);
  return rank_stabilized_ ? alpha / std::sqrt(rank) : alpha / rank;
}

}  // namespace linnet::convert
