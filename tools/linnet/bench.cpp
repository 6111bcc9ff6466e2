#include <fmt/core.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>

#include "command.h"
#include "core/platform.h"
#include "format/model_file.h"

namespace linnet::tool {
namespace {

struct Arguments {
  std::string model;
  uint32_t prompt = 512, generate = 128, depth = 0, repeat = 5;
  std::vector<uint32_t> threads = {1, 2};
  bool json = false;
  SessionOptions session;
};

struct Figure {
  uint32_t threads;
  double prefill, decode;     // tokens per second, medians
  double gigabytes;           // weight bytes that a decoded token reads, per second
};

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

// Weight bytes that one decoded token reads: all tensors of linears; embedding rows are next to nothing.
uint64_t bytes_per_token(const Model& model, size_t program) {
  std::set<int32_t> tensors;
  for (const format::Node& node : model.file().programs()[program].nodes)
    if (node.type == schema::Options::Linear) tensors.insert(node.as<schema::Linear>().tensor());
  uint64_t bytes = 0;
  for (int32_t index : tensors) bytes += model.file().tensors()[static_cast<size_t>(index)].bytes;
  return bytes;
}

// Ids that are in any vocabulary and differ from each other.
std::vector<int32_t> some_ids(const Model& model, size_t program, uint32_t count) {
  uint32_t bound = 1;
  for (size_t i = 0; i < model.program(program).inputs; ++i)
    if (model.input(program, i).role == "token_ids") bound = model.input(program, i).bound;
  std::vector<int32_t> ids(count);
  for (uint32_t i = 0; i < count; ++i) ids[i] = static_cast<int32_t>((i * 7919ull + 3) % bound);
  return ids;
}

double seconds_since(uint64_t start) { return static_cast<double>(core::now() - start) * 1e-9; }

struct Bench {
  const Arguments& arguments;
  const Model& model;
  size_t program;

  std::string_view name() const { return model.program(program).name; }
  bool reads_tokens() const {
    for (size_t i = 0; i < model.program(program).inputs; ++i)
      if (model.input(program, i).role == "token_ids") return true;
    return false;
  }

