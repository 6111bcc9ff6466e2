// Stop strings in a text that arrives in pieces: nothing is let out that may still become one.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "core/array.h"
#include "linnet/tokenizer.h"

namespace linnet::generation {

/// The strings and, for each of their bytes, how much of the beginning is still matched when the next one differs (Knuth, Morris, Pratt).
class StopStrings {
 public:
  /// The strings stay the caller's and must outlive this. Errors: invalid_argument (an empty one, or bytes that are no UTF-8, by its
  /// number), out_of_memory.
  Status set(std::span<const std::string_view> strings) noexcept;
  size_t count() const noexcept { return strings_.size(); }
  std::string_view operator[](size_t i) const noexcept { return strings_[i]; }
  /// How many bytes of string `i` the text ends with after `byte`, when it ended with `matched` (below its size) before.
  uint32_t next(size_t i, uint32_t matched, char byte) const noexcept;

 private:
  std::span<const std::string_view> strings_;
  core::Array<core::Array<uint32_t>> fallback_;  // [string][matched - 1]
};

/// One text's place in them.
class StopMatcher {
 public:
  /// `strings` must outlive the matcher.
  Status start(const StopStrings& strings) noexcept;
  /// Takes in whole characters and appends what can no longer begin a stop string. When one is complete, `found` becomes true, the text
  /// before it (with `include`, it too) has been let out, and what follows it is dropped.
  Status put(std::string_view piece, bool include, Text* out, bool* found) noexcept;
  /// Appends what is still held back.
  Status finish(Text* out) noexcept;

 private:
  Status let_out(std::string_view piece, size_t bytes, Text* out) noexcept;
  // What is held back is the beginning of the string that is matched furthest.
  std::string_view held() const noexcept;

  const StopStrings* strings_ = nullptr;
  core::Array<uint32_t> matched_;  // [string]
  core::Array<uint32_t> places_;   // the same while a piece is looked at: what is held back is read from the old ones
};

}  // namespace linnet::generation
