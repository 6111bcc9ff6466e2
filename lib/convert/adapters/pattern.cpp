#include "convert/adapters/pattern.h"

#include <fmt/format.h>

#include <bitset>
#include <functional>
#include <vector>

#include "convert/error.h"

namespace linnet::convert {

namespace {

using Set = std::bitset<256>;

constexpr size_t kMostSteps = 1 << 18;
constexpr size_t kMostDepth = 1 << 13;  // of the matcher's recursion
constexpr size_t kMostNesting = 32;
constexpr size_t kMostCharacters = 1024;
constexpr size_t kUnlimited = SIZE_MAX;

Set range(unsigned char first, unsigned char last) {
  Set set;
  for (unsigned c = first; c <= last; ++c) set.set(c);
  return set;
}

// \d, \w, \s and their complements; empty for other letters.
Set class_of(char letter) {
  Set set;
  switch (letter | 0x20) {
    case 'd':
      set = range('0', '9');
      break;
    case 'w':
      set = range('0', '9') | range('a', 'z') | range('A', 'Z') | range('_', '_') | range(128, 255);
      break;
    case 's':
      set = range('\t', '\r') | range(' ', ' ');
      break;
    default:
      return set;
  }
  return letter & 0x20 ? set : ~set;
}

}  // namespace

struct Pattern::Node {
  enum Kind { set, begin, end, boundary, no_boundary, group, repeat, ahead, not_ahead } kind = set;
  Set letters;
  std::vector<std::vector<Node>> branches;  // group, look-ahead: alternatives; repeat: one branch of one node
  size_t least = 0, most = 0;
};

namespace {

using Node = Pattern::Node;
using Sequence = std::vector<Node>;

class Parser {
 public:
  explicit Parser(const std::string& text) : text_(text) {}
  Node parse() {
    if (text_.size() > kMostCharacters) refuse("its length");
    Node root = alternatives(Node::group, 0);
    if (at_ < text_.size()) refuse("a closing parenthesis");
    return root;
  }

 private:
  [[noreturn]] void refuse(const std::string& what) const {
    throw Error(fmt::format("the pattern \"{}\": {} at character {} is not understood", text_.substr(0, 80), what, at_));
  }
  bool more() const { return at_ < text_.size(); }
  char next() {
    if (!more()) refuse("its end");
    return text_[at_++];
  }
  bool take(const std::string& word) {
    if (text_.compare(at_, word.size(), word) != 0) return false;
    at_ += word.size();
    return true;
  }

  Node alternatives(Node::Kind kind, size_t depth) {
    if (depth > kMostNesting) refuse("so deep a nesting");
    Node node;
    node.kind = kind;
    node.branches.emplace_back();
    while (more() && text_[at_] != ')') {
      if (take("|"))
        node.branches.emplace_back();
      else
        node.branches.back().push_back(quantified(depth));
    }
    return node;
  }

  Node quantified(size_t depth) {
    Node node = atom(depth);
    while (more()) {
      size_t least, most;
      if (take("*"))
        least = 0, most = kUnlimited;
      else if (take("+"))
        least = 1, most = kUnlimited;
      else if (take("?"))
        least = 0, most = 1;
      else if (text_[at_] == '{' && counts(&least, &most)) {
      } else
        break;
      take("?");  // lazy or not, what is matched as a whole is the same
      Node repeat;
      repeat.kind = Node::repeat;
      repeat.least = least;
      repeat.most = most;
      repeat.branches = {{std::move(node)}};
      node = std::move(repeat);
    }
    return node;
  }

  // {m}, {m,}, {,n}, {m,n}; anything else is an ordinary brace.
  bool counts(size_t* least, size_t* most) {
    size_t at = at_ + 1;
    auto number = [&](size_t otherwise) {
      size_t value = 0, first = at;
      while (at < text_.size() && text_[at] >= '0' && text_[at] <= '9' && value < 100000)
        value = value * 10 + static_cast<size_t>(text_[at++] - '0');
      return at == first ? otherwise : value;
    };
    *least = number(0);
    const bool single = at < text_.size() && text_[at] == '}' && at > at_ + 1;
    if (!single) {
      if (at >= text_.size() || text_[at++] != ',') return false;
      *most = number(kUnlimited);
    } else {
      *most = *least;
    }
    if (at >= text_.size() || text_[at] != '}' || *least > *most) return false;
    at_ = at + 1;
    return true;
  }

  Node atom(size_t depth) {
    Node node;
    const char c = next();
    switch (c) {
      case '(':
        return group(depth);
      case '[':
        node.letters = bracket();
        return node;
      case '.':
        node.letters = ~range('\n', '\n');
        return node;
      case '^':
        node.kind = Node::begin;
        return node;
      case '$':
        node.kind = Node::end;
        return node;
      case '\\':
        return escape();
      case '*':
      case '+':
      case '?':
        --at_;
        refuse("a repetition of nothing");
      default:
        node.letters.set(static_cast<unsigned char>(c));
        return node;
    }
  }

  Node group(size_t depth) {
    Node::Kind kind = Node::group;
    if (take("?=")) {
      kind = Node::ahead;
    } else if (take("?!")) {
      kind = Node::not_ahead;
    } else if (take("?P<")) {
      while (next() != '>') {
      }
    } else if (!take("?:") && more() && text_[at_] == '?') {
      refuse("this kind of group");
    }
    Node node = alternatives(kind, depth + 1);
    if (!take(")")) refuse("the end of a group");
    return node;
  }

  Node escape() {
    Node node;
    const char c = next();
    if (const Set letters = class_of(c); letters.any()) {
      node.letters = letters;
    } else if (c == 'A' || c == 'Z' || c == 'b' || c == 'B') {
      node.kind = c == 'A' ? Node::begin : c == 'Z' ? Node::end : c == 'b' ? Node::boundary : Node::no_boundary;
    } else {
      node.letters.set(literal(c));
    }
    return node;
  }
  unsigned char literal(char c) {
    if (c == 'n') return '\n';
    if (c == 't') return '\t';
    const bool letter = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (letter) refuse("this escape");
    return static_cast<unsigned char>(c);
  }

  Set bracket() {
    const bool negated = take("^");
    Set letters;
    for (bool first = true;; first = false) {
      char c = next();
      if (c == ']' && !first) break;
      if (c == '\\') {
        c = next();
        if (const Set known = class_of(c); known.any()) {
          letters |= known;
          continue;
        }
        c = static_cast<char>(literal(c));
      }
      if (at_ + 1 < text_.size() && text_[at_] == '-' && text_[at_ + 1] != ']') {
        ++at_;
        char last = next();
        if (last == '\\') last = static_cast<char>(literal(next()));
        if (static_cast<unsigned char>(last) < static_cast<unsigned char>(c)) refuse("a range that falls");
        letters |= range(static_cast<unsigned char>(c), static_cast<unsigned char>(last));
      } else {
        letters.set(static_cast<unsigned char>(c));
      }
    }
    return negated ? ~letters : letters;
  }

  const std::string& text_;
  size_t at_ = 0;
};

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

Pattern::Pattern(const std::string& text) : text_(text), root_(std::make_unique<Node>(Parser(text).parse())) {}
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
