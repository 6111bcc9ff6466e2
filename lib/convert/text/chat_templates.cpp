#include "convert/text/chat_templates.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "convert/readers/file.h"
#include "convert/readers/gguf_metadata.h"
#include "convert/text/tokenizer_config.h"
#include "linnet/chat.h"

namespace linnet::convert {

namespace {

namespace fs = std::filesystem;

constexpr const char* kTokens[] = {"bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"};

ChatFiles from_gguf(const GgufMetadata& metadata) {
  const std::string key = "tokenizer.chat_template";
  ChatFiles files;
  for (const auto& [name, value] : metadata.values()) {
    if (name != key && name.rfind(key + ".", 0) != 0) continue;
    files.templates.emplace_back(name == key ? "" : name.substr(key.size() + 1), metadata.text(name, ""));
  }
  constexpr const char* kIds[] = {"bos", "eos", "unknown", "seperator", "padding", "cls", "mask"};
  const std::vector<std::string>& pieces = metadata.texts("tokenizer.ggml.tokens");
  for (size_t i = 0; i < std::size(kIds); ++i) {
    const int64_t id = metadata.whole(fmt::format("tokenizer.ggml.{}_token_id", kIds[i]), -1);
    if (id >= 0 && static_cast<size_t>(id) < pieces.size()) files.tokens.emplace_back(kTokens[i], pieces[static_cast<size_t>(id)]);
  }
  return files;
}

void replace(NamedTexts* templates, const std::string& name, const std::string& text) {
  const auto same = [&](const auto& entry) { return entry.first == name; };
  templates->erase(std::remove_if(templates->begin(), templates->end(), same), templates->end());
  templates->insert(name.empty() ? templates->begin() : templates->end(), {name, text});
}

NamedTexts templates_of(const Json& config) {
  NamedTexts templates;
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

Json read_if_there(const fs::path& path) { return fs::exists(path) ? parse_json(read_text(path.string()), path.string()) : Json(); }

ChatFiles from_folder(const fs::path& folder) {
  ChatFiles files;
  const Json config = read_if_there(folder / "tokenizer_config.json"), map = read_if_there(folder / "special_tokens_map.json");
  files.templates = templates_of(config);
  for (const char* name : kTokens) {
    const std::string text = special_text(config, name, special_text(map, name, ""));
    if (!text.empty()) files.tokens.emplace_back(name, text);
  }
  // Files of their own are the newer way to write them.
  if (fs::exists(folder / "chat_template.jinja")) replace(&files.templates, "", read_text((folder / "chat_template.jinja").string()));
  const fs::path more = folder / "additional_chat_templates";
  if (!fs::is_directory(more)) return files;
  std::vector<fs::path> paths;
  for (const auto& entry : fs::directory_iterator(more))
    if (entry.path().extension() == ".jinja") paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  for (const fs::path& path : paths) replace(&files.templates, path.stem().string(), read_text(path.string()));
  return files;
}

}  // namespace

ChatFiles read_chat_files(const Checkpoint& checkpoint) {
  const GgufMetadata* metadata = checkpoint.gguf();
  return metadata ? from_gguf(*metadata) : from_folder(checkpoint.path());
}

ChatFiles read_chat_files(const std::string& path) {
  if (fs::is_regular_file(path)) return from_gguf(*read_gguf_metadata(path));
  const fs::path wrapped = fs::path(path) / "model.gguf";
  if (!fs::exists(fs::path(path) / "config.json") && fs::is_regular_file(wrapped)) return from_gguf(*read_gguf_metadata(wrapped.string()));
  return from_folder(path);
}

void check_chat_templates(const NamedTexts& templates) {
  for (const auto& [name, text] : templates) {
    const Result<ChatTemplate> compiled = ChatTemplate::compile(text);
    if (!compiled.ok())
      throw Error(fmt::format("the chat template{} cannot be used ({}); --no-chat-template converts without it",
                              name.empty() ? "" : " '" + name + "'", compiled.status().message()));
  }
}

}  // namespace linnet::convert
