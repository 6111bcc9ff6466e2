#include <fmt/core.h>

#include <memory>

#include "command.h"
#include "core/platform.h"
#include "linnet/report.h"

namespace linnet::tool {
namespace {

struct Arguments {
  std::string model, svg;
  uint32_t sequences = 1, outputs = 0, source_tokens = 0, sources = 0, adapters = 0, adapter_rank = 0;
  bool json = false;
  SessionOptions session;
};

void to_string(void* user, const char* text, size_t size) { static_cast<std::string*>(user)->append(text, size); }

void run(const Arguments& arguments) {
  Model model = take(Model::open(arguments.model.c_str()));
  Limits limits = arguments.session.limits();
  limits.sequences = arguments.sequences;
  limits.outputs = arguments.outputs;
  limits.source_tokens = arguments.source_tokens;
  limits.sources = arguments.sources;
  limits.adapters = arguments.adapters;
  limits.adapter_rank = arguments.adapter_rank;
  Plan planned = take(plan(model, limits), arguments.model);
  std::string text;
  arguments.json ? write_json(planned, to_string, &text) : write_text(planned, to_string, &text);
  fmt::print("{}", text);
  if (arguments.svg.empty()) return;
  std::string picture;
  write_svg(planned, to_string, &picture);
  core::AtomicFile file = take(core::AtomicFile::create(arguments.svg.c_str()));
  check(file.write(picture.data(), picture.size()));
  check(file.commit());
}

}  // namespace

void add_plan(CLI::App& app) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand("plan", "say what memory a session takes, to the byte, and draw the lifetimes");
  command->add_option("MODEL", arguments->model, ".linnet file")->required();
  command->add_option("--sequences", arguments->sequences, "sequences alive at once (default 1)")->check(at_least_one());
  command->add_option("--outputs", arguments->outputs, "rows of logits of one run");
  command->add_option("--source-tokens", arguments->source_tokens,
                      "of encoder-decoders: tokens of one source, or of several read together");
  command->add_option("--sources", arguments->sources, "sources alive at once, which sequences share (default: as many as sequences)");
  command->add_option("--adapters", arguments->adapters, "adapters attached at once (default 0)");
  command->add_option("--adapter-rank", arguments->adapter_rank, "the largest rank among them (default 64)");
  command->add_option("--svg", arguments->svg, "draw when each value lives, and where, into this file");
  command->add_flag("--json", arguments->json, "all figures and lifetimes as JSON");
  arguments->session.add_to(*command);
  command->callback([arguments] { run(*arguments); });
}

}  // namespace linnet::tool
