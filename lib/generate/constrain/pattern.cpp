#include "generate/constrain/pattern.h"

#include <algorithm>

#include "core/limits.h"
#include "core/try.h"
#include "generate/constrain/schema_compiler.h"
#include "text/unicode.h"

namespace linnet::constrain {
namespace {

constexpr uint32_t kMostGroups = 24;  // within each other

struct Length {
  uint32_t min = 0, max = 0;  // characters; kUnbounded
};

uint32_t add_counts(uint32_t a, uint32_t b) { return a > kUnbounded - b ? kUnbounded : a + b; }
uint32_t multiply_counts(uint32_t a, uint32_t b) { return a == 0 || b == 0 ? 0 : a > kUnbounded / b ? kUnbounded : a * b; }

Length operator+(Length a, Length b) { return {add_counts(a.min, b.min), add_counts(a.max, b.max)}; }

struct Matched {
  Expr expr;
  Length length;
};

// A part of the pattern's outermost sequence, which limits may still narrow.
struct Item {
  Matched once;
  uint32_t min, max;
};

class PatternParser {
 public:
  PatternParser(std::string_view text, Grammar* grammar) noexcept : text_(text), grammar_(*grammar) {}

  Result<Expr> run(const PatternLimits& limits) noexcept {
    core::Array<Expr> ways;
    do {
      LINNET_ASSIGN(const Expr way, branch(limits));
      LINNET_TRY(ways.push(way));
    } while (take('|'));
    if (at_ < text_.size()) return invalid("')' without '('");
    return grammar_.choice({ways.data(), ways.size()});
  }

 private:
  Status invalid(const char* what) const noexcept {
    return Status::error(Code::invalid_argument, "the schema's pattern '%.*s' has %s at byte %zu", shown(), text_.data(), what, at_);
  }
  Status unsupported(const char* what) const noexcept {
    return Status::error(Code::unsupported, "the schema's pattern '%.*s' has %s, which is not supported", shown(), text_.data(), what);
  }
  int shown() const noexcept { return static_cast<int>(std::min<size_t>(text_.size(), 100)); }

  bool next_is(char c) const noexcept { return at_ < text_.size() && text_[at_] == c; }
  bool take(char c) noexcept {
    if (!next_is(c)) return false;
    ++at_;
    return true;
  }
  std::string_view rest() const noexcept { return {text_.data() + at_, text_.size() - at_}; }
  bool at_end() const noexcept { return at_ == text_.size() || next_is('|') || next_is(')'); }

  Item anything() noexcept { return {{in_string(grammar_, {}, true), {1, 1}}, 0, kUnbounded}; }

  // One alternative of the whole: what may stand around it where it has no anchors.
  Result<Expr> branch(const PatternLimits& limits) noexcept {
    core::Array<Item> items;
    if (!take('^')) LINNET_TRY(items.push(anything()));
    while (!at_end() && !next_is('$')) {
      Item item;
      LINNET_TRY(this->item(0, &item));
      LINNET_TRY(items.push(item));
    }
    if (!take('$')) LINNET_TRY(items.push(anything()));
    if (!at_end()) return unsupported("'$' before its end");
    LINNET_TRY(narrow(limits, &items));
    return sequence(items);
  }

  static Length length_of(const Item& item) noexcept {
    return {multiply_counts(item.once.length.min, item.min), multiply_counts(item.once.length.max, item.max)};
  }

  // Limits of length go into the one part that varies, if it repeats something of one length.
  Status narrow(const PatternLimits& limits, core::Array<Item>* items) noexcept {
    Length all;
    size_t varying = 0;
    Item* one = nullptr;
    for (Item& item : *items) {
      const Length length = length_of(item);
      all = all + length;
      if (length.min == length.max) continue;
      ++varying;
      one = &item;
    }
    if (limits.min <= all.min && limits.max >= all.max) return {};
    if (varying == 0 || limits.max < all.min || limits.min > all.max) {
      one = nullptr;
      items->clear();
      return items->push({{kNever, {0, 0}}, 1, 1});
    }
    if (varying != 1 || one->once.length.min != one->once.length.max || one->once.length.min == 0)
      return Status::error(Code::unsupported, "the schema's pattern '%.*s' cannot be combined with minLength and maxLength", shown(),
                           text_.data());
    const uint32_t width = one->once.length.min, fixed = all.min - length_of(*one).min;
    if (limits.min > fixed) one->min = std::max(one->min, (limits.min - fixed + width - 1) / width);
    if (limits.max != kUnbounded) one->max = std::min(one->max, (limits.max - fixed) / width);
    if (one->min > one->max) one->once.expr = kNever, one->min = one->max = 1;
    return {};
  }

