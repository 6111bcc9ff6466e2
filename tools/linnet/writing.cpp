#include "writing.h"

#include <cstdio>

namespace linnet::tool {

std::vector<const CLI::Option*> DrawOptions::add_to(CLI::App& command) {
  return {
      command.add_option("--temperature", temperature, "0 is greedy (default: as the file says, else greedy)"),
      command.add_option("--top-k", top_k, "draw from the k most probable"),
      command.add_option("--top-p", top_p, "draw from the fewest that together reach p"),
      command.add_option("--min-p", min_p, "drop what is less probable than min-p times the most probable"),
  };
}

void DrawOptions::add_repetition_penalty(CLI::App& command) {
  command.add_option("--repetition-penalty", repetition_penalty, "above 1 discourages ids that occurred");
}

Sampling DrawOptions::sampling(const GenerationDefaults& defaults) const {
  Sampling result;
  result.temperature = temperature.value_or(defaults.sample ? defaults.temperature : 0.0f);
  result.top_p = top_p.value_or(defaults.sample ? defaults.top_p : 1.0f);
  result.top_k = top_k.value_or(defaults.sample ? defaults.top_k : 0u);
  result.min_p = min_p.value_or(0.0f);
  result.repetition_penalty = repetition_penalty.value_or(defaults.repetition_penalty);
  result.no_repeat_ngram = defaults.no_repeat_ngram;
  result.banned = defaults.banned;
  result.seed = seed;
  return result;
}

bool print_piece(void*, const NewToken& token) {
  std::fwrite(token.piece.data(), 1, token.piece.size(), stdout);
  std::fflush(stdout);
  return true;
}

bool print_progress(void*, uint32_t, uint32_t done, uint32_t total) {
  if (total > 512) show_progress("reading the prompt", done, total);
  return true;
}

}  // namespace linnet::tool
