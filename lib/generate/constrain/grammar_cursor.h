// Where the text of a grammar is being read: white space, single characters, and what was expected there.
#pragma once

#include <string_view>

#include "linnet/status.h"

namespace linnet::constrain {

class GrammarCursor {
 protected:
  explicit GrammarCursor(std::string_view text) noexcept : text_(text) {}

  /// White space and comments; ends of lines only where a rule cannot end.
  void skip(bool lines) noexcept;
  bool next_is(char c) const noexcept { return at_ < text_.size() && text_[at_] == c; }
  bool next_is(std::string_view text) const noexcept { return std::string_view(text_.data() + at_, text_.size() - at_).starts_with(text); }
  bool take(char c) noexcept {
    if (!next_is(c)) return false;
    ++at_;
    return true;
  }
  /// invalid_argument with the line and the column.
  Status expected(const char* what) const noexcept;
  /// A character of a literal or a class, escaped or not; `end` is what would have ended it.
  Result<char32_t> character(const char* end) noexcept;

  std::string_view text_;
  size_t at_ = 0;

 private:
  Result<char32_t> escape() noexcept;
  Result<char32_t> hex(int digits) noexcept;
};

}  // namespace linnet::constrain
