// Templates of real models and in the style of real families, with the texts that the reference rendered.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <vector>

#include "text/chat/rendered.h"

using namespace linnet;
using namespace linnet::tests;

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

const fs::path kShared = fs::path(LINNET_SOURCE_DIR) / "../shared";

std::string read(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::string token(const Json& all, const char* key) { return all[key].is_string() ? all[key].get<std::string>() : std::string(); }

std::string dumped(const Json& all, const char* key) { return all.contains(key) ? all.at(key).dump() : std::string(); }

struct Outcome {
  bool ok;
  std::string text;
};

Outcome render(const ChatTemplate& chat, const Json& question, const std::string& variables) {
  static const DateTime time{2025, 1, 15, 12, 0, 0};
  const std::string messages = dumped(question, "messages"), tools = dumped(question, "tools");
  ChatRequest request;
  request.messages_json = messages;
  request.tools_json = tools;
  request.variables_json = variables;
  request.add_generation_prompt = question.value("add_generation_prompt", false);
  request.time = &time;
  ChatText text;
  const Status status = chat.render(request, &text);
  return {status.ok(), status.ok() ? std::string(text.text()) : std::string(status.message())};
}

ChatTemplate compiled(const std::string& source, const std::string& bos, const std::string& eos) {
  std::vector<ChatToken> tokens;
  if (!bos.empty()) tokens.push_back({"bos_token", bos});
  if (!eos.empty()) tokens.push_back({"eos_token", eos});
  Result<ChatTemplate> chat = ChatTemplate::compile(source, tokens);
  REQUIRE_MESSAGE(chat.ok(), chat.status().message());
  return std::move(*chat);
}

}  // namespace

TEST_CASE("templates in the style of model families render as the reference does") {
  const fs::path folder = kShared / "goldens/chat_templates";
  if (!fs::exists(folder)) {
    MESSAGE("skipped: ../shared/goldens/chat_templates is not there");
    return;
  }
  size_t cases = 0;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() != ".json") continue;
    const Json all = Json::parse(read(entry.path()));
    const ChatTemplate chat = compiled(all["template"], token(all, "bos_token"), token(all, "eos_token"));
    for (const Json& question : all["cases"]) {
      CAPTURE(entry.path().string());
      CAPTURE(question.dump());
      const Outcome outcome = render(chat, question, dumped(question, "extra"));
      ++cases;
      CHECK(outcome.ok != question.value("error", false));
      if (outcome.ok) CHECK(outcome.text == question["rendered"].get<std::string>());
    }
  }
  CHECK(cases > 400);
}

TEST_CASE("published templates render as the reference does") {
  const fs::path folder = kShared / "models/chat-templates";
  if (!fs::exists(folder)) {
    MESSAGE("skipped: ../shared/models/chat-templates is not there");
    return;
  }
  const Json all = Json::parse(read(folder / "expected.json"));
  size_t cases = 0;
  for (const auto& [name, expected] : all["expected"].items()) {
    const ChatTemplate chat = compiled(read(folder / (name + ".jinja")), "<BOS>", "<EOS>");
    for (const Json& want : expected) {
      const auto question =
          std::find_if(all["cases"].begin(), all["cases"].end(), [&](const Json& c) { return c["name"] == want["case"]; });
      REQUIRE(question != all["cases"].end());
      CAPTURE(name);
      const Outcome outcome = render(chat, *question, R"({"date_string": "15 Jan 2025"})");
      ++cases;
      CHECK(outcome.ok == want.contains("output"));
      if (outcome.ok) CHECK(outcome.text == want["output"].get<std::string>());
    }
  }
  CHECK(cases == 42);
}

TEST_CASE("every truncation of published templates is refused or renders") {
  const fs::path folder = kShared / "models/chat-templates";
  if (!fs::exists(folder)) {
    MESSAGE("skipped: ../shared/models/chat-templates is not there");
    return;
  }
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() != ".jinja") continue;
    const std::string source = read(entry.path());
    for (size_t length = 0; length < source.size(); ++length) CHECK(rendered(std::string_view(source).substr(0, length)).size() < 20000);
  }
}
