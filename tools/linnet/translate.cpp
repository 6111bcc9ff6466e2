#include <fmt/core.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "command.h"
#include "linnet/tasks.h"

namespace linnet::tool {
namespace {

struct Arguments {
  std::string model, file, from, to, adapter, isa;
  std::vector<std::string> texts;
  uint32_t beams = 0, max_tokens = 0, threads = 0;
  bool json = false;
};

void run(const Arguments& arguments) {
  const Model model = take(Model::open(arguments.model.c_str()));
  const LoadedAdapter adapter(model, arguments.adapter);
  TranslatorOptions options;
  options.beams = arguments.beams;
  options.max_tokens = arguments.max_tokens;
  options.threads = arguments.threads;
  options.isa = arguments.isa;
  options.adapter = adapter.get();
  Translator translator = take(Translator::create(model, options), arguments.model);
  const std::vector<std::string> lines = arguments.file.empty() ? arguments.texts : read_lines(arguments.file);
  const std::vector<std::string_view> texts(lines.begin(), lines.end());
  if (const Status status = translator.translate(texts, {arguments.from, arguments.to}); !status.ok())
    throw Failure(arguments.model + ": " + status.message());
  for (size_t i = 0; i < translator.results(); ++i) {
    if (!arguments.json) {
      fmt::print("{}\n", translator.result(i));
      continue;
    }
    const nlohmann::ordered_json line = {{"source", lines[i]}, {"text", translator.result(i)}};
    fmt::print("{}\n", line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
  }
}

}  // namespace

void add_translate(CLI::App& app) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand("translate", "texts in, texts out: translations, summaries, what an encoder-decoder was made for");
  command->add_option("MODEL", arguments->model, ".linnet file")->required();
  auto* from = command->add_option_group("texts");
  from->add_option("--text", arguments->texts, "a text; repeatable")->allow_extra_args(false);
  from->add_option("--file", arguments->file, "a file with one text a line; - is standard input");
  from->require_option(1);
  command->add_option("--from", arguments->from, "language that the texts are in, where the model has codes for them: en_XX");
  command->add_option("--to", arguments->to, "language to write in");
  command->add_option("--beams", arguments->beams, "beams for each text; 1: none (default: as the file says)")->check(at_least_one());
  command->add_option("--max-tokens", arguments->max_tokens, "new tokens of a text at most (default: as the file says)")
      ->check(at_least_one());
  command->add_option("--adapter", arguments->adapter, "LoRA beside the model: a PEFT folder, or what convert made of one");
  command->add_option("--threads", arguments->threads, "worker threads (default: the number of big cores)")->check(CLI::Range(1u, 64u));
  command->add_option("--isa", arguments->isa, "kernel level (default: the best)");
  command->add_flag("--json", arguments->json, "one object for each text");
  command->callback([arguments] { run(*arguments); });
}

}  // namespace linnet::tool
