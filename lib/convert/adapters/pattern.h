// Regular expressions as adapter configurations write them (Python's, without back-references and look-behind), matched in bounded time: a
// configuration is untrusted, and the usual matchers take as long as its author likes.
#pragma once

#include <memory>
#include <string>

namespace linnet::convert {

class Pattern {
 public:
  /// Throws Error naming the pattern and what in it is not understood.
  explicit Pattern(const std::string& text);
  ~Pattern();
  Pattern(Pattern&&) noexcept;
  /// Whether the pattern matches all of text[first, end). Throws Error where that takes too many steps.
  bool matches_rest(const std::string& text, size_t first) const;

  struct Node;

 private:
  std::string text_;
  std::unique_ptr<Node> root_;
};

/// Whether a module path ends with the key of a rank_pattern or alpha_pattern, at a name's beginning: (.*\.)?(KEY)$
bool matches_end(const Pattern& key, const std::string& path);

}  // namespace linnet::convert
