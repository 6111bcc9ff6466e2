#include <fmt/core.h>

#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "command.h"
#include "format/adapter_file.h"

namespace linnet::tool {
namespace {

using Json = nlohmann::ordered_json;

Json describe(const Model& model) {
  Json all = {{"family", model.family()},
              {"task", model.task()},
              {"file_bytes", model.file_bytes()},
              {"weight_bytes", model.weight_bytes()},
              {"hash", fmt::format("{:016x}", model.hash())}};
  for (size_t i = 0; i < model.metadata_count(); ++i)
    all["metadata"][std::string(model.metadata_at(i).first)] = model.metadata_at(i).second;
  for (size_t i = 0; i < model.labels(); ++i) all["labels"].push_back(model.label(i));
  GenerationDefaults defaults = model.generation();
  all["generation"] = {{"bos", defaults.bos},     {"eos", std::vector<int32_t>(defaults.eos.begin(), defaults.eos.end())},
                       {"pad", defaults.pad},     {"temperature", defaults.temperature},
                       {"top_p", defaults.top_p}, {"top_k", defaults.top_k}};
  for (size_t p = 0; p < model.programs(); ++p) {
    ProgramInfo program = model.program(p);
    Json entry = {
        {"name", program.name}, {"kind", program.kind}, {"max_positions", program.max_positions}, {"operations", program.operations}};
    auto port = [](const PortInfo& info) {
      return Json{{"name", info.name},       {"role", info.role}, {"rows", info.rows},
                  {"columns", info.columns}, {"type", info.type}, {"bound", info.bound}};
    };
    for (size_t i = 0; i < program.inputs; ++i) entry["inputs"].push_back(port(model.input(p, i)));
    for (size_t i = 0; i < program.outputs; ++i) entry["outputs"].push_back(port(model.output(p, i)));
    all["programs"].push_back(entry);
  }
  for (size_t i = 0; i < model.tensors(); ++i) {
    TensorInfo tensor = model.tensor(i);
    all["tensors"].push_back({{"name", tensor.name},
                              {"encoding", tensor.encoding},
                              {"rows", tensor.rows},
                              {"columns", tensor.columns},
                              {"count", tensor.count},
                              {"bytes", tensor.bytes}});
  }
  return all;
}

void print(const Model& model, bool with_tensors) {
  fmt::print("family     {}\ntask       {}\nfile       {}, weights {}\nhash       {:016x}\n", model.family(), model.task(),
             human_bytes(model.file_bytes()), human_bytes(model.weight_bytes()), model.hash());
  for (size_t i = 0; i < model.metadata_count(); ++i) fmt::print("{:<10} {}\n", model.metadata_at(i).first, model.metadata_at(i).second);
  for (size_t p = 0; p < model.programs(); ++p) {
    ProgramInfo program = model.program(p);
    fmt::print("program    {} ({}): {} operations, made for {} positions\n", program.name, program.kind, program.operations,
               program.max_positions);
    for (size_t i = 0; i < program.inputs; ++i) {
      PortInfo port = model.input(p, i);
      fmt::print("  in       {:<20} {} rows x {} {}\n", port.name, port.rows, port.columns, port.type);
    }
    for (size_t i = 0; i < program.outputs; ++i) {
      PortInfo port = model.output(p, i);
      fmt::print("  out      {:<20} {} rows x {} {}\n", port.name, port.rows, port.columns, port.type);
    }
  }
  std::map<std::string, std::pair<size_t, uint64_t>> encodings;
  for (size_t i = 0; i < model.tensors(); ++i) {
    TensorInfo tensor = model.tensor(i);
    auto& entry = encodings[std::string(tensor.encoding)];
    ++entry.first;
    entry.second += tensor.bytes;
  }
  for (const auto& [encoding, entry] : encodings)
    fmt::print("encoding   {:<6} {:>5} tensors  {}\n", encoding, entry.first, human_bytes(entry.second));
  if (model.labels()) fmt::print("labels     {}, first \"{}\"\n", model.labels(), model.label(0));
  if (!with_tensors) return;
  for (size_t i = 0; i < model.tensors(); ++i) {
    TensorInfo tensor = model.tensor(i);
    const std::string stack = tensor.count > 1 ? fmt::format("{} x ", tensor.count) : "";
    fmt::print("  {:<60} {:<6} {:>6} x {:<6} {:>12}\n", tensor.name, tensor.encoding, stack + std::to_string(tensor.rows), tensor.columns,
               human_bytes(tensor.bytes));
  }
}

// ---------------------------------------------------------------- adapters: without their base

using AdapterHandle = std::unique_ptr<format::AdapterFile, void (*)(format::AdapterFile*)>;

Json describe(const format::AdapterFile& adapter) {
  Json all = {{"adapter_for", adapter.base_name()},
              {"base_hash", fmt::format("{:016x}", adapter.base_hash())},
              {"file_bytes", adapter.file().file_bytes()},
              {"weight_bytes", adapter.file().weight_bytes()},
              {"hash", fmt::format("{:016x}", adapter.file().hash())},
              {"rank", adapter.rank()}};
  for (const format::Target& target : adapter.targets())
    all["targets"].push_back({{"base", target.base},
                              {"kind", schema::EnumNameTargetKind(target.kind)},
                              {"first_row", target.first_row},
                              {"rows", target.rows},
                              {"rank", target.rank}});
  return all;
}

void print(const format::AdapterFile& adapter, bool with_targets) {
  fmt::print("adapter    for {}, whose hash is {:016x}\nfile       {}, weights {}\nhash       {:016x}\nrank       {}\n",
             adapter.base_name(), adapter.base_hash(), human_bytes(adapter.file().file_bytes()), human_bytes(adapter.file().weight_bytes()),
             adapter.file().hash(), adapter.rank());
  std::map<std::string, size_t> kinds;
  for (const format::Target& target : adapter.targets()) ++kinds[schema::EnumNameTargetKind(target.kind)];
  for (const auto& [kind, count] : kinds) fmt::print("targets    {:<12} {:>5}\n", kind, count);
  if (!with_targets) return;
  for (const format::Target& target : adapter.targets())
    fmt::print("  {:<60} {:<12} rows {:>6} to {:<6} rank {}\n", target.base, schema::EnumNameTargetKind(target.kind), target.first_row,
               target.first_row + target.rows, target.rank);
}

}  // namespace

void add_inspect(CLI::App& app) {
  struct Arguments {
    std::string path;
    bool json = false, tensors = false;
  };
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand(
      "inspect", "say what a .linnet file holds: programs, inputs and outputs, encodings; of an adapter, what it changes");
  command->add_option("MODEL", arguments->path, ".linnet file")->required();
  command->add_flag("--tensors", arguments->tensors, "list every tensor, or every target of an adapter");
  command->add_flag("--json", arguments->json, "everything as JSON");
  command->callback([arguments] {
    if (Result<format::AdapterFile*> opened = format::AdapterFile::open(arguments->path.c_str(), {}); opened.ok()) {
      const AdapterHandle adapter(*opened, [](format::AdapterFile* file) { file->release(); });
      if (arguments->json)
        fmt::print("{}\n", describe(*adapter).dump(1, ' ', false, Json::error_handler_t::replace));
      else
        print(*adapter, arguments->tensors);
      return;
    }
    Model model = take(Model::open(arguments->path.c_str()));
    if (arguments->json)
      fmt::print("{}\n", describe(model).dump(1, ' ', false, Json::error_handler_t::replace));
    else
      print(model, arguments->tensors);
  });
}

}  // namespace linnet::tool
