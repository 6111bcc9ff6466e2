#include "generate_options.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>

namespace linnet::tool {
namespace {

LogitBias parse_bias(const std::string& text) {
  LogitBias bias{};
  const char* end = text.data() + text.size();
  const auto id = std::from_chars(text.data(), end, bias.id);
  if (id.ec == std::errc() && id.ptr < end && *id.ptr == '=') {
    const auto value = std::from_chars(id.ptr + 1, end, bias.value);
    if (value.ec == std::errc() && value.ptr == end) return bias;
  }
  throw Failure("--logit-bias: '" + text.substr(0, 40) + "' is not ID=VALUE, such as 42=-1.5 or 42=-inf");
}

EarlyStopping parse_early_stopping(const std::string& text, uint8_t otherwise) {
  if (text.empty()) return static_cast<EarlyStopping>(std::min<uint8_t>(otherwise, 2));
  return text == "true" ? EarlyStopping::yes : text == "never" ? EarlyStopping::never : EarlyStopping::no;
}

Sampling sampling(const GenerateArguments& arguments, const GenerationDefaults& defaults) {
  Sampling result = arguments.draw.sampling(defaults);
  result.typical = arguments.typical.value_or(1.0f);
  result.presence_penalty = arguments.presence_penalty;
  result.frequency_penalty = arguments.frequency_penalty;
  return result;
}

// How many beams; 0 = none.
uint32_t beams(const GenerateArguments& arguments, const GenerationDefaults& defaults) {
  if (arguments.beams) return *arguments.beams;
  // Whoever asks for what beams cannot do does not mean the file's beams.
  const bool otherwise = arguments.raw || defaults.sample ||
                         std::any_of(arguments.not_for_beams.begin(), arguments.not_for_beams.end(),
                                     [](const CLI::Option* option) { return option->count() != 0; });
  return otherwise || defaults.beams < 2 ? 0 : defaults.beams;
}

std::string text_of_prompt(const GenerateArguments& arguments) {
  return arguments.prompt ? *arguments.prompt : read_file(*arguments.prompt_file);
}

}  // namespace

void GenerateArguments::check_beams() const {
  if (!beams) return;
  for (const CLI::Option* option : not_for_beams)
    if (option->count()) throw CLI::ExcludesError("--beams", option->get_name());
}

void GenerateArguments::take_lengths(const GenerationDefaults& defaults) {
  if (raw) return;
  // They count the id that starts the decoder.
  if (max_tokens_given->count() == 0 && defaults.max_length > 1) max_tokens = defaults.max_length - 1;
  if (min_tokens_given->count() == 0 && defaults.min_length > 1) min_tokens = std::min(defaults.min_length - 1, max_tokens);
}

GenerateSettings::GenerateSettings(const GenerateArguments& arguments, const GenerationDefaults& defaults) {
  for (const std::string& bias : arguments.logit_bias) biases_.push_back(parse_bias(bias));
  stops_.assign(arguments.stop.begin(), arguments.stop.end());
  options_.max_tokens = arguments.max_tokens;
  options_.min_tokens = arguments.min_tokens;
  options_.sampling = sampling(arguments, arguments.raw ? GenerationDefaults() : defaults);
  options_.sampling.logit_bias = biases_;
  options_.eos = arguments.eos.empty() ? defaults.eos : std::span<const int32_t>(arguments.eos);
  options_.ignore_eos = arguments.ignore_eos;
  options_.stop = stops_;
  options_.include_stop = arguments.include_stop;
  options_.log_probabilities = arguments.logprobs || arguments.best;
  options_.top_log_probabilities = arguments.logprobs.value_or(0);
  options_.context_policy = arguments.context_policy == "slide"    ? ContextPolicy::slide
                            : arguments.context_policy == "refuse" ? ContextPolicy::refuse
                                                                   : ContextPolicy::stop;
  options_.keep = arguments.keep;
  if (!arguments.raw) {
    options_.forced_bos = defaults.forced_bos;
    options_.forced_eos = defaults.forced_eos;
  }
  beams_.beams = tool::beams(arguments, defaults);
  beams_.max_tokens = arguments.max_tokens;
  beams_.min_tokens = arguments.min_tokens;
  beams_.length_penalty = arguments.length_penalty.value_or(arguments.raw ? 1.0f : defaults.length_penalty);
  beams_.early_stopping = parse_early_stopping(arguments.early_stopping, arguments.raw ? uint8_t{0} : defaults.early_stopping);
  if (!arguments.ignore_eos) beams_.eos = options_.eos;
  beams_.forced_bos = options_.forced_bos;
  beams_.forced_eos = options_.forced_eos;
  beams_.banned = options_.sampling.banned;
  beams_.repetition_penalty = options_.sampling.repetition_penalty;
  beams_.no_repeat_ngram = options_.sampling.no_repeat_ngram;
}

std::vector<int32_t> prompt_ids(const GenerateArguments& arguments, const Result<Tokenizer>& tokenizer) {
  if (!arguments.prompt && !arguments.prompt_file) return parse_ids(arguments.ids);
  if (!tokenizer.ok()) throw Failure(fmt::format("{}: {}; give the prompt as --ids", arguments.model, tokenizer.status().message()));
  Ids ids;
  Tokenizer::EncodeOptions options;
  options.add_special = arguments.load.empty();  // what goes on does not begin again
  check((*tokenizer).encode(text_of_prompt(arguments), options, &ids));
  return {ids.begin(), ids.end()};
}

std::vector<int32_t> decoder_prompt(const GenerateArguments& arguments, const Model& model, const std::vector<int32_t>& prompt) {
  if (reads_source(model)) return parse_ids(arguments.decoder_ids);
  if (!arguments.decoder_ids.empty()) throw Failure(arguments.model + ": it has no decoder of its own; give the prompt as --ids");
  return prompt;
}

std::optional<Constraint> constraint_of(const GenerateArguments& arguments, const GenerateOptions& options, const Model& model) {
  if (!arguments.schema && !arguments.grammar) return std::nullopt;
  const std::string& path = arguments.schema ? *arguments.schema : *arguments.grammar;
  if (!options.tokenizer) throw Failure(arguments.model + ": it has no tokenizer, and a schema or grammar needs one");
  if (arguments.samples > 1) throw Failure("--samples: a schema or grammar serves one text, not several");
  size_t logits = 0;
  const auto program = static_cast<size_t>(find_writer(model));
  for (size_t i = 0; i < model.program(program).outputs; ++i)
    if (model.output(program, i).role == "logits") logits = model.output(program, i).columns;
  const ConstraintVocabulary vocabulary = take(ConstraintVocabulary::create(*options.tokenizer, options.eos, logits), arguments.model);
  const std::string text = read_file(path);
  Constraint constraint =
      take(arguments.schema ? Constraint::from_schema(vocabulary, text) : Constraint::from_grammar(vocabulary, text), path);
  if (arguments.max_tokens < constraint.shortest_tokens())
    throw Failure(fmt::format("{}: its shortest text takes {} tokens, and --max-tokens is {}", path, constraint.shortest_tokens(),
                              arguments.max_tokens));
  return constraint;
}

Limits session_limits(const GenerateArguments& arguments, const GenerateSettings& settings, const Model& model, size_t prompt) {
  Limits limits = arguments.session.limits();
  const int program = find_writer(model);
  if (program < 0) throw Failure(arguments.model + ": it writes no text; its task is " + std::string(model.task()));
  const uint32_t made_for = model.program(static_cast<size_t>(program)).max_positions;
  if (reads_source(model)) {
    limits.source_tokens = static_cast<uint32_t>(prompt);
    limits.sources = 1;
    prompt = std::max<size_t>(1, parse_ids(arguments.decoder_ids).size());
  }
  const uint64_t wanted = uint64_t{prompt} + arguments.max_tokens;
  const bool kept = !arguments.load.empty() || !arguments.save.empty();  // then as much as the model was made for
  if (!limits.context && !kept) limits.context = static_cast<uint32_t>(std::min<uint64_t>(made_for ? made_for : UINT32_MAX, wanted));
  limits.patches = 1;  // a prompt of the command line has no pictures
  limits.sequences = settings.uses_beams() ? settings.beams().beams : arguments.samples;
  if (arguments.lookup || !arguments.draft.empty()) limits.outputs = std::max(limits.sequences, arguments.drafts + 1);
  if (settings.uses_beams() && !limits.batch_tokens) limits.batch_tokens = std::max(limits.sequences, std::min(limits.context, 512u));
  return limits;
}

void GenerateArguments::add_to(CLI::App& command) {
  command.add_option("MODEL", model, ".linnet file")->required();
  auto* from = command.add_option_group("prompt", "where the text begins");
  from->add_option("--prompt", prompt, "text to go on from");
  from->add_option("--prompt-file", prompt_file, "a file with that text; - is standard input");
  from->add_option("--ids", ids, "the prompt as token ids: 1,2,3");
  from->require_option(1);
  command.add_option("--decoder-ids", decoder_ids, "of encoder-decoders, whose prompt is the source: what the new text begins with");
  max_tokens_given = command.add_option("--max-tokens", max_tokens, "new tokens at most (default 128)");
  min_tokens_given = command.add_option("--min-tokens", min_tokens, "no end-of-text token before so many");
  not_for_beams = draw.add_to(command);
  not_for_beams.insert(
      not_for_beams.end(),
      {
          command.add_option("--typical", typical, "draw from those of typical surprise that together reach this mass"),
          command.add_option("--presence-penalty", presence_penalty, "subtracted from logits of new ids that occurred"),
          command.add_option("--frequency-penalty", frequency_penalty, "subtracted once for each time that they did"),
          command.add_option("--logit-bias", logit_bias, "ID=VALUE, added to a logit; repeatable")->allow_extra_args(false),
          command.add_option("--logprobs", logprobs, "with --json: log-probabilities of new ids and of the N best at their places"),
          command.add_option("--samples", samples, "texts from this prompt")->check(at_least_one()),
          command.add_option("--best", best, "of the samples, the N with the highest mean log-probability")->check(at_least_one()),
          command.add_option("--stop", stop, "text that ends the text; repeatable")->allow_extra_args(false),
          command.add_flag("--include-stop", include_stop, "let it be part of the text"),
          command
              .add_option("--context-policy", context_policy,
                          "when the context is full: stop, refuse (before it begins), slide (forget the oldest)")
              ->check(CLI::IsMember({"stop", "refuse", "slide"})),
          command.add_option("--keep", keep, "of slide: ids at the beginning that are not forgotten"),
          command.add_option("--seed", draw.seed, "of the draws (default 0)"),
          command.add_option("--schema", schema, "a file with a JSON schema: write one JSON value that satisfies it"),
          command.add_option("--grammar", grammar, "a file with a grammar (GBNF): write a text of its rule root")->excludes("--schema"),
          command.add_flag("--lookup", lookup, "draft from the text itself: the same ids, faster where it repeats itself"),
          command.add_option("--draft", draft,
                             "smaller model with the same vocabulary that drafts: the same ids, faster where it is right"),
          command.add_option("--drafts", drafts, "drafts in one run (default 8, at most 16)")->check(at_least_one()),
          command.add_option("--load", load, "go on where --save left off: the prompt follows what was read and written then"),
          command.add_option("--save", save, "keep what was read and written in a file, for this model"),
      });
  draw.add_repetition_penalty(command);
  command.add_option("--beams", beams, "beam search with so many beams")->check(at_least_one());
  command.add_option("--length-penalty", length_penalty, "of beams: above 0 favours long texts (default: as the file says, else 1)");
  command.add_option("--early-stopping", early_stopping, "of beams: true, false, never")->check(CLI::IsMember({"true", "false", "never"}));
  command.add_option("--eos", eos, "id that ends the text, instead of the file's; repeatable")->allow_extra_args(false);
  command.add_flag("--ignore-eos", ignore_eos, "do not stop at an end-of-text token");
  command.add_flag("--raw", raw, "ignore the file's generation defaults");
  command.add_flag("--json", json, "one object with prompt_ids, ids, text and timings; with samples or beams all of them");
  command.add_option("--adapter", adapter, "LoRA beside the model: a PEFT folder, or what convert made of one");
  session.add_to(command);
}

}  // namespace linnet::tool
