// What `linnet generate` and `linnet chat` share: how ids are drawn, and how a text is shown while it is written.
#pragma once

#include <optional>
#include <vector>

#include "command.h"
#include "linnet/generate.h"

namespace linnet::tool {

struct DrawOptions {
  std::optional<float> temperature, top_p, min_p, repetition_penalty;
  std::optional<uint32_t> top_k;
  uint64_t seed = 0;

  /// Adds --temperature, --top-k, --top-p and --min-p, and returns them.
  std::vector<const CLI::Option*> add_to(CLI::App& command);
  void add_repetition_penalty(CLI::App& command);
  /// What was asked for before what the file says before greedy.
  Sampling sampling(const GenerationDefaults& defaults) const;
};

/// Prints text as it becomes certain.
bool print_piece(void*, const NewToken& token);
/// Shows how far a long prompt has been read.
bool print_progress(void*, uint32_t text, uint32_t done, uint32_t total);

}  // namespace linnet::tool