  Expr sequence(const core::Array<Item>& items) noexcept {
    core::Array<Expr> parts;
    for (const Item& item : items) grammar_.check(parts.push(grammar_.repeat(item.once.expr, item.min, item.max)));
    return grammar_.sequence({parts.data(), parts.size()});
  }

  Result<Matched> group(uint32_t nesting) noexcept {
    if (nesting > kMostGroups) return unsupported("more than 24 groups within each other");
    core::Array<Expr> ways;
    Length length = {kUnbounded, 0};
    do {
      core::Array<Item> items;
      Length own;
      while (!at_end()) {
        Item item;
        LINNET_TRY(this->item(nesting, &item));
        own = own + length_of(item);
        LINNET_TRY(items.push(item));
      }
      length = {std::min(length.min, own.min), std::max(length.max, own.max)};
      LINNET_TRY(ways.push(sequence(items)));
    } while (take('|'));
    if (!take(')')) return invalid("no ')'");
    return Matched{grammar_.choice({ways.data(), ways.size()}), length};
  }

  Status item(uint32_t nesting, Item* out) noexcept {
    LINNET_ASSIGN(const Matched once, atom(nesting));
    *out = {once, 1, 1};
    if (take('*')) {
      out->min = 0, out->max = kUnbounded;
    } else if (take('+')) {
      out->max = kUnbounded;
    } else if (take('?')) {
      out->min = 0;
    } else if (next_is('{')) {
      LINNET_TRY(bounds(out));
    } else {
      return {};
    }
    take('?');  // lazy or not, the strings are the same
    if (next_is('*') || next_is('+') || next_is('?') || next_is('{')) return unsupported("a repetition of a repetition");
    return {};
  }

  Status bounds(Item* out) noexcept {
    ++at_;
    LINNET_TRY(number(&out->min));
    out->max = out->min;
    if (take(',')) {
      out->max = kUnbounded;
      if (!next_is('}')) LINNET_TRY(number(&out->max));
    }
    if (!take('}')) return invalid("no '}'");
    return out->min <= out->max ? Status() : invalid("a repetition whose bounds fall");
  }

  Status number(uint32_t* value) noexcept {
    if (at_ == text_.size() || text_[at_] < '0' || text_[at_] > '9') return invalid("no number");
    for (*value = 0; at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9'; ++at_) {
      *value = *value * 10 + static_cast<uint32_t>(text_[at_] - '0');
      if (*value > core::limits::kGrammarRepeat) return invalid("a repetition of more than 1000000 times");
    }
    return {};
  }

  Result<Matched> atom(uint32_t nesting) noexcept {
    if (take('(')) {
      if (take('?')) {
        if (!take(':')) return unsupported("a group that looks around or has a name");
      }
      return group(nesting + 1);
    }
    if (take('[')) return character_class();
    if (take('.')) {
      const CharacterRange lines[] = {{'\n', '\n'}, {'\r', '\r'}, {0x2028, 0x2029}};
      return Matched{in_string(grammar_, lines, true), {1, 1}};
    }
    if (next_is('^') || next_is('$')) return unsupported("an anchor inside");
    if (next_is('*') || next_is('+') || next_is('?') || next_is('{')) return invalid("a repetition of nothing");
    core::Array<CharacterRange> ranges;
    bool single = false, shorthand = false;
    LINNET_TRY(character(&ranges, &single, &shorthand));
    return Matched{in_string(grammar_, {ranges.data(), ranges.size()}), {1, 1}};
  }

