// What `linnet generate` is asked for, and what becomes of it: options of the command line before the file's defaults before the library's.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "command.h"
#include "linnet/beam_search.h"
#include "linnet/constraint.h"
#include "linnet/generate.h"
#include "writing.h"

namespace linnet::tool {

struct GenerateArguments {
  std::string model, ids, decoder_ids, adapter, draft, load, save;
  std::optional<std::string> prompt, prompt_file, schema, grammar;
  uint32_t max_tokens = 128, min_tokens = 0, samples = 1, best = 0, keep = 0;
  DrawOptions draw;
  std::optional<float> typical, length_penalty;
  float presence_penalty = 0, frequency_penalty = 0;
  std::optional<uint32_t> beams, logprobs;
  std::vector<std::string> logit_bias, stop;
  std::vector<int32_t> eos;
  std::string early_stopping, context_policy = "stop";
  uint32_t drafts = 8;
  bool lookup = false, include_stop = false, ignore_eos = false, raw = false, json = false;
  SessionOptions session;
  std::vector<const CLI::Option*> not_for_beams;
  const CLI::Option *max_tokens_given = nullptr, *min_tokens_given = nullptr;

  void add_to(CLI::App& command);
  /// A search draws nothing and prints one text: what asks for that is refused beside --beams.
  void check_beams() const;
  /// Of an encoder-decoder: what its file says of lengths, unless they were given.
  void take_lengths(const GenerationDefaults& defaults);
};

/// The options as the library takes them; they point into this object.
class GenerateSettings {
 public:
  GenerateSettings(const GenerateArguments& arguments, const GenerationDefaults& defaults);
  GenerateSettings(const GenerateSettings&) = delete;

  /// Asked for by the command line, or by the file where nothing else was asked for.
  bool uses_beams() const { return beams_.beams > 0; }
  const GenerateOptions& options() const { return options_; }
  const BeamOptions& beams() const { return beams_; }

 private:
  std::vector<LogitBias> biases_;
  std::vector<std::string_view> stops_;
  GenerateOptions options_;
  BeamOptions beams_;
};

/// The prompt's ids from --ids, --prompt or --prompt-file.
std::vector<int32_t> prompt_ids(const GenerateArguments& arguments, const Result<Tokenizer>& tokenizer);
/// What --schema or --grammar asks for; options.tokenizer spells it.
std::optional<Constraint> constraint_of(const GenerateArguments& arguments, const GenerateOptions& options, const Model& model);
/// What the decoder begins with, where that was given; of other models the prompt.
std::vector<int32_t> decoder_prompt(const GenerateArguments& arguments, const Model& model, const std::vector<int32_t>& prompt);
/// Limits with room for the samples or beams; the context is as large as prompt and new tokens need unless it was given.
Limits session_limits(const GenerateArguments& arguments, const GenerateSettings& settings, const Model& model, size_t prompt);

}  // namespace linnet::tool
