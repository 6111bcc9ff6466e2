#include <fmt/core.h>

#include <cstdio>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>

#include "chat_source.h"
#include "command.h"
#include "variables.h"

namespace linnet::tool {
namespace {

using Json = nlohmann::ordered_json;

struct Arguments {
  std::string source, name, messages = "-", tools, documents, time;
  std::vector<std::string> variables;
  std::optional<std::string> system, user;
  bool jsonl = false, json = false, ids = false, no_generation_prompt = false;
};

// What a request looks into: texts of JSON, "" for what was not given.
struct Texts {
  std::string messages, tools, documents, variables;
  bool add_generation_prompt = true;
};

std::string dump(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

DateTime parse_time(const std::string& text) {
  DateTime time;
  const int count = std::sscanf(text.c_str(), "%4d-%2d-%2d%*1[T ]%2d:%2d:%2d", &time.year, &time.month, &time.day, &time.hour, &time.minute,
                                &time.second);
  if (count < 3) throw Failure("--time: '" + text + "' is not a time; write 2025-01-31 or 2025-01-31T12:00");
  return time;
}

class Renderer {
 public:
  explicit Renderer(const Arguments& arguments, bool needs_tokenizer)
      : source_(open_chat(arguments.source, arguments.name, needs_tokenizer)) {
    if (!arguments.time.empty()) time_ = parse_time(arguments.time);
  }

  Status render(const Texts& texts) {
    ChatRequest request;
    request.messages_json = texts.messages;
    request.tools_json = texts.tools;
    request.documents_json = texts.documents;
    request.variables_json = texts.variables;
    request.add_generation_prompt = texts.add_generation_prompt;
    request.time = time_ ? &*time_ : nullptr;
    return source_.chat.render(request, &text_);
  }
  const ChatText& text() const { return text_; }
  bool has_tokenizer() const { return source_.tokenizer.has_value(); }
  std::vector<int32_t> ids() const {
    Ids ids;
    check(source_.tokenizer->encode_chat(text_.text(), text_.spans(), &ids));
    return {ids.begin(), ids.end()};
  }
  std::string piece(int32_t id) const {
    Text text;
    check(source_.tokenizer->decode(std::span(&id, 1), false, &text));
    return std::string(view(text));
  }

 private:
  ChatSource source_;
  std::optional<DateTime> time_;
  ChatText text_;
};

Json answer(const Renderer& renderer, bool with_ids) {
  Json all = {{"text", std::string(renderer.text().text())}};
  if (with_ids) all["ids"] = renderer.ids();
  return all;
}

void answer_lines(const Arguments& arguments) {
  Renderer renderer(arguments, arguments.ids);
  std::string line;
  for (size_t number = 1; std::getline(std::cin, line); ++number) {
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    Texts texts;
    try {
      const Json question = Json::parse(line);
      const auto part = [&](const char* key) { return question.contains(key) ? dump(question.at(key)) : std::string(); };
      texts = {dump(question.at("messages")), part("tools"), part("documents"), part("extra"),
               question.value("add_generation_prompt", false)};
    } catch (const Json::exception& error) {
      throw Failure(fmt::format("line {}: expected an object with \"messages\" ({})", number, error.what()));
    }
    const Status rendered = renderer.render(texts);
    const Json all = rendered.ok() ? answer(renderer, arguments.ids) : Json{{"error", rendered.message()}};
    // ASCII only: characters that end lines elsewhere would break up the answer.
    std::cout << all.dump(-1, ' ', true, Json::error_handler_t::replace) << '\n';
  }
}

std::string read_messages(const Arguments& arguments) {
  if (!arguments.user && !arguments.system) return read_file(arguments.messages);
  Json messages = Json::array();
  if (arguments.system) messages.push_back({{"role", "system"}, {"content", *arguments.system}});
  if (arguments.user) messages.push_back({{"role", "user"}, {"content", *arguments.user}});
  return dump(messages);
}

// What came from the conversation stands in brackets: nothing in them becomes a special token.
void print_text(const ChatText& text) {
  for (const TextSpan& span : text.spans()) {
    const std::string part(text.text().substr(span.begin, span.end - span.begin));
    fmt::print("{}", span.data ? "\u27E6" + part + "\u27E7" : part);
  }
  fmt::print("\n");
}

void preview(const Arguments& arguments) {
  Renderer renderer(arguments, arguments.ids);
  Texts texts{read_messages(arguments), arguments.tools.empty() ? "" : read_file(arguments.tools),
              arguments.documents.empty() ? "" : read_file(arguments.documents), variables_json(arguments.variables),
              !arguments.no_generation_prompt};
  check(renderer.render(texts));
  if (arguments.json) {
    Json all = answer(renderer, renderer.has_tokenizer());
    for (const TextSpan& span : renderer.text().spans())
      all["spans"].push_back({{"begin", span.begin}, {"end", span.end}, {"data", span.data}});
    fmt::print("{}\n", dump(all));
    return;
  }
  if (arguments.ids) {
    std::string separator;
    for (int32_t id : renderer.ids()) fmt::print("{}{}", std::exchange(separator, ","), id);
    fmt::print("\n");
    return;
  }
  print_text(renderer.text());
  if (!renderer.has_tokenizer()) return;
  const std::vector<int32_t> ids = renderer.ids();
  fmt::print("\n{} tokens\n", ids.size());
  for (int32_t id : ids) fmt::print("{:>8}  {}\n", id, dump(Json(renderer.piece(id))));
}

void run(const Arguments& arguments) { arguments.jsonl ? answer_lines(arguments) : preview(arguments); }

}  // namespace

void add_template(CLI::App& app) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand("template", "a conversation as the model's chat template writes it, and its token ids");
  command->add_option("SRC", arguments->source, "a .linnet file, a folder with tokenizer files, a .gguf, .jinja or .json file")->required();
  CLI::Option* messages =
      command->add_option("--messages", arguments->messages, "file with a JSON list of messages (default: standard input)");
  command->add_option("--system", arguments->system, "a system message, instead of --messages")->excludes(messages);
  command->add_option("--user", arguments->user, "a user's message, instead of --messages")->excludes(messages);
  command->add_option("--tools", arguments->tools, "file with a JSON list of tools");
  command->add_option("--documents", arguments->documents, "file with a JSON list of documents");
  command->add_option("--set", arguments->variables, "NAME=VALUE: a further variable, such as enable_thinking=false");
  command->add_option("--name", arguments->name, "which of several templates, such as tool_use");
  command->add_option("--time", arguments->time, "what the template takes for now: 2025-01-31 or 2025-01-31T12:00");
  command->add_flag("--no-generation-prompt", arguments->no_generation_prompt, "without the begin of an answer");
  command->add_flag("--ids", arguments->ids, "print the token ids alone");
  command->add_flag("--json", arguments->json, "text, spans and ids as JSON");
  command->add_flag("--jsonl", arguments->jsonl, "one JSON object a line in and out, as below");
  command->footer(
      "What came from the conversation is shown in \u27E6 \u27E7: nothing in there becomes a special token.\n"
      "{\"messages\": [...][, \"tools\": [...]][, \"documents\": [...]][, \"extra\": {...}][, \"add_generation_prompt\": true]}\n"
      "                                                                 -> {\"text\": T} or {\"error\": E}\n"
      "A .json file as SRC holds \"template\" and \"bos_token\", \"eos_token\", ...");
  command->callback([arguments] { run(*arguments); });
}

}  // namespace linnet::tool
