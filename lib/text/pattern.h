// What text is split at or replaced: a literal string, or one of the expressions that tokenizers are published with, each written out as a
// scanner. Scanners look at every character a bounded number of times, whatever the text; none recurses.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "linnet/status.h"

namespace linnet::text {

struct Span {
  uint32_t begin, end;
};

/// The length of the match at `at` (before the text's end), 0 when there is none. The text is valid UTF-8.
using Scanner = size_t (*)(std::string_view text, size_t at) noexcept;

class Pattern {
 public:
  /// One character or more, matched as it stands.
  static Pattern literal(std::string_view text) noexcept { return Pattern(text, nullptr); }
  /// Fails where no scanner has this name (scanners.cpp has the list).
  static Status scanner(std::string_view name, Pattern* pattern) noexcept;

  Pattern() noexcept = default;
  bool is_literal() const noexcept { return scan_ == nullptr; }
  std::string_view text() const noexcept { return literal_; }
  /// The first match that begins at or after `from`; false when there is none. Matches are not empty.
  bool find(std::string_view text, size_t from, Span* match) const noexcept;

 private:
  Pattern(std::string_view text, Scanner scan) noexcept : literal_(text), scan_(scan) {}

  std::string_view literal_;
  Scanner scan_ = nullptr;
};

}  // namespace linnet::text
