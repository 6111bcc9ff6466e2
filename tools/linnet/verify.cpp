#include <fmt/core.h>

#include "command.h"

namespace linnet::tool {

void add_verify(CLI::App& app) {
  auto path = std::make_shared<std::string>();
  CLI::App* command = app.add_subcommand("verify", "check a .linnet file completely: structure, program, every weight's checksum");
  command->add_option("MODEL", *path, ".linnet file")->required();
  command->callback([path] {
    Model model = take(Model::open(path->c_str()));
    check(model.verify(
        [](void*, uint64_t done, uint64_t total) {
          show_progress("checking weights", done, total);
          return true;
        },
        nullptr));
    fmt::print("{}: sound; {} tensors, {} of weights\n", *path, model.tensors(), human_bytes(model.weight_bytes()));
  });
}

}  // namespace linnet::tool
