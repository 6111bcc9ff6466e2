// Numbers: whole ones and decimals between bounds, and multiples.
#include <algorithm>

#include "core/try.h"
#include "generate/constrain/number_range.h"
#include "generate/constrain/schema_compiler.h"

namespace linnet::constrain {
namespace {

constexpr int64_t kMostWhole = 999999999999999999;  // of integers without bounds
constexpr uint64_t kMostAmount = 999999999999999;   // of decimals: doubles have as many digits
constexpr uint32_t kFractionDigits = 6;             // of decimals with bounds, unless those have more
constexpr int64_t kMostListed = 4096;               // multiples that are written out
constexpr uint64_t kMostRemainders = 128;           // otherwise a rule for each remainder and digit
constexpr uint32_t kMultipleDigits = 12;

// The least whole number that a lower bound lets through.
int64_t least_whole(const Bound& bound) {
  const auto whole = static_cast<int64_t>(bound.value.whole);
  if (bound.value.fraction != 0) return bound.value.negative ? -whole : whole + 1;
  return (bound.value.negative ? -whole : whole) + (bound.open ? 1 : 0);
}

Bound negated(Bound bound) {
  bound.value.negative = !bound.value.negative;
  return bound;
}

int64_t divide_up(int64_t value, int64_t by) { return value / by + (value % by > 0 ? 1 : 0); }

Expr whole_numbers(Grammar& grammar, int64_t low, int64_t high) {
  if (low > high) return kNever;
  Expr ways[2];
  size_t count = 0;
  if (low < 0) {
    const Expr amount = whole_range(grammar, static_cast<uint64_t>(high < 0 ? -high : 1), static_cast<uint64_t>(-low));
    ways[count++] = grammar.sequence({grammar.literal("-"), amount});
  }
  if (high >= 0) ways[count++] = whole_range(grammar, static_cast<uint64_t>(std::max<int64_t>(low, 0)), static_cast<uint64_t>(high));
  return grammar.choice(std::span<const Expr>(ways, count));
}

Status append_number(int64_t value, text::Bytes* out) {
  char digits[24];
  size_t count = 0;
  uint64_t rest = value < 0 ? -static_cast<uint64_t>(value) : static_cast<uint64_t>(value);
  do digits[count++] = static_cast<char>('0' + rest % 10);
  while ((rest /= 10) != 0);
  if (value < 0) digits[count++] = '-';
  while (count > 0) LINNET_TRY(out->push(digits[--count]));
  return {};
}

// Multiples of `step` that are not negative, 0 among them if `zero`: rules by the remainder so far and the digits that may still come.
Expr multiples(Grammar& grammar, uint64_t step, bool zero) {
  core::Array<uint32_t> rules;  // behind `left` digits: rules[left * step + remainder]
  for (uint64_t i = 0; i < kMultipleDigits * step; ++i) grammar.check(rules.push(grammar.add_rule("multiple")));
  if (grammar.failed()) return kEmpty;
  const auto digit = [&](uint32_t d) {
    const CharacterRange range = {U'0' + d, U'0' + d};
    return grammar.set({&range, 1});
  };
  core::Array<Expr> ways;
  for (uint32_t left = 0; left < kMultipleDigits; ++left)
    for (uint64_t remainder = 0; remainder < step; ++remainder) {
      ways.clear();
      for (uint32_t d = 0; left > 0 && d < 10; ++d) {
        const Expr next = grammar.reference(rules[(left - 1) * step + (remainder * 10 + d) % step]);
        grammar.check(ways.push(grammar.sequence({digit(d), next})));
      }
      if (remainder == 0) grammar.check(ways.push(kEmpty));
      grammar.define(rules[left * step + remainder], grammar.choice({ways.data(), ways.size()}));
    }
  ways.clear();
  for (uint32_t d = 1; d < 10; ++d)
    grammar.check(ways.push(grammar.sequence({digit(d), grammar.reference(rules[(kMultipleDigits - 1) * step + d % step])})));
  if (zero) grammar.check(ways.push(grammar.literal("0")));
  return grammar.choice({ways.data(), ways.size()});
}

}  // namespace

// The tightest bound of all parts on one side. `has` stays false where there is none.
Result<bool> SchemaCompiler::bound(const Parts& parts, bool lower, Bound* out) noexcept {
  bool has = false;
  const auto tighten = [&](const char* keyword, const JsonValue& value, bool open) -> Status {
    if (value.kind() != JsonKind::integer && value.kind() != JsonKind::number) return wrong(keyword, "is expected to be a number");
    Bound bound = {{}, open};
    const DecimalError error = parse_decimal(value.text(), &bound.value);
    if (error == DecimalError::too_fine) return refuse(keyword, "has more than 18 digits behind the point");
    if (error == DecimalError::too_large) {
      if (bound.value.negative == lower) return {};  // beyond all numbers that are written
      return refuse(keyword, "leaves only numbers of more than 18 digits");
    }
    const int order = has ? compare(bound.value, out->value) : lower ? 1 : -1;
    if (order == 0) out->open = out->open || open;
    if (lower ? order > 0 : order < 0) *out = bound;
    has = true;
    return {};
  };
  const char* keyword = lower ? "minimum" : "maximum";
  const char* exclusive = lower ? "exclusiveMinimum" : "exclusiveMaximum";
  for (const Parts::Part& part : parts) {
    const JsonValue *limit = part.schema->find(keyword), *open = part.schema->find(exclusive);
    const bool flag = open && open->kind() == JsonKind::boolean;  // as it was before 2016
    if (limit) LINNET_TRY(tighten(keyword, *limit, flag && open->boolean()));
    if (open && !flag) LINNET_TRY(tighten(exclusive, *open, true));
  }
  return has;
}

Result<Expr> SchemaCompiler::whole(const Bound* low, const Bound* high, uint64_t step) noexcept {
  const int64_t least = low ? std::max(least_whole(*low), -kMostWhole) : -kMostWhole;
  const int64_t most = high ? std::min(-least_whole(negated(*high)), kMostWhole) : kMostWhole;
  if (step == 1) return whole_numbers(grammar_, least, most);
  const auto by = static_cast<int64_t>(step);
  const int64_t first = divide_up(least, by), last = -divide_up(-most, by);
  if (first > last) return kNever;
  if (last - first < kMostListed) {
    core::Array<Expr> ways;
    text::Bytes text;
    for (int64_t i = first; i <= last; ++i) {
      text.clear();
      LINNET_TRY(append_number(i * by, &text));
      LINNET_TRY(ways.push(grammar_.literal(text.view())));
    }
    return grammar_.choice({ways.data(), ways.size()});
  }
  if (step > kMostRemainders) return refuse("multipleOf", "of more than 128 needs bounds with at most 4096 multiples between them");
  if (high || (low && first != 0 && first != 1)) return refuse("multipleOf", "together with these bounds leaves too many numbers");
  const Expr amounts = multiples(grammar_, step, first != 1);
  if (low) return amounts;
  return grammar_.choice({amounts, grammar_.sequence({grammar_.literal("-"), multiples(grammar_, step, false)})});
}

Result<Expr> SchemaCompiler::decimals(const Bound* low, const Bound* high, uint32_t digits) noexcept {
  const Bound farthest = {{false, kMostAmount, 0}, false}, zero = {{}, false}, above_zero = {{}, true};
  const Bound least = low ? *low : negated(farthest), most = high ? *high : farthest;
  if (std::max(fraction_digits(least.value), fraction_digits(most.value)) > digits)
    return refuse("multipleOf", "with bounds of more digits behind the point is not supported");
  Expr ways[2];
  size_t count = 0;
  const bool most_negative = compare(most.value, zero.value) < 0 || (most.value.zero() && most.open);
  if (compare(least.value, zero.value) < 0) {
    const Expr amount = amount_range(grammar_, most_negative && !most.value.zero() ? most : above_zero, least, digits);
    ways[count++] = grammar_.sequence({grammar_.literal("-"), amount});
  }
  if (!most_negative) {
    const Bound from = compare(least.value, zero.value) < 0 ? zero : least;
    ways[count++] = amount_range(grammar_, from, most, digits);
  }
  return grammar_.choice(std::span<const Expr>(ways, count));
}

Result<Expr> SchemaCompiler::number(const Parts& parts, bool integer) noexcept {
  Bound low = {}, high = {};
  LINNET_ASSIGN(const bool has_low, bound(parts, true, &low));
  LINNET_ASSIGN(const bool has_high, bound(parts, false, &high));
  Decimal step;
  for (const Parts::Part& part : parts)
    if (const JsonValue* multiple = part.schema->find("multipleOf")) {
      Decimal own;
      if (multiple->number() <= 0) return wrong("multipleOf", "is expected to be a number above 0");
      if (parse_decimal(multiple->text(), &own) != DecimalError::none) return refuse("multipleOf", "has too many digits");
      if (!step.zero() && compare(step, own) != 0) return refuse("multipleOf", "given twice is not supported");
      step = own;
    }
  const Bound *lower = has_low ? &low : nullptr, *upper = has_high ? &high : nullptr;
  if (!step.zero() && step.fraction == 0) return whole(lower, upper, step.whole);
  const bool divides_one = step.whole == 0 && step.fraction != 0 && kDecimalUnit % step.fraction == 0;
  if (!step.zero() && integer && !divides_one) return refuse("multipleOf", "with a fraction is only supported where it divides 1");
  if (integer) return whole(lower, upper, 1);
  if (step.zero() && !has_low && !has_high) return any_number();
  uint32_t digits = std::max({fraction_digits(low.value), fraction_digits(high.value), kFractionDigits});
  if (!step.zero()) {
    digits = fraction_digits(step);
    uint64_t unit = kDecimalUnit;
    for (uint32_t i = 0; i < digits; ++i) unit /= 10;
    if (step.whole != 0 || step.fraction != unit)
      return refuse("multipleOf", "with a fraction other than 0.1, 0.01 and so on is not supported");
  }
  return decimals(lower, upper, digits);
}

}  // namespace linnet::constrain