  double prefill(Session& session, SequenceId sequence, std::span<const int32_t> ids) const {
    Input input;
    input.sequence = sequence;
    input.tokens = ids;
    uint64_t start = core::now();
    check(session.prefill(name(), input));
    return static_cast<double>(ids.size()) / seconds_since(start);
  }
  double decode(Session& session, SequenceId sequence, std::span<const int32_t> ids) const {
    uint64_t start = core::now();
    for (const int32_t& id : ids) {
      Input input;
      input.sequence = sequence;
      input.tokens = {&id, 1};
      check(session.run(name(), {&input, 1}));
    }
    return static_cast<double>(ids.size()) / seconds_since(start);
  }
  Figure autoregressive(uint32_t threads) const {
    Limits limits = arguments.session.limits();
    limits.threads = threads;
    const uint64_t held = uint64_t{arguments.depth} + std::max(arguments.prompt, arguments.generate);
    if (held > UINT32_MAX) throw Failure(fmt::format("{} positions are more than a sequence can hold", held));
    limits.context = std::max(limits.context, static_cast<uint32_t>(held));
    limits.rewind = std::max(arguments.prompt, arguments.generate);   // of windowed layers
    Plan planned = take(plan(model, limits), arguments.model);
    Session session = take(Session::create(model, planned));
    std::vector<double> prefills, decodes;
    std::vector<int32_t> ids = some_ids(model, program, limits.context);
    for (uint32_t i = 0; i <= arguments.repeat; ++i) {      // the first is the warm-up
      SequenceId sequence = take(session.add());
      if (arguments.depth) prefill(session, sequence, {ids.data(), arguments.depth});
      double prefilled = arguments.prompt ? prefill(session, sequence, {ids.data(), arguments.prompt}) : 0;
      check(session.rewind(sequence, session.length(sequence) - arguments.depth));
      double decoded = arguments.generate ? decode(session, sequence, {ids.data(), arguments.generate}) : 0;
      check(session.remove(sequence));
      if (i) prefills.push_back(prefilled), decodes.push_back(decoded);
    }
    double tokens = median(decodes);
    return {threads, median(prefills), tokens, tokens * static_cast<double>(bytes_per_token(model, program)) * 1e-9};
  }
  Figure encoder(uint32_t threads) const {
    Limits limits = arguments.session.limits();
    limits.threads = threads;
    limits.context = arguments.prompt;
    limits.batch_tokens = arguments.prompt;
    Plan planned = take(plan(model, limits), arguments.model);
    Session session = take(Session::create(model, planned));
    std::vector<double> rates;
    std::vector<int32_t> ids = some_ids(model, program, arguments.prompt);
    Input input;
    input.tokens = ids;
    RunOptions all;
    all.outputs = RunOptions::Outputs::all;
    for (uint32_t i = 0; i <= arguments.repeat; ++i) {
      uint64_t start = core::now();
      check(session.run(name(), {&input, 1}, all));
      if (i) rates.push_back(static_cast<double>(ids.size()) / seconds_since(start));
    }
    return {threads, median(rates), 0, 0};
  }
};

void run(const Arguments& arguments) {
  Model model = take(Model::open(arguments.model.c_str()));
  int decoder = find_program(model, "autoregressive");
  Bench bench{arguments, model, decoder < 0 ? 0 : static_cast<size_t>(decoder)};
  if (!bench.reads_tokens()) throw Failure(arguments.model + ": it reads no tokens, and tokens are what is measured");
  if (arguments.prompt == 0 && (decoder < 0 || arguments.generate == 0))
    throw CLI::ValidationError("--prompt", "must be at least 1 when nothing is generated");
  if (arguments.repeat == 0) throw CLI::ValidationError("--repeat", "must be at least 1");
  nlohmann::ordered_json all;
  if (!arguments.json) fmt::print("{:>8} {:>18} {:>18} {:>10}\n", "threads", fmt::format("prefill {} t/s", arguments.prompt), fmt::format("decode {} t/s", arguments.generate), "GB/s");
  for (uint32_t threads : arguments.threads) {
    Figure figure = decoder < 0 ? bench.encoder(threads) : bench.autoregressive(threads);
    if (arguments.json)
      all.push_back({{"threads", figure.threads}, {"prompt", arguments.prompt}, {"generate", arguments.generate}, {"depth", arguments.depth},
                     {"prefill_tokens_per_second", figure.prefill}, {"decode_tokens_per_second", figure.decode}, {"gigabytes_per_second", figure.gigabytes}});
    else
      fmt::print("{:>8} {:>18.1f} {:>18.1f} {:>10.2f}\n", figure.threads, figure.prefill, figure.decode, figure.gigabytes);
  }
  if (arguments.json) fmt::print("{}\n", all.dump());
}

}  // namespace

void add_bench(CLI::App& app) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand("bench", "tokens per second and GB/s, medians of repeats");
  command->add_option("MODEL", arguments->model, ".linnet file")->required();
  command->add_option("--prompt", arguments->prompt, "tokens of the prompt (default 512)");
  command->add_option("--generate", arguments->generate, "tokens to decode (default 128)");
  command->add_option("--depth", arguments->depth, "positions already held before either (default 0)");
  command->add_option("--repeat", arguments->repeat, "counted repeats after one warm-up (default 5)");
  command->add_option("--threads", arguments->threads, "worker counts to try (default 1,2)")->delimiter(',')->check(CLI::Range(1u, 64u));
  command->add_option("--isa", arguments->session.isa, "kernel level (default: the best)");
  command->add_option("--state", arguments->session.state, "encoding of keys and values: f32, f16, int8")->check(CLI::IsMember({"f32", "f16", "int8"}));
  command->add_option("--batch-tokens", arguments->session.batch_tokens, "tokens that run together")->check(at_least_one());
  command->add_option("--context", arguments->session.context, "positions that one sequence may hold")->check(at_least_one());
  command->add_flag("--json", arguments->json, "figures as JSON");
  command->callback([arguments] { run(*arguments); });
}

}  // namespace linnet::tool
