#include <fmt/core.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "command.h"
#include "linnet/generate.h"

namespace linnet::tool {
namespace {

using Json = nlohmann::ordered_json;

struct Arguments {
  std::string model, prompt, ids;
  uint32_t max_tokens = 128;
  std::optional<float> temperature, top_p, min_p, repetition_penalty;
  std::optional<uint32_t> top_k;
  uint64_t seed = 0;
  bool ignore_eos = false, raw = false, json = false;
  SessionOptions session;
};

Sampling sampling(const Arguments& arguments, const GenerationDefaults& defaults) {
  Sampling result;
  bool honour = !arguments.raw && defaults.sample;
  result.temperature = arguments.temperature.value_or(honour ? defaults.temperature : 0.0f);
  result.top_p = arguments.top_p.value_or(honour ? defaults.top_p : 1.0f);
  result.top_k = arguments.top_k.value_or(honour ? defaults.top_k : 0u);
  result.min_p = arguments.min_p.value_or(0.0f);
  result.repetition_penalty = arguments.repetition_penalty.value_or(arguments.raw ? 1.0f : defaults.repetition_penalty);
  result.seed = arguments.seed;
  return result;
}

// Prints text as it becomes certain.
bool print_piece(void*, const NewToken& token) {
  std::fwrite(token.piece.data(), 1, token.piece.size(), stdout);
  std::fflush(stdout);
  return true;
}

std::vector<int32_t> prompt_ids(const Arguments& arguments, const Result<Tokenizer>& tokenizer) {
  if (!arguments.ids.empty()) return parse_ids(arguments.ids);
  if (!tokenizer.ok()) throw Failure(fmt::format("{}: {}; give the prompt as --ids", arguments.model, tokenizer.status().message()));
  Ids ids;
  check((*tokenizer).encode(arguments.prompt, {}, &ids));
  return {ids.begin(), ids.end()};
}

const char* name(GenerateReport::End end) {
  switch (end) {
    case GenerateReport::End::eos: return "eos";
    case GenerateReport::End::stopped: return "stopped";
    case GenerateReport::End::context_full: return "context_full";
    default: return "max_tokens";
  }
}

double seconds(uint64_t nanoseconds) { return static_cast<double>(nanoseconds) * 1e-9; }

void print_json(const std::vector<int32_t>& prompt, const Ids& ids, const Text* text, const GenerateReport& report) {
  Json all = {{"prompt_ids", prompt}, {"ids", std::vector<int32_t>(ids.begin(), ids.end())}};
  if (text) all["text"] = view(*text);
  all["end"] = name(report.end);
  all["prefill_seconds"] = seconds(report.prefill_nanoseconds);
  all["decode_seconds"] = seconds(report.decode_nanoseconds);
  fmt::print("{}\n", all.dump(-1, ' ', false, Json::error_handler_t::replace));
}

void run(const Arguments& arguments) {
  if (arguments.prompt.empty() == arguments.ids.empty()) throw CLI::RequiredError("one of --prompt and --ids");
  Model model = take(Model::open(arguments.model.c_str()));
  Result<Tokenizer> tokenizer = Tokenizer::create(model);
  std::vector<int32_t> prompt = prompt_ids(arguments, tokenizer);

  Limits limits = arguments.session.limits();
  int program = find_program(model, "autoregressive");
  if (program < 0) throw Failure(arguments.model + ": it writes no text; its task is " + std::string(model.task()));
  uint32_t made_for = model.program(static_cast<size_t>(program)).max_positions;
  uint64_t wanted = prompt.size() + arguments.max_tokens;
  if (!limits.context) limits.context = static_cast<uint32_t>(std::min<uint64_t>(made_for ? made_for : UINT32_MAX, wanted));
  Plan planned = take(plan(model, limits), arguments.model);
  Session session = take(Session::create(model, planned));

  GenerationDefaults defaults = model.generation();
  GenerateOptions options;
  options.max_tokens = arguments.max_tokens;
  options.sampling = sampling(arguments, defaults);
  options.ignore_eos = arguments.ignore_eos;
  options.eos = defaults.eos;
  if (!arguments.raw) options.sampling.banned = defaults.banned;
  if (tokenizer.ok()) options.tokenizer = &*tokenizer;
  if (!arguments.json) options.on_token = print_piece;
  Ids ids;
  Text text;
  GenerateReport report = take(generate(session, model, take(session.add()), prompt, options, &ids, &text), arguments.model);
  if (arguments.json) return print_json(prompt, ids, tokenizer.ok() ? &text : nullptr, report);
  if (!tokenizer.ok())
    for (int32_t id : ids) fmt::print("{} ", id);
  fmt::print("\n");
  if (report.end == GenerateReport::End::context_full) fmt::print(stderr, "linnet: the context of {} positions is full\n", limits.context);
}

}  // namespace

void add_generate(CLI::App& app) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand("generate", "write on from a prompt, token by token");
  command->add_option("MODEL", arguments->model, ".linnet file")->required();
  command->add_option("--prompt", arguments->prompt, "text to go on from");
  command->add_option("--ids", arguments->ids, "the prompt as token ids: 1,2,3");
  command->add_option("--max-tokens", arguments->max_tokens, "new tokens at most (default 128)");
  command->add_option("--temperature", arguments->temperature, "0 is greedy (default: as the file says, else greedy)");
  command->add_option("--top-k", arguments->top_k, "draw from the k most probable");
  command->add_option("--top-p", arguments->top_p, "draw from the fewest that together reach p");
  command->add_option("--min-p", arguments->min_p, "drop what is less probable than min-p times the most probable");
  command->add_option("--repetition-penalty", arguments->repetition_penalty, "above 1 discourages ids that occurred");
  command->add_option("--seed", arguments->seed, "of the draws (default 0)");
  command->add_flag("--ignore-eos", arguments->ignore_eos, "do not stop at an end-of-text token");
  command->add_flag("--raw", arguments->raw, "ignore the file's generation defaults");
  command->add_flag("--json", arguments->json, "one object with prompt_ids, ids, text and timings");
  arguments->session.add_to(*command);
  command->callback([arguments] { run(*arguments); });
}

}  // namespace linnet::tool
