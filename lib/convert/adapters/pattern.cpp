// Matching a pattern's nodes.
#include "convert/adapters/pattern.h"

#include <fmt/format.h>

#include <functional>

#include "convert/adapters/pattern_node.h"
#include "convert/error.h"

namespace linnet::convert {

namespace {

using Node = Pattern::Node;
using Sequence = std::vector<Node>;

constexpr size_t kMostSteps = 1 << 18;
constexpr size_t kMostDepth = 1 << 13;  // of the matcher's recursion

// Backtracking, one continuation for what follows; steps and depth are counted.
class Matcher {
 public:
  using Then = std::function<bool(size_t)>;
  Matcher(const std::string& pattern, const std::string& text) : pattern_(pattern), text_(text) {}

  bool sequence(const Sequence& nodes, size_t i, size_t at, const Then& then) {
    if (i == nodes.size()) return then(at);
    return node(nodes[i], at, [&](size_t next) { return sequence(nodes, i + 1, next, then); });
  }

  bool node(const Node& n, size_t at, const Then& then) {
    const Level level(this);
    switch (n.kind) {
      case Node::set:
        return at < text_.size() && n.letters[static_cast<unsigned char>(text_[at])] && then(at + 1);
      case Node::begin:
        return at == 0 && then(at);
      case Node::end:
        return at == text_.size() && then(at);
      case Node::boundary:
      case Node::no_boundary:
        return (is_word(at) != (at > 0 && is_word(at - 1))) == (n.kind == Node::boundary) && then(at);
      case Node::repeat:
        return repeat(n, 0, at, then);
      case Node::ahead:
      case Node::not_ahead:
        return any(n, at, [](size_t) { return true; }) == (n.kind == Node::ahead) && then(at);
      default:
        return any(n, at, then);
    }
  }

 private:
  struct Level {
    explicit Level(Matcher* matcher) : owner(matcher) {
      if (++matcher->steps_ > kMostSteps || ++matcher->depth_ > kMostDepth)
        throw Error(fmt::format("the pattern \"{}\" takes too long to match a module's name", matcher->pattern_.substr(0, 80)));
    }
    ~Level() { --owner->depth_; }
    Matcher* owner;
  };

  bool is_word(size_t at) const { return at < text_.size() && class_of('w')[static_cast<unsigned char>(text_[at])]; }
  bool any(const Node& n, size_t at, const Then& then) {
    for (const Sequence& branch : n.branches)
      if (sequence(branch, 0, at, then)) return true;
    return false;
  }
  bool repeat(const Node& n, size_t done, size_t at, const Then& then) {
    const Level level(this);
    const bool again =
        done < n.most && node(n.branches[0][0], at, [&](size_t next) {
          return (next != at || done < n.least) && repeat(n, done + 1, next, then);  // nothing, again and again, gets nowhere
        });
    return again || (done >= n.least && then(at));
  }

  const std::string& pattern_;
  const std::string& text_;
  size_t steps_ = 0, depth_ = 0;
};

}  // namespace

Pattern::Pattern(const std::string& text) : text_(text), root_(std::make_unique<Node>(parse_pattern(text))) {}
Pattern::~Pattern() = default;
Pattern::Pattern(Pattern&&) noexcept = default;

bool Pattern::matches_rest(const std::string& text, size_t first) const {
  return Matcher(text_, text).node(*root_, first, [&](size_t at) { return at == text.size(); });
}

bool matches_end(const Pattern& key, const std::string& path) {
  for (size_t first = 0;; ++first) {
    if (key.matches_rest(path, first)) return true;
    first = path.find('.', first);
    if (first == std::string::npos) return false;
  }
}

}  // namespace linnet::convert
