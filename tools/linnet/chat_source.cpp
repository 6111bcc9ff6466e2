#include "chat_source.h"

#include <fmt/format.h>

#include <filesystem>

#include "convert/readers/file.h"
#include "convert/text/chat_templates.h"
#include "convert/text/draft_tokenizer.h"
#include "convert/text/tokenizer_config.h"
#include "convert/text/tokenizer_reader.h"

namespace linnet::tool {

namespace {

namespace fs = std::filesystem;

using convert::ChatFiles;
using convert::Error;
using convert::Json;
using convert::TokenizerDraft;

bool ends_with(const std::string& text, const std::string& end) {
  return text.size() > end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

template <class T>
T take(Result<T> result, const std::string& source) {
  if (!result.ok()) throw Error(fmt::format("{}: {}", source, result.status().message()));
  return std::move(*result);
}

ChatSource from_model(const std::string& source, const std::string& name) {
  const Model model = take(Model::open(source.c_str()), source);
  ChatSource opened{take(ChatTemplate::create(model, name), source), std::nullopt};
  if (Result<Tokenizer> tokenizer = Tokenizer::create(model); tokenizer.ok()) opened.tokenizer.emplace(std::move(*tokenizer));
  return opened;
}

ChatFiles from_json(const std::string& source) {
  const Json all = convert::parse_json(convert::read_text(source), source);
  ChatFiles files;
  if (!all.is_object() || !all.contains("template") || !all["template"].is_string())
    throw Error(source + ": expected an object with \"template\"");
  files.templates.emplace_back("", all["template"].get<std::string>());
  for (const auto& [key, value] : all.items())
    if (ends_with(key, "_token")) {
      const std::string text = convert::special_text(all, key.c_str(), "");
      if (!text.empty()) files.tokens.emplace_back(key, text);
    }
  return files;
}

ChatFiles read_files(const std::string& source) {
  if (fs::is_regular_file(source) && ends_with(source, ".json")) return from_json(source);
  if (fs::is_regular_file(source) && ends_with(source, ".jinja")) return {{{"", convert::read_text(source)}}, {}};
  if (!fs::exists(source)) throw Error(source + ": there is no such file or folder");
  return convert::read_chat_files(source);
}

std::optional<Tokenizer> open_tokenizer(const std::string& source) {
  if (fs::is_regular_file(source) && !ends_with(source, ".gguf")) return std::nullopt;
  const std::optional<TokenizerDraft> draft = convert::read_tokenizer(source);
  return draft ? std::optional<Tokenizer>(convert::open_draft(*draft)) : std::nullopt;
}

}  // namespace

ChatSource open_chat(const std::string& source, const std::string& name, bool needs_tokenizer) {
  std::optional<ChatSource> opened;
  if (ends_with(source, ".linnet")) {
    opened.emplace(from_model(source, name));
  } else {
    const ChatFiles files = read_files(source);
    std::vector<ChatToken> tokens;
    for (const auto& [token, text] : files.tokens) tokens.push_back({token, text});
    for (const auto& [title, text] : files.templates)
      if (title == name) opened.emplace(ChatSource{take(ChatTemplate::compile(text, tokens), source), std::nullopt});
    if (!opened) throw Error(fmt::format("{}: there is no chat template{}", source, name.empty() ? "" : " '" + name + "'"));
    try {
      opened->tokenizer = open_tokenizer(source);
    } catch (const Error&) {
      if (needs_tokenizer) throw;
    }
  }
  if (needs_tokenizer && !opened->tokenizer) throw Error(source + ": there is no tokenizer, so there are no ids");
  return std::move(*opened);
}

}  // namespace linnet::tool
