#include "generate/constrain/grammar_text.h"

#include <algorithm>

#include "core/limits.h"
#include "core/try.h"
#include "generate/constrain/grammar_cursor.h"
#include "text/bytes.h"
#include "text/unicode.h"

namespace linnet::constrain {
namespace {

bool is_name(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_'; }

class Parser : GrammarCursor {
 public:
  explicit Parser(std::string_view text) noexcept : GrammarCursor(text) {}

  Result<Grammar> run() noexcept {
    if (text_.size() > core::limits::kGrammarBytes)
      return Status::error(Code::invalid_argument, "the grammar has %zu bytes, expected at most %u", text_.size(),
                           core::limits::kGrammarBytes);
    for (skip(true); at_ < text_.size(); skip(true)) {
      LINNET_TRY(rule());
      LINNET_TRY(take_status());
    }
    const uint32_t root = find("root");
    if (root == kUnbounded || grammar_.rule(root).body == kUnbounded)
      return Status::error(Code::invalid_argument, "the grammar has no rule 'root'");
    grammar_.set_root(root);
    return std::move(grammar_);
  }

 private:
  Status take_status() noexcept {
    if (!grammar_.failed()) return {};
    return Status::error(grammar_.status().code(), "%s", grammar_.status().message());
  }

  std::string_view name() noexcept {
    const size_t begin = at_;
    while (at_ < text_.size() && is_name(text_[at_])) ++at_;
    return {text_.data() + begin, at_ - begin};
  }

  // Rules by name, in buckets.
  uint32_t find(std::string_view name) const noexcept {
    if (slots_.empty()) return kUnbounded;
    return slots_[slot(name)];
  }
  size_t slot(std::string_view name) const noexcept {
    uint32_t hash = 2166136261u;
    for (char c : name) hash = (hash ^ static_cast<uint8_t>(c)) * 16777619u;
    size_t i = hash & (slots_.size() - 1);
    while (slots_[i] != kUnbounded && grammar_.name(slots_[i]) != name) i = (i + 1) & (slots_.size() - 1);
    return i;
  }
  Result<uint32_t> rule_of(std::string_view name) noexcept {
    if (slots_.empty()) {
      LINNET_TRY(slots_.resize(4 * core::limits::kGrammarRules));
      std::fill(slots_.begin(), slots_.end(), kUnbounded);
    }
    const size_t at = slot(name);
    if (slots_[at] != kUnbounded) return slots_[at];
    const uint32_t rule = grammar_.add_rule(name);
    LINNET_TRY(take_status());
    slots_[at] = rule;
    return rule;
  }

  Status rule() noexcept {
    const std::string_view name = this->name();
    if (name.empty()) return expected("the name of a rule");
    skip(false);
    if (!next_is("::=")) return expected("'::='");
    at_ += 3;
    skip(true);
    LINNET_ASSIGN(const uint32_t rule, rule_of(name));
    if (grammar_.rule(rule).body != kUnbounded)
      return Status::error(Code::invalid_argument, "rule '%.*s' is defined twice", static_cast<int>(std::min<size_t>(name.size(), 64)),
                           name.data());
    LINNET_ASSIGN(const Expr body, choice(0));
    if (at_ < text_.size() && !next_is('\n') && !next_is('\r')) return expected("the end of the rule");
    grammar_.define(rule, body);
    return {};
  }

  Result<Expr> choice(uint32_t nesting) noexcept {
    if (nesting > core::limits::kGrammarNesting / 4)
      return Status::error(Code::invalid_argument, "the grammar has more than %u brackets within each other",
                           core::limits::kGrammarNesting / 4);
    core::Array<Expr> ways;
    do {
      skip(true);
      LINNET_ASSIGN(const Expr way, sequence(nesting));
      LINNET_TRY(ways.push(way));
      next_line_goes_on(nesting);
    } while (take('|'));
    return grammar_.choice({ways.data(), ways.size()});
  }

  // A rule goes on behind the end of a line where '|' follows; brackets go on until they are closed.
  void next_line_goes_on(uint32_t nesting) noexcept {
    const size_t before = at_;
    skip(true);
    if (nesting == 0 && !next_is('|')) at_ = before;
  }

  Result<Expr> sequence(uint32_t nesting) noexcept {
    core::Array<Expr> parts;
    for (;;) {
      skip(nesting > 0);
      if (at_ == text_.size() || next_is('|') || next_is(')') || next_is('\n') || next_is('\r')) break;
      LINNET_ASSIGN(const Expr part, item(nesting));
      LINNET_ASSIGN(const Expr times, repeated(part));
      LINNET_TRY(parts.push(times));
      LINNET_TRY(take_status());
    }
    return grammar_.sequence({parts.data(), parts.size()});
  }

  Result<Expr> item(uint32_t nesting) noexcept {
    if (take('"')) return literal();
    if (take('[')) return character_class();
    if (take('.')) return grammar_.set({}, true);
    if (take('(')) {
      LINNET_ASSIGN(const Expr inner, choice(nesting + 1));
      if (!take(')')) return expected("')'");
      return inner;
    }
    const std::string_view name = this->name();
    if (name.empty()) return expected("a rule's name, a literal, a class or '('");
    LINNET_ASSIGN(const uint32_t rule, rule_of(name));
    return grammar_.reference(rule);
  }

  Result<Expr> repeated(Expr part) noexcept {
    for (uint32_t times = 0;; ++times) {
      uint32_t min = 0, max = kUnbounded;
      skip(false);
      if (next_is('+')) {
        min = 1;
      } else if (next_is('?')) {
        max = 1;
      } else if (next_is('{')) {
        LINNET_TRY(bounds(&min, &max));
      } else if (!next_is('*')) {
        return part;
      }
      if (times == 8) return expected("no further repetition");
      if (!take('}')) ++at_;
      part = grammar_.repeat(part, min, max);
      LINNET_TRY(take_status());
    }
  }

  // {m}, {m,}, {,n} or {m,n}, up to the closing bracket.
  Status bounds(uint32_t* min, uint32_t* max) noexcept {
    ++at_;
    LINNET_ASSIGN(const uint32_t first, number(0));
    *min = *max = first;
    skip(false);
    if (take(',')) {
      LINNET_ASSIGN(const uint32_t second, number(kUnbounded));
      *max = second;
      skip(false);
    }
    return next_is('}') ? Status() : expected("'}'");
  }

  Result<uint32_t> number(uint32_t none) noexcept {
    skip(false);
    if (at_ == text_.size() || text_[at_] < '0' || text_[at_] > '9') return none;
    uint32_t value = 0;
    for (; at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9'; ++at_) {
      value = value * 10 + static_cast<uint32_t>(text_[at_] - '0');
      if (value > core::limits::kGrammarRepeat) return expected("a smaller number");
    }
    return value;
  }

  Result<Expr> literal() noexcept {
    text::Bytes bytes;
    while (!take('"')) {
      LINNET_ASSIGN(const char32_t code, character("'\"'"));
      LINNET_TRY(bytes.reserve(4));
      text::put_point(code, &bytes);
    }
    return grammar_.literal(bytes.view());
  }

  Result<Expr> character_class() noexcept {
    const bool inverted = take('^');
    core::Array<CharacterRange> ranges;
    while (!take(']')) {
      LINNET_ASSIGN(const char32_t first, character("']'"));
      char32_t last = first;
      if (next_is('-') && !next_is("-]")) {
        ++at_;
        LINNET_ASSIGN(last, character("']'"));
        if (last < first) return expected("a range that rises");
      }
      LINNET_TRY(ranges.push({first, last}));
    }
    return grammar_.set({ranges.data(), ranges.size()}, inverted);
  }

  Grammar grammar_;
  core::Array<uint32_t> slots_;
};

}  // namespace

Result<Grammar> parse_grammar(std::string_view text) noexcept {
  Parser parser(text);
  return parser.run();
}

}  // namespace linnet::constrain
