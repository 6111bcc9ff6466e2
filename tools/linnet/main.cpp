#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <exception>
#include <iostream>

#include "command.h"

namespace {

// What was printed may wait in a buffer until now, and the disk behind it be full.
void finish_output() {
  std::cout.flush();
  if (std::fflush(stdout) != 0 || std::ferror(stdout) || !std::cout)
    throw linnet::tool::Failure(std::string("standard output: writing failed: ") + std::strerror(errno));
}

// The subcommand that was being read, for its own --help.
std::string command_name(const CLI::App& app) {
  auto chosen = app.get_subcommands();
  return chosen.empty() ? "linnet" : "linnet " + chosen[0]->get_name();
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Linnet: transformers on the device.\nConvert a model once, then run it anywhere in memory that is known beforehand."};
  app.name("linnet");
  app.require_subcommand(1);
  app.set_version_flag("--version", LINNET_VERSION);
  app.footer("linnet COMMAND --help tells more. Exit status: 0 done, 1 the input is at fault, 2 the command line is.");
  using namespace linnet::tool;
  for (auto add : {add_convert, add_inspect, add_verify, add_plan, add_run, add_generate, add_chat, add_translate, add_embed, add_classify,
                   add_tokenize, add_template, add_bench})
    add(app);
  try {
    try {
      app.parse(argc, argv);
    } catch (const CLI::Success& help) {
      app.exit(help);
    }
    finish_output();
    return 0;
  } catch (const CLI::ParseError& error) {
    std::fprintf(stderr, "linnet: %s (%s --help shows what is understood)\n", error.what(), command_name(app).c_str());
    return 2;
  } catch (const std::exception& error) {
    std::fflush(stdout);
    // A progress line may stand there.
    std::fprintf(stderr, "%slinnet: %s\n", isatty(STDERR_FILENO) ? "\r\033[K" : "", error.what());
    return 1;
  }
}
