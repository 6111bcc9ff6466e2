// From a pattern's text to its nodes.
#include <fmt/format.h>

#include "convert/adapters/pattern_node.h"
#include "convert/error.h"

namespace linnet::convert {

namespace {

using Node = Pattern::Node;

constexpr size_t kMostNesting = 32;
constexpr size_t kMostCharacters = 1024;
constexpr size_t kUnlimited = SIZE_MAX;

LetterSet range(unsigned char first, unsigned char last) {
  LetterSet set;
  for (unsigned c = first; c <= last; ++c) set.set(c);
  return set;
}

}  // namespace

LetterSet class_of(char letter) {
  LetterSet set;
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

namespace {

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
    if (const LetterSet letters = class_of(c); letters.any()) {
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

  LetterSet bracket() {
    const bool negated = take("^");
    LetterSet letters;
    for (bool first = true;; first = false) {
      char c = next();
      if (c == ']' && !first) break;
      if (c == '\\') {
        c = next();
        if (const LetterSet known = class_of(c); known.any()) {
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

}  // namespace

Pattern::Node parse_pattern(const std::string& text) { return Parser(text).parse(); }

}  // namespace linnet::convert
