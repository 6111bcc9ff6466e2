#include <fmt/core.h>

#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "generate_options.h"

namespace linnet::tool {
namespace {

using Json = nlohmann::ordered_json;

const char* name(GenerateReport::End end) {
  switch (end) {
    case GenerateReport::End::eos:
      return "eos";
    case GenerateReport::End::stopped:
      return "stopped";
    case GenerateReport::End::context_full:
      return "context_full";
    case GenerateReport::End::stop_string:
      return "stop_string";
    case GenerateReport::End::complete:
      return "complete";
    default:
      return "max_tokens";
  }
}

double seconds(uint64_t nanoseconds) { return static_cast<double>(nanoseconds) * 1e-9; }

std::vector<int32_t> list(std::span<const int32_t> ids) { return {ids.begin(), ids.end()}; }

void print_line(const Json& all) { fmt::print("{}\n", all.dump(-1, ' ', false, Json::error_handler_t::replace)); }

void print_ids(std::span<const int32_t> ids) {
  for (int32_t id : ids) fmt::print("{} ", id);
}

Json log_probabilities(const Generator& writer, size_t text) {
  Json all = Json::array();
  for (size_t i = 0; i < writer.ids(text).size(); ++i) {
    Json best = Json::array();
    for (const TokenProbability& one : writer.top(text, i)) best.push_back({{"id", one.id}, {"logprob", one.log_probability}});
    all.push_back({{"id", writer.ids(text)[i]}, {"logprob", writer.log_probabilities(text)[i]}, {"top", std::move(best)}});
  }
  return all;
}

Json written(const Generator& writer, size_t text, const GenerateOptions& options, bool with_log_probabilities) {
  Json all = {{"ids", list(writer.ids(text))}};
  if (options.tokenizer) all["text"] = writer.text(text);
  all["end"] = name(writer.report(text).end);
  if (options.log_probabilities) all["log_probability"] = writer.report(text).log_probability;
  if (with_log_probabilities) all["logprobs"] = log_probabilities(writer, text);
  return all;
}

void print_json(const Generator& writer, const std::vector<uint32_t>& chosen, const std::vector<int32_t>& prompt,
                const GenerateArguments& arguments, const GenerateOptions& options) {
  Json all = {{"prompt_ids", prompt}};
  all.update(written(writer, chosen[0], options, arguments.logprobs.has_value()));
  all["prefill_seconds"] = seconds(writer.report(chosen[0]).prefill_nanoseconds);
  all["decode_seconds"] = seconds(writer.report(chosen[0]).decode_nanoseconds);
  if (writer.report(chosen[0]).drafted) {
    all["drafted"] = writer.report(chosen[0]).drafted;
    all["drafts_kept"] = writer.report(chosen[0]).drafts_kept;
  }
  if (arguments.samples > 1) {
    all["samples"] = Json::array();
    for (uint32_t text : chosen) all["samples"].push_back(written(writer, text, options, arguments.logprobs.has_value()));
  }
  print_line(all);
}

void print_plain(const Generator& writer, const std::vector<uint32_t>& chosen, const GenerateOptions& options) {
  for (size_t i = 0; i < chosen.size(); ++i) {
    if (chosen.size() > 1) fmt::print("{}--- {}\n", i ? "\n" : "", i + 1);
    if (!options.tokenizer) print_ids(writer.ids(chosen[i]));
    if (options.tokenizer && !options.on_token) fmt::print("{}", writer.text(chosen[i]));
    fmt::print("\n");
  }
}

// A sequence that outlives the writing, where it comes from a file or goes into one; else -1.
int64_t kept_sequence(const GenerateArguments& arguments, Session& session) {
  if (!arguments.load.empty()) return take(session.restore(arguments.load.c_str()));
  return arguments.save.empty() ? -1 : int64_t{take(session.add())};
}

// With the id that was drawn last, so that a later prompt follows all of the text.
void save(const GenerateArguments& arguments, const Model& model, Session& session, SequenceId sequence, int32_t unread) {
  const std::string_view program = model.program(static_cast<size_t>(find_writer(model))).name;
  Input last;
  last.sequence = sequence;
  last.tokens = {&unread, 1};
  if (unread >= 0) check(session.prefill(program, last));
  check(session.save(sequence, arguments.save.c_str()));
}

void write(const GenerateArguments& arguments, GenerateOptions options, const Model& model, Session& session,
           const std::vector<int32_t>& prompt, AdapterId adapter, Constraint* constraint) {
  const bool streams = !arguments.json && arguments.samples == 1;
  if (streams) options.on_token = print_piece;
  if (!arguments.json) options.on_prompt = print_progress;
  Generator writer = take(Generator::create(session, model, options), arguments.model);
  const TokenFilter filter = constraint ? keep_to(*constraint) : TokenFilter();
  const int64_t sequence = kept_sequence(arguments, session);
  const std::vector<int32_t> begins = decoder_prompt(arguments, model, prompt);
  Generator::Start start{.prompt = begins, .samples = arguments.samples, .sequence = sequence, .filter = filter, .adapter = adapter};
  if (reads_source(model)) start.source = prompt;
  take(writer.add(start), arguments.model);
  if (const Status status = writer.run(); !status.ok()) throw Failure(arguments.model + ": " + status.message());
  std::vector<uint32_t> chosen(arguments.best ? arguments.best : arguments.samples);
  for (uint32_t i = 0; i < chosen.size(); ++i) chosen[i] = i;
  if (arguments.best) writer.rank(chosen);
  if (arguments.json)
    print_json(writer, chosen, prompt, arguments, options);
  else
    print_plain(writer, chosen, options);
  if (!arguments.save.empty()) save(arguments, model, session, static_cast<SequenceId>(sequence), writer.report(0).unread);
  if (!arguments.json && writer.report(chosen[0]).end == GenerateReport::End::context_full)
    fmt::print(stderr, "linnet: the context of {} positions is full\n", session.plan().limits().context);
}

void search(const GenerateArguments& arguments, BeamOptions options, const Model& model, Session& session,
            const std::vector<int32_t>& prompt, const Result<Tokenizer>& tokenizer) {
  const std::vector<int32_t> begins = decoder_prompt(arguments, model, prompt);
  if (reads_source(model)) options.source = prompt;
  const BeamSearch found = take(beam_search(session, model, begins, options), arguments.model);
  Text text;
  if (tokenizer.ok()) check((*tokenizer).decode(found.ids(0), true, &text));
  if (!arguments.json) {
    if (tokenizer.ok())
      fmt::print("{}", view(text));
    else
      print_ids(found.ids(0));
    fmt::print("\n");
    return;
  }
  Json all = {{"prompt_ids", prompt}, {"ids", list(found.ids(0))}};
  if (tokenizer.ok()) all["text"] = view(text);
  all["beams"] = Json::array();
  all["scores"] = Json::array();
  for (size_t i = 0; i < found.results(); ++i) {
    all["beams"].push_back(list(found.ids(i)));
    all["scores"].push_back(found.score(i));
  }
  print_line(all);
}

// The model that drafts, and its session.
struct Drafting {
  Drafting(const std::string& path, const Limits& like) : model(take(Model::open(path.c_str()))), session(open(path, like)) {}
  Session open(const std::string& path, const Limits& like) {
    Limits limits;
    limits.context = like.context;
    limits.threads = like.threads;
    limits.isa = like.isa;
    return take(Session::create(model, take(plan(model, limits), path)));
  }
  Model model;
  Session session;
};

void run(GenerateArguments& arguments) {
  const bool keeps = !arguments.load.empty() || !arguments.save.empty();
  if (keeps && (arguments.samples > 1 || !arguments.adapter.empty()))
    throw CLI::ValidationError(arguments.load.empty() ? "--save" : "--load", "one text without an adapter can be kept");
  if (arguments.best > arguments.samples)
    throw CLI::ValidationError("--best", fmt::format("{} of {} samples cannot be chosen", arguments.best, arguments.samples));
  arguments.check_beams();
  const Model model = take(Model::open(arguments.model.c_str()));
  const Result<Tokenizer> tokenizer = Tokenizer::create(model);
  const Result<Tokenizer> target = Tokenizer::create_target(model);
  const std::vector<int32_t> prompt = prompt_ids(arguments, tokenizer);
  if (prompt.empty()) throw Failure(arguments.model + ": the prompt is empty, and the model puts no token before a text");
  if (reads_source(model)) {
    if (keeps) throw Failure(arguments.model + ": a text that is written from a source begins anew; --save and --load are for others");
    arguments.take_lengths(model.generation());
  }
  const GenerateSettings settings(arguments, model.generation());
  const LoadedAdapter loaded(model, arguments.adapter);
  Limits limits = session_limits(arguments, settings, model, prompt.size());
  loaded.add_to(&limits);
  Session session = take(Session::create(model, take(plan(model, limits), arguments.model)));
  const AdapterId adapter = loaded.attach(session);
  if (settings.uses_beams()) {
    BeamOptions beams = settings.beams();
    beams.adapter = adapter;
    return search(arguments, beams, model, session, prompt, target);
  }
  GenerateOptions options = settings.options();
  if (target.ok()) options.tokenizer = &*target;
  std::optional<Drafting> drafting;
  if (!arguments.draft.empty()) {
    drafting.emplace(arguments.draft, session.plan().limits());
    options.speculation.draft = &drafting->session;
    options.speculation.draft_model = &drafting->model;
  }
  options.speculation.lookup = arguments.lookup;
  options.speculation.most = arguments.drafts;
  std::optional<Constraint> constraint = constraint_of(arguments, options, model);
  write(arguments, options, model, session, prompt, adapter, constraint ? &*constraint : nullptr);
}

}  // namespace

void add_generate(CLI::App& app) {
  auto arguments = std::make_shared<GenerateArguments>();
  CLI::App* command = app.add_subcommand("generate", "write on from a prompt, token by token");
  arguments->add_to(*command);
  command->callback([arguments] { run(*arguments); });
}

}  // namespace linnet::tool
