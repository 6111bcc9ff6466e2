#include <cstdio>
#include <exception>

#include "command.h"

int main(int argc, char** argv) {
  CLI::App app{"Linnet: transformers on the device.\nConvert a model once, then run it anywhere in memory that is known beforehand."};
  app.name("linnet");
  app.require_subcommand(1);
  app.set_version_flag("--version", LINNET_VERSION);
  app.footer("linnet COMMAND --help tells more. Exit status: 0 done, 1 the input is at fault, 2 the command line is.");
  using namespace linnet::tool;
  for (auto add : {add_convert, add_inspect, add_verify, add_plan, add_run, add_generate, add_embed, add_classify, add_tokenize, add_bench})
    add(app);
  try {
    app.parse(argc, argv);
    return 0;
  } catch (const CLI::Success& help) {
    return app.exit(help);
  } catch (const CLI::ParseError& error) {
    std::fprintf(stderr, "linnet: %s\nlinnet: --help shows what is understood\n", error.what());
    return 2;
  } catch (const std::exception& error) {
    std::fflush(stdout);
    std::fprintf(stderr, "linnet: %s\n", error.what());
    return 1;
  }
}
