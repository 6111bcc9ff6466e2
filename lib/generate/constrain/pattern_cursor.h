// Where a schema's pattern is being read: its characters, escapes and numbers, and what is wrong with them.
#pragma once

#include <string_view>

#include "generate/constrain/grammar.h"

namespace linnet::constrain {

class PatternCursor {
 protected:
  explicit PatternCursor(std::string_view text) noexcept : text_(text) {}

  Status invalid(const char* what) const noexcept;
  Status unsupported(const char* what) const noexcept;
  /// How much of the pattern a sentence quotes.
  int shown() const noexcept;

  bool next_is(char c) const noexcept { return at_ < text_.size() && text_[at_] == c; }
  bool take(char c) noexcept {
    if (!next_is(c)) return false;
    ++at_;
    return true;
  }
  std::string_view rest() const noexcept { return {text_.data() + at_, text_.size() - at_}; }

  /// Of a repetition.
  Status number(uint32_t* value) noexcept;
  /// One character, or a class by its letter, is added to `ranges`.
  Status character(core::Array<CharacterRange>* ranges, bool* single, bool* shorthand) noexcept;

  std::string_view text_;
  size_t at_ = 0;

 private:
  Status escape(core::Array<CharacterRange>* ranges, bool* single, bool* shorthand) noexcept;
  Status hex(int digits, char32_t* code) noexcept;
};

}  // namespace linnet::constrain
