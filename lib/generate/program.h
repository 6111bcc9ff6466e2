// The program that writes text, and the one that reads a source for it: found by its kind and roles, never by a model's name.
#pragma once

#include <span>
#include <string_view>

#include "linnet/model.h"

namespace linnet::generation {

struct Autoregressive {
  std::string_view program, logits;  // names
  size_t vocabulary = 0;
  uint32_t bound = 0;              // ids that it reads are below
  uint32_t source_bound = 0;       // and those of its source
  bool depends_on_length = false;  // rotary frequencies that change with the text's length
  std::string_view encode = {};    // name of the program that reads a source; "" = the model writes without one
  int32_t start = -1;              // what a text begins with that is written from a source; -1 = the file does not say

  bool reads_source() const { return !encode.empty(); }
};

/// Errors: unsupported (none has logits).
Result<Autoregressive> find_autoregressive(const Model& model) noexcept;

/// What a text that is written from a source begins with: `prompt`, or the file's start in its place. Errors: invalid_argument (there is
/// neither; a source that the model does not read, or none where it needs one).
Result<std::span<const int32_t>> decoder_prompt(const Autoregressive& program, std::span<const int32_t> prompt, bool has_source) noexcept;

}  // namespace linnet::generation
