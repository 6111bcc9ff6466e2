#include "convert/text/chat_templates.h"

#include <algorithm>
#include <filesystem>

#include "convert/readers/file.h"
#include "convert/readers/gguf_metadata.h"

namespace linnet::convert {

namespace {

using Templates = std::vector<std::pair<std::string, std::string>>;

Templates from_gguf(const GgufMetadata& metadata) {
  const std::string key = "tokenizer.chat_template";
  Templates templates;
  for (const auto& [name, value] : metadata.values()) {
    if (name != key && name.rfind(key + ".", 0) != 0) continue;
    templates.emplace_back(name == key ? "" : name.substr(key.size() + 1), metadata.text(name, ""));
  }
  return templates;
}

Templates from_config(const Json& config) {
  Templates templates;
  if (!config.is_object() || !config.contains("chat_template")) return templates;
  const Json& node = config.at("chat_template");
  if (node.is_string()) templates.emplace_back("", node.get<std::string>());
  if (!node.is_array()) return templates;
  for (const Json& item : node) {
    if (!item.is_object() || !item.contains("name") || !item.contains("template") || !item["name"].is_string() ||
        !item["template"].is_string())
      throw Error("tokenizer_config.json: an entry of chat_template is not a name and a template");
    const std::string name = item["name"].get<std::string>();
    templates.emplace_back(name == "default" ? "" : name, item["template"].get<std::string>());
  }
  return templates;
}

}  // namespace

std::vector<std::pair<std::string, std::string>> read_chat_templates(const Checkpoint& checkpoint) {
  if (const GgufMetadata* metadata = checkpoint.gguf()) return from_gguf(*metadata);
  Templates templates = from_config(checkpoint.file("tokenizer_config.json"));
  const std::filesystem::path file = std::filesystem::path(checkpoint.path()) / "chat_template.jinja";
  if (!std::filesystem::exists(file)) return templates;
  // The file of its own is the newer way to write the usual one.
  templates.erase(std::remove_if(templates.begin(), templates.end(), [](const auto& t) { return t.first.empty(); }), templates.end());
  templates.insert(templates.begin(), {"", read_text(file.string())});
  return templates;
}

}  // namespace linnet::convert
