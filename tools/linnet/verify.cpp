#include <fmt/core.h>

#include <memory>

#include "command.h"
#include "format/adapter_file.h"

namespace linnet::tool {

void add_verify(CLI::App& app) {
  auto path = std::make_shared<std::string>();
  CLI::App* command = app.add_subcommand("verify", "check a .linnet file completely: structure, program, every weight's checksum");
  command->add_option("MODEL", *path, ".linnet file")->required();
  command->callback([path] {
    const auto progress = [](void*, uint64_t done, uint64_t total) {
      show_progress("checking weights", done, total);
      return true;
    };
    if (Result<format::AdapterFile*> opened = format::AdapterFile::open(path->c_str(), {}); opened.ok()) {
      const std::unique_ptr<format::AdapterFile, void (*)(format::AdapterFile*)> adapter(
          *opened, [](format::AdapterFile* file) { file->release(); });
      check(adapter->file().verify_weights(progress, nullptr));
      fmt::print("{}: sound; an adapter of {} targets, {} of weights\n", *path, adapter->targets().size(),
                 human_bytes(adapter->file().weight_bytes()));
      return;
    }
    Model model = take(Model::open(path->c_str()));
    check(model.verify(progress, nullptr));
    fmt::print("{}: sound; {} tensors, {} of weights\n", *path, model.tensors(), human_bytes(model.weight_bytes()));
  });
}

}  // namespace linnet::tool
