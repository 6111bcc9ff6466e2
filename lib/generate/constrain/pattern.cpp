#include "generate/constrain/pattern.h"

#include <algorithm>

#include "core/try.h"
#include "generate/constrain/pattern_cursor.h"
#include "generate/constrain/schema_compiler.h"

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

class PatternParser : PatternCursor {
 public:
  PatternParser(std::string_view text, Grammar* grammar) noexcept : PatternCursor(text), grammar_(*grammar) {}

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

  Grammar& grammar_;
};

}  // namespace

Result<Expr> expression_of_pattern(std::string_view pattern, const PatternLimits& limits, Grammar* grammar) noexcept {
  PatternParser parser(pattern, grammar);
  return parser.run(limits);
}

}  // namespace linnet::constrain
