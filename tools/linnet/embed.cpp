#include <fmt/core.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "command.h"
#include "linnet/tasks.h"

namespace linnet::tool {
namespace {

struct Arguments {
  std::string model, file = "-", adapter, prompt;
  bool json = false;
  TaskOptions options;
  SessionOptions session;
};

void run(Arguments& arguments) {
  Model model = take(Model::open(arguments.model.c_str()));
  const LoadedAdapter adapter(model, arguments.adapter);
  arguments.options.adapter = adapter.get();
  arguments.options.threads = arguments.session.threads;
  arguments.options.batch_tokens = arguments.session.batch_tokens;
  arguments.options.isa = arguments.session.isa;
  arguments.options.prompt = arguments.prompt;
  Embedder embedder = take(Embedder::create(model, arguments.options), arguments.model);
  std::vector<std::string> lines = read_lines(arguments.file);
  std::vector<std::string_view> texts(lines.begin(), lines.end());
  Matrix vectors = take(embedder.embed(texts));
  for (size_t i = 0; i < vectors.rows; ++i) {
    auto row = vectors.row(i);
    if (arguments.json) {
      nlohmann::ordered_json line = {{"text", lines[i]}, {"embedding", std::vector<float>(row.begin(), row.end())}};
      fmt::print("{}\n", line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
    } else {
      for (size_t c = 0; c < row.size(); ++c) fmt::print("{}{:.6g}", c ? " " : "", row[c]);
      fmt::print("\n");
    }
  }
}

}  // namespace

void add_embed(CLI::App& app) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand("embed", "a vector for each line of text");
  command->add_option("MODEL", arguments->model, ".linnet file")->required();
  command->add_option("FILE", arguments->file, "text file, a line a text; - or nothing: standard input");
  command->add_option("--adapter", arguments->adapter, "LoRA beside the model: a PEFT folder, or what convert made of one");
  command->add_option("--prompt", arguments->prompt, "name of the model's prompt that goes before each line (default: the model's own choice)");
  command->add_flag("--no-prompt", arguments->options.no_prompt, "lines as they are");
  command->add_option("--max-tokens", arguments->options.max_tokens, "truncate texts to this many tokens");
  command->add_flag("--json", arguments->json, "one object a line");
  arguments->session.add_to(*command, false);
  command->callback([arguments] { run(*arguments); });
}

}  // namespace linnet::tool
