#include <fmt/core.h>

#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>

#include "command.h"
#include "convert/text/tokenize_jsonl.h"

namespace linnet::tool {
namespace {

using Json = nlohmann::ordered_json;

struct Arguments {
  std::string source;
  std::optional<std::string> text;
  bool jsonl = false, plain = false;
};

// The answers, a line each.
std::vector<Json> ask(const std::string& source, const std::vector<Json>& questions) {
  std::string lines;
  for (const Json& question : questions) lines += question.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  std::istringstream in(lines);
  std::stringstream out;
  convert::tokenize_jsonl(source, in, out);
  std::vector<Json> answers;
  for (std::string line; std::getline(out, line);) answers.push_back(Json::parse(line));
  return answers;
}

void run(const Arguments& arguments) {
  if (arguments.jsonl) {
    convert::tokenize_jsonl(arguments.source, std::cin, std::cout);
    return;
  }
  const std::string text = arguments.text ? *arguments.text : read_file("-");
  const Json question = {{"text", text}, {"special", !arguments.plain}};
  const Json ids = ask(arguments.source, std::vector<Json>(1, question)).at(0).at("ids");
  std::vector<Json> questions;
  for (const Json& id : ids) questions.push_back({{"ids", Json::array({id})}});
  const std::vector<Json> answers = ask(arguments.source, questions);
  for (size_t i = 0; i < answers.size(); ++i)
    fmt::print("{:>8}  {}\n", ids[i].get<int32_t>(), answers[i].at("text").dump(-1, ' ', false, Json::error_handler_t::replace));
}

}  // namespace

void add_tokenize(CLI::App& app) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand("tokenize", "text to token ids and back");
  command->add_option("SRC", arguments->source, "folder with tokenizer files, a .gguf file, or a .linnet file")->required();
  command->add_option("TEXT", arguments->text, "the text (default: standard input)");
  command->add_flag("--plain", arguments->plain, "without the special tokens that the model adds");
  command->add_flag("--jsonl", arguments->jsonl, "one JSON object a line in and out, as below");
  command->footer(
      "{\"text\": T[, \"pair\": P][, \"special\": true]}                   -> {\"ids\": [...]}\n"
      "{\"ids\": [...][, \"skip_special\": true]}                         -> {\"text\": T}\n"
      "{\"ids\": [...], \"stream\": true[, \"skip_special\": true]}         -> {\"pieces\": [...]}");
  command->callback([arguments] { run(*arguments); });
}

}  // namespace linnet::tool
