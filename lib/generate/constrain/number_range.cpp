#include "generate/constrain/number_range.h"

#include <algorithm>

namespace linnet::constrain {
namespace {

struct Digits {
  char at[kDecimalDigits + 1];
  uint32_t count;
};

Digits digits_of(uint64_t value, uint32_t count) {
  Digits digits = {{}, count};
  for (uint32_t i = count; i-- > 0; value /= 10) digits.at[i] = static_cast<char>('0' + value % 10);
  return digits;
}

uint32_t length_of(uint64_t value) {
  uint32_t length = 1;
  for (; value >= 10; value /= 10) ++length;
  return length;
}

uint64_t power_of_ten(uint32_t exponent) {
  uint64_t power = 1;
  while (exponent-- > 0) power *= 10;
  return power;
}

// Texts of digits between two bounds, from the last digit to the first.
class DigitRange {
 public:
  DigitRange(Grammar& grammar, const Digits& low, const Digits& high) noexcept : grammar_(grammar), low_(low), high_(high) {}

  /// As many digits as the bounds have, no less than low and no more than high.
  Expr same_length() noexcept {
    Expr above = kEmpty, below = kEmpty, both = kEmpty;  // the rest where only the lower, only the upper, or both still bind
    for (uint32_t i = low_.count; i-- > 0;) {
      const Expr free = repeat_digit(low_.count - i - 1, low_.count - i - 1);
      const char low = low_.at[i], high = high_.at[i];
      const Expr next_both = low == high  ? one(low, both)
                             : low < high ? grammar_.choice({one(low, above), some(low + 1, high - 1, free), one(high, below)})
                                          : kNever;
      above = grammar_.choice({one(low, above), some(low + 1, '9', free)});
      below = grammar_.choice({some('0', high - 1, free), one(high, below)});
      both = next_both;
    }
    return both;
  }

  /// What may stand behind the point so that the fraction is within the bounds, missing digits being zeros: without any digits at all
  /// only where `none`. A bound that is not given does not bind.
  Expr fraction(bool has_low, bool low_open, bool has_high, bool high_open) noexcept {
    // At the end of all digits each bound is met exactly.
    Expr above = low_open ? kNever : kEmpty, below = high_open ? kNever : kEmpty, both = low_open || high_open ? kNever : kEmpty;
    bool low_zero = !low_open, high_more = false;
    Expr above_some = above, below_some = below, both_some = both;
    for (uint32_t i = low_.count; i-- > 0;) {
      const uint32_t left = low_.count - i - 1;
      const Expr free = repeat_digit(0, left);
      const char low = low_.at[i], high = high_.at[i];
      low_zero = low_zero && low == '0';
      high_more = high_more || high != '0';
      const bool below_ends = high_more || !high_open;
      both_some = low == high  ? one(low, both)
                  : low < high ? grammar_.choice({one(low, above), some(low + 1, high - 1, free), one(high, below)})
                               : kNever;
      above_some = grammar_.choice({one(low, above), some(low + 1, '9', free)});
      below_some = grammar_.choice({some('0', high - 1, free), one(high, below)});
      // Behind the digits before it, the text may end where zeros are within the bounds.
      above = ends(above_some, low_zero);
      below = ends(below_some, below_ends);
      both = ends(both_some, low_zero && below_ends);
    }
    if (has_low && has_high) return whole(both, both_some);
    if (has_low) return whole(above, above_some);
    if (has_high) return whole(below, below_some);
    return low_.count == 0 ? kEmpty : grammar_.optional(grammar_.sequence({grammar_.literal("."), repeat_digit(1, low_.count)}));
  }

 private:
  // `with` may have no digits; `some` has one at least.
  Expr whole(Expr with, Expr some) noexcept {
    const bool may_be_none = low_.count == 0 ? with == kEmpty : with != some;
    if (low_.count == 0) return with;
    const Expr digits = grammar_.sequence({grammar_.literal("."), some});
    return may_be_none ? grammar_.optional(digits) : digits;
  }
  Expr ends(Expr some, bool may_end) noexcept { return may_end ? grammar_.optional(some) : some; }
  Expr one(char digit, Expr rest) noexcept { return some(digit, digit, rest); }
  Expr some(int first, int last, Expr rest) noexcept {
    if (first > last || rest == kNever) return kNever;
    const CharacterRange range = {static_cast<char32_t>(first), static_cast<char32_t>(last)};
    return grammar_.sequence({grammar_.set({&range, 1}), rest});
  }
  Expr repeat_digit(uint32_t min, uint32_t max) noexcept {
    const CharacterRange range = {'0', '9'};
    return max == 0 ? kEmpty : grammar_.repeat(grammar_.set({&range, 1}), min, max);
  }

  Grammar& grammar_;
  Digits low_, high_;
};

}  // namespace

Expr whole_range(Grammar& grammar, uint64_t low, uint64_t high) noexcept {
  core::Array<Expr> ways;
  for (uint32_t length = length_of(low); length <= length_of(high); ++length) {
    const uint64_t least = std::max(low, length == 1 ? 0 : power_of_ten(length - 1)), most = std::min(high, power_of_ten(length) - 1);
    DigitRange range(grammar, digits_of(least, length), digits_of(most, length));
    grammar.check(ways.push(range.same_length()));
  }
  return grammar.choice({ways.data(), ways.size()});
}

Expr amount_range(Grammar& grammar, const Bound& low, const Bound& high, uint32_t digits) noexcept {
  const int order = compare_amounts(low.value, high.value);
  if (order > 0 || (order == 0 && (low.open || high.open))) return kNever;
  const uint64_t cut = power_of_ten(kDecimalDigits - digits);
  DigitRange fractions(grammar, digits_of(low.value.fraction / cut, digits), digits_of(high.value.fraction / cut, digits));
  const uint64_t first = low.value.whole, last = high.value.whole;
  if (first == last) return grammar.sequence({whole_range(grammar, first, first), fractions.fraction(true, low.open, true, high.open)});
  core::Array<Expr> ways;
  grammar.check(ways.push(grammar.sequence({whole_range(grammar, first, first), fractions.fraction(true, low.open, false, false)})));
  grammar.check(ways.push(grammar.sequence({whole_range(grammar, last, last), fractions.fraction(false, false, true, high.open)})));
  if (first + 1 < last)
    grammar.check(ways.push(grammar.sequence({whole_range(grammar, first + 1, last - 1), fractions.fraction(false, false, false, false)})));
  return grammar.choice({ways.data(), ways.size()});
}

}  // namespace linnet::constrain
