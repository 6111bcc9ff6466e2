#include "convert/sentence_modules.h"

#include <fmt/format.h>

namespace linnet::convert {

namespace {

using schema::PoolKind;

struct Mode {
  const char* flag;  // older files: one flag for each
  const char* name;  // newer files: "pooling_mode": name
  PoolKind kind;
};
// In the order in which several are put side by side.
constexpr Mode kModes[] = {{"pooling_mode_cls_token", "cls", PoolKind::first},
                           {"pooling_mode_max_tokens", "max", PoolKind::max},
                           {"pooling_mode_mean_tokens", "mean", PoolKind::mean},
                           {"pooling_mode_mean_sqrt_len_tokens", "mean_sqrt_len_tokens", PoolKind::mean_sqrt},
                           {"pooling_mode_lasttoken", "lasttoken", PoolKind::last}};

bool named(const Config& config, const std::string& name) {
  const Json& mode = config.json().at("pooling_mode");
  if (mode.is_string()) return mode == name;
  if (!mode.is_array()) config.refuse("pooling_mode", "a text or a list of texts");
  for (const Json& item : mode)
    if (item == name) return true;
  return false;
}

// Refuses every mode that kModes does not have, so that none is silently left out.
void refuse_unknown_modes(const Config& config) {
  size_t known = 0, wanted = 0;
  for (const Mode& mode : kModes) known += config.has("pooling_mode") && named(config, mode.name);
  if (config.has("pooling_mode")) {
    wanted = config.json().at("pooling_mode").is_array() ? config.json().at("pooling_mode").size() : 1;
    if (known != wanted) config.refuse("pooling_mode", "cls, max, mean, mean_sqrt_len_tokens or lasttoken");
    return;
  }
  for (const auto& [key, value] : config.json().items()) {
    bool is_known = key.rfind("pooling_mode_", 0) != 0;
    for (const Mode& mode : kModes) is_known = is_known || key == mode.flag;
    if (!is_known && value == true) config.refuse(key, "false (this way of pooling is not supported)");
  }
}

Value pooling(Graph& g, Value x, const Config& config) {
  refuse_unknown_modes(config);
  config.require("include_prompt", true, "prompts cannot be left out of the pooling");
  std::vector<Value> pooled;
  for (const Mode& mode : kModes)
    if (config.has("pooling_mode") ? named(config, mode.name) : config.flag(mode.flag, false)) pooled.push_back(g.pool(x, mode.kind));
  if (pooled.empty()) config.refuse("pooling_mode", "at least one way of pooling");
  return g.concat(pooled);
}

Value dense(Graph& g, Value x, const Config& config, const std::string& path) {
  std::unique_ptr<Checkpoint> tensors = g.checkpoint().subfolder(path);
  if (!tensors) throw Error(fmt::format("{}: the dense module's folder {} has no weights", g.checkpoint().path(), path));
  g.attach(path + "/", std::move(tensors));
  config.require("module_input_name", "sentence_embedding", "only what was pooled goes through a dense module");
  config.require("module_output_name", "sentence_embedding", "only what was pooled goes through a dense module");
  std::string function = config.text("activation_function", "torch.nn.modules.activation.Tanh");
  function = function.substr(function.rfind('.') + 1);
  x = g.linear(x, path + "/linear", {.bias = config.flag("bias", true)});
  if (function == "Identity") return x;
  if (function == "Tanh") return g.unary(x, schema::Function::tanh);
  if (function == "ReLU") return g.unary(x, schema::Function::relu);
  if (function == "GELU") return g.unary(x, schema::Function::gelu);
  if (function == "SiLU") return g.unary(x, schema::Function::silu);
  if (function == "Sigmoid") return g.unary(x, schema::Function::sigmoid);
  config.refuse("activation_function", "Identity, Tanh, ReLU, GELU, SiLU or Sigmoid");
}

// Prompts that are empty change nothing; the default one must be among those that are listed.
void read_prompts(Graph& g) {
  const char* file = "config_sentence_transformers.json";
  const Config config(g.checkpoint().file(file), file);
  const std::string chosen = config.text("default_prompt_name", "");
  std::vector<std::pair<std::string, std::string>> prompts;
  const Config listed = config.object("prompts");
  for (const auto& [name, text] : listed.json().items())
    if (!text.is_null()) prompts.emplace_back(name, listed.text(name, ""));
  if (!chosen.empty() && !listed.has(chosen)) config.refuse("default_prompt_name", "the name of one of the prompts");
  g.prompts(std::move(prompts), chosen);
}

}  // namespace

bool sentence_modules(Graph& g, Value hidden) {
  const Json modules = g.checkpoint().file("modules.json");
  if (modules.is_null()) return false;
  if (!modules.is_array()) throw Error("modules.json is not a list");
  bool is_pooled = false;
  Value x = hidden;  // tokens x hidden, then sequences x columns
  for (const Json& entry : modules) {
    Config module(entry, "modules.json");
    const std::string type = module.text("type", ""), path = module.text("path", "");
    const std::string kind = type.substr(type.rfind('.') + 1);
    const Config config(path.empty() ? Json() : g.checkpoint().file(path + "/config.json"), path + "/config.json");
    if (kind == "Transformer") continue;
    if (kind == "Pooling" && !is_pooled)
      x = pooling(g, x, config);
    else if (kind == "Dense" && is_pooled)
      x = dense(g, x, config, path);
    else if (kind == "Normalize" && is_pooled)
      x = g.norm(x, {.kind = schema::NormKind::l2, .epsilon = 1e-12f});
    else if (kind == "Dropout")
      continue;
    else
      throw Error(fmt::format("modules.json: the module \"{}\" is not supported at its place", type));
    is_pooled = true;
  }
  if (!is_pooled) throw Error("modules.json has no pooling module");
  g.output(schema::Role::embedding, "sentence_embedding", x);
  g.task(schema::Task::sentence_embedding);
  read_prompts(g);
  g.ignore("cls.*");
  return true;
}

}  // namespace linnet::convert
