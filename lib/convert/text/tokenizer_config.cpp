#include "convert/text/tokenizer_config.h"

#include <fmt/format.h>

#include <algorithm>

#include "convert/text/tokenizer_json.h"

namespace linnet::convert {

std::string tokenizer_class(const Json& config) {
  std::string name = config.is_object() && config.contains("tokenizer_class") && config["tokenizer_class"].is_string()
                         ? config["tokenizer_class"].get<std::string>()
                         : "";
  return name.size() > 4 && name.substr(name.size() - 4) == "Fast" ? name.substr(0, name.size() - 4) : name;
}

bool setting(const Json& config, const char* key, bool fallback) {
  return config.is_object() && config.contains(key) && config[key].is_boolean() ? config[key].get<bool>() : fallback;
}

std::string special_text(const Json& config, const char* key, const std::string& fallback) {
  if (!config.is_object() || !config.contains(key)) return fallback;
  const Json& node = config[key];
  if (node.is_string()) return node.get<std::string>();
  return node.is_object() && node.contains("content") && node["content"].is_string() ? node["content"].get<std::string>() : fallback;
}

int32_t add_special_token(const std::string& content, bool lstrip, TokenizerDraft* draft) {
  int32_t id = content.empty() ? -1 : id_of(*draft, content);
  if (id < 0) return -1;
  if (std::any_of(draft->added.begin(), draft->added.end(), [&](const AddedDraft& token) { return token.content == content; })) return id;
  AddedDraft token;
  token.id = static_cast<uint32_t>(id);
  token.content = content;
  token.special = true;
  token.lstrip = lstrip;
  draft->added.push_back(token);
  draft->types[id] = TokenizerDraft::control;
  return id;
}

void add_listed_tokens(const Json& config, TokenizerDraft* draft) {
  if (!config.is_object() || !config.contains("added_tokens_decoder") || !config["added_tokens_decoder"].is_object()) return;
  for (const auto& [id, node] : config["added_tokens_decoder"].items()) {
    AddedDraft token;
    if (id.empty() || id.size() > 9 || id.find_first_not_of("0123456789") != id.npos || !node.is_object())
      throw Error(fmt::format("tokenizer_config.json: the added token {} is not an id with an object", id));
    token.id = static_cast<uint32_t>(std::stoul(id));
    token.content = special_text(node, "content", "");
    token.special = setting(node, "special", false);
    token.normalized = setting(node, "normalized", !token.special);
    token.lstrip = setting(node, "lstrip", false);
    token.rstrip = setting(node, "rstrip", false);
    token.single_word = setting(node, "single_word", false);
    if (token.content.empty()) continue;
    if (token.special && token.id < draft->types.size()) draft->types[token.id] = TokenizerDraft::control;
    draft->added.push_back(token);
  }
}

}  // namespace linnet::convert