  Result<Matched> character_class() noexcept {
    const bool inverted = take('^');
    core::Array<CharacterRange> ranges;
    bool shorthands = false;
    for (bool first = true; first || !next_is(']'); first = false) {
      if (first && next_is(']')) return unsupported("an empty class");
      bool single = false;
      LINNET_TRY(character(&ranges, &single, &shorthands));
      if (!next_is('-') || rest().starts_with("-]")) continue;
      ++at_;
      core::Array<CharacterRange> last;
      bool last_single = false;
      LINNET_TRY(character(&last, &last_single, &shorthands));
      if (!single || !last_single || last[0].first < ranges.back().first) return invalid("no range of characters");
      ranges.back().last = last[0].first;
    }
    ++at_;
    if (inverted && shorthands) {
      LINNET_TRY(ranges.push({0, 0x1F}));
      LINNET_TRY(ranges.push({0x7F, 0x10FFFF}));
    }
    return Matched{in_string(grammar_, {ranges.data(), ranges.size()}, inverted), {1, 1}};
  }

  // One character, or a class by its letter, is added to `ranges`.
  Status character(core::Array<CharacterRange>* ranges, bool* single, bool* shorthand) noexcept {
    if (at_ == text_.size()) return invalid("no end of a class or escape");
    *single = true;
    if (take('\\')) return escape(ranges, single, shorthand);
    const text::Point point = text::decode(text_, at_);
    at_ += point.length;
    return ranges->push({point.code, point.code});
  }

  Status escape(core::Array<CharacterRange>* ranges, bool* single, bool* shorthand) noexcept {
    static constexpr CharacterRange kDigits[] = {{'0', '9'}}, kWord[] = {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}},
                                    kSpace[] = {{'\t', '\r'}, {' ', ' '}}, kNoDigits[] = {{' ', '/'}, {':', '~'}},
                                    kNoWord[] = {{' ', '/'}, {':', '@'}, {'[', '^'}, {'`', '`'}, {'{', '~'}}, kNoSpace[] = {{'!', '~'}};
    if (at_ == text_.size()) return invalid("an escape without a character");
    const auto add = [&](std::span<const CharacterRange> all) -> Status {
      *single = false;
      *shorthand = true;
      for (const CharacterRange& range : all) LINNET_TRY(ranges->push(range));
      return {};
    };
    const char c = text_[at_++];
    char32_t code = static_cast<uint8_t>(c);
    switch (c) {
      case 'd':
        return add(kDigits);
      case 'D':
        return add(kNoDigits);
      case 'w':
        return add(kWord);
      case 'W':
        return add(kNoWord);
      case 's':
        return add(kSpace);
      case 'S':
        return add(kNoSpace);
      case 'n':
        code = '\n';
        break;
      case 'r':
        code = '\r';
        break;
      case 't':
        code = '\t';
        break;
      case 'f':
        code = '\f';
        break;
      case 'v':
        code = '\v';
        break;
      case 'x':
        LINNET_TRY(hex(2, &code));
        break;
      case 'u':
        LINNET_TRY(hex(4, &code));
        break;
      default:
        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'))
          return unsupported("an escape of a letter or digit");
        if (code >= 0x80) return invalid("an escape of a character outside of ASCII");
    }
    return ranges->push({code, code});
  }

  Status hex(int digits, char32_t* code) noexcept {
    *code = 0;
    for (int i = 0; i < digits; ++i, ++at_) {
      const char c = at_ < text_.size() ? text_[at_] : ' ';
      const int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
      if (digit < 0) return invalid("no hexadecimal digit");
      *code = *code << 4 | static_cast<char32_t>(digit);
    }
    return *code >= 0xD800 && *code < 0xE000 ? unsupported("half of a surrogate pair") : Status();
  }

  std::string_view text_;
  size_t at_ = 0;
  Grammar& grammar_;
};

}  // namespace

Result<Expr> expression_of_pattern(std::string_view pattern, const PatternLimits& limits, Grammar* grammar) noexcept {
  PatternParser parser(pattern, grammar);
  return parser.run(limits);
}

}  // namespace linnet::constrain
