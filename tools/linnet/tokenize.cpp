#include <fmt/core.h>

#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>

#include "command.h"
#include "convert/text/tokenize_jsonl.h"

namespace linnet::tool {
namespace {

using Json = nlohmann::ordered_json;

struct Arguments {
  std::string source, text;
  bool jsonl = false, plain = false;
};

Json ask(const std::string& source, const Json& question) {
  std::istringstream in(question.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
  std::ostringstream out;
  convert::tokenize_jsonl(source, in, out);
  return Json::parse(out.str());
}

void run(const Arguments& arguments) {
  if (arguments.jsonl) {
    convert::tokenize_jsonl(arguments.source, std::cin, std::cout);
    return;
  }
  std::string text = arguments.text.empty() ? read_file("-") : arguments.text;
  Json ids = ask(arguments.source, {{"text", text}, {"special", !arguments.plain}}).at("ids");
  for (const Json& id : ids) {
    Json piece = ask(arguments.source, {{"ids", Json::array({id})}}).at("text");
    fmt::print("{:>8}  {}\n", id.get<int32_t>(), piece.dump(-1, ' ', false, Json::error_handler_t::replace));
  }
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
