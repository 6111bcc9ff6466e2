// The text of one list of ids as it grows: whole characters, and nothing that may still become a stop string.
#pragma once

#include "generate/stop_strings.h"

namespace linnet::generation {

class TextOutput {
 public:
  TextOutput(const Tokenizer& tokenizer, bool skip_special, bool include_stop) noexcept
      : decoder_(tokenizer, skip_special), include_stop_(include_stop) {}

  /// What comes next is decoded as the continuation of `prompt`.
  Status start(const StopStrings& strings, std::span<const int32_t> prompt) noexcept;
  /// Adds an id; `found` becomes true where a stop string is complete.
  Status put(int32_t id, bool* found) noexcept;
  /// Lets out what is held back. `found` as in put: dead bytes become characters only now.
  Status finish(bool* found) noexcept;

  std::string_view text() const noexcept { return view(text_); }

 private:
  StreamDecoder decoder_;
  bool include_stop_;
  StopMatcher matcher_;
  Text decoded_;  // by the last id
  Text text_;
};

}  // namespace linnet::generation
