#include "convert/convert.h"

#include <fmt/core.h>

#include <algorithm>
#include <filesystem>

#include "command.h"
#include "convert/adapters/convert_adapter.h"
#include "convert/checkpoint.h"
#include "interruption.h"

namespace linnet::tool {
namespace {

constexpr const char* kEncodings[] = {"f32", "f16", "int8", "int4", "mxfp4"};

struct Arguments {
  std::string source, output, base;
  convert::Options options;
  std::vector<std::string> overrides;
  bool list = false, json = false, no_turn = false, no_fold = false, no_chat_template = false, report = false;
};

void print_families(bool json) {
  convert::Json all = convert::Json::array();
  for (const convert::Family& family : convert::families()) {
    all.push_back({{"family", family.name}, {"model_types", family.model_types}, {"description", family.description}});
    if (!json) fmt::print("{:<24} {}\n", family.name, family.description);
  }
  if (json) fmt::print("{}\n", all.dump(1));
}

void print_json(const convert::Report& report) {
  convert::Json all = {{"family", report.family}, {"task", report.task}, {"file_bytes", report.file_bytes}, {"notes", report.notes}};
  for (const auto& tensor : report.tensors)
    all["tensors"].push_back({{"name", tensor.name},
                              {"encoding", tensor.encoding},
                              {"rows", tensor.rows},
                              {"columns", tensor.columns},
                              {"count", tensor.count},
                              {"bytes", tensor.bytes},
                              {"damage", tensor.damage}});
  fmt::print("{}\n", all.dump());
}

void print_report(const convert::Report& report, const Arguments& arguments) {
  if (arguments.report) {
    fmt::print("{:<56} {:>8} {:>14} {:>12} {:>10}\n", "tensor", "encoding", "shape", "bytes", "damage");
    for (const auto& tensor : report.tensors)
      fmt::print("{:<56} {:>8} {:>14} {:>12} {:>10.2e}\n", tensor.name, tensor.encoding, fmt::format("{}x{}", tensor.rows, tensor.columns),
                 tensor.bytes, tensor.damage);
  }
  for (const std::string& note : report.notes) fmt::print("note: {}\n", note);
  double worst = 0;
  std::string name;
  for (const auto& tensor : report.tensors)
    if (tensor.damage > worst) worst = tensor.damage, name = tensor.name;
  fmt::print("{}: {} ({}), {}", arguments.output, report.family, report.task, human_bytes(report.file_bytes));
  if (worst > 0) fmt::print(", largest damage {:.1e} in {}", worst, name);
  fmt::print("\n");
}

bool is_checkpoint_part(const std::filesystem::path& path) {
  constexpr const char* kEndings[] = {".safetensors", ".json", ".gguf", ".model", ".txt", ".bin"};
  return std::find(std::begin(kEndings), std::end(kEndings), path.extension()) != std::end(kEndings);
}

// Ctrl-C ends the process, but only after what was half written is gone.
convert::Report convert_or_clean_up(Arguments& arguments) {
  const Interruption interruption;
  arguments.options.interrupted = Interruption::happened;
  try {
    convert::Report report = convert::convert(arguments.source, arguments.output, arguments.options);
    show_progress("", 1, 1);
    return report;
  } catch (const convert::Error&) {
    if (Interruption::happened()) show_progress("", 1, 1);
    throw;
  }
}

// SRC is an adapter, beside a base that was converted.
void run_adapter(const Arguments& arguments) {
  const Model base = take(Model::open(arguments.base.c_str()));
  const convert::AdapterReport report = convert::convert_adapter(arguments.source, base.file(), arguments.output);
  const Adapter adapter = take(Adapter::open(base, arguments.output.c_str()));
  if (arguments.json)
    fmt::print("{}\n", convert::Json{{"targets", report.targets}, {"rank", report.rank}, {"file_bytes", report.file_bytes}}.dump());
  else
    fmt::print("{}: adapter for {}, {} targets, rank {}, {}\n", arguments.output, arguments.base, adapter.targets(), adapter.rank(),
               human_bytes(report.file_bytes));
}

void run(Arguments& arguments) {
  if (arguments.list) return print_families(arguments.json);
  if (arguments.source.empty() || arguments.output.empty()) throw CLI::RequiredError("SRC and -o OUT.linnet (or --list)");
  std::error_code unknown;
  if (std::filesystem::equivalent(arguments.source, arguments.output, unknown))
    throw Failure(arguments.output + ": it is the model to be converted, and would be lost");
  if (std::filesystem::exists(arguments.output, unknown) && is_checkpoint_part(arguments.output))
    throw Failure(arguments.output + ": it looks like a part of a checkpoint, and would be lost");
  if (!arguments.base.empty()) {
    if (std::filesystem::equivalent(arguments.base, arguments.output, unknown))
      throw Failure(arguments.output + ": it is the base, and would be lost");
    return run_adapter(arguments);
  }
  arguments.options.turn = !arguments.no_turn;
  arguments.options.fold = !arguments.no_fold;
  arguments.options.chat_template = !arguments.no_chat_template;
  for (const std::string& text : arguments.overrides) {
    size_t equals = text.rfind('=');
    if (equals == std::string::npos) throw CLI::ValidationError("--tensor", "write PATTERN=ENCODING, such as *.down_proj.*=int8");
    const std::string encoding = text.substr(equals + 1);
    if (std::find(std::begin(kEncodings), std::end(kEncodings), encoding) == std::end(kEncodings))
      throw CLI::ValidationError("--tensor", "'" + encoding + "' is not f32, f16, int8 or int4");
    arguments.options.overrides.emplace_back(text.substr(0, equals), encoding);
  }
  arguments.options.progress = [](const std::string& what, size_t done, size_t total) {
    show_progress(what, done, total);
    return true;
  };
  const convert::Report report = convert_or_clean_up(arguments);
  arguments.json ? print_json(report) : print_report(report, arguments);
}

}  // namespace

void add_convert(CLI::App& app) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand("convert", "turn a Hugging Face folder or a GGUF file into a .linnet file");
  command->add_option("SRC", arguments->source, "folder with config.json and *.safetensors, or a .gguf file");
  command->add_option("--base", arguments->base, "SRC is a LoRA adapter (PEFT folder): the .linnet file that it is to stand beside");
  command->add_option("-o,--output", arguments->output, "the file to write");
  command->add_option("--weights", arguments->options.weights, "encoding of the linear layers (default int8)")
      ->check(CLI::IsMember(std::vector<std::string>(std::begin(kEncodings), std::end(kEncodings))));
  command->add_option("--head", arguments->options.head, "encoding of output head and embedding (int4: int8 unless said)")
      ->check(CLI::IsMember(std::vector<std::string>(std::begin(kEncodings), std::end(kEncodings))));
  command->add_option("--tensor", arguments->overrides,
                      "PATTERN=ENCODING for single tensors; * matches anything; of several that match, the last counts");
  command->add_flag("--simulate", arguments->options.simulate,
                    "store the quantized values as f32: damage of rounding without the kernels' error");
  command->add_flag("--no-turn", arguments->no_turn, "do not turn the input of down projections");
  command->add_flag("--no-fold", arguments->no_fold, "do not even out the columns");
  command->add_flag("--no-chat-template", arguments->no_chat_template, "leave out the chat templates, usable or not");
  command->add_flag("--report", arguments->report, "print every tensor with its damage");
  command->add_flag("--list", arguments->list, "print the model families and what each supports");
  command->add_flag("--json", arguments->json, "print the report, or the list, as JSON");
  command->callback([arguments] { run(*arguments); });
}

}  // namespace linnet::tool
