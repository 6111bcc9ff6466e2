#include "generate/constrain/decimal.h"

#include <algorithm>

namespace linnet::constrain {
namespace {

constexpr int64_t kMostExponent = 100000;

}  // namespace

int compare_amounts(const Decimal& a, const Decimal& b) noexcept {
  if (a.whole != b.whole) return a.whole < b.whole ? -1 : 1;
  return a.fraction < b.fraction ? -1 : a.fraction > b.fraction ? 1 : 0;
}

int compare(const Decimal& a, const Decimal& b) noexcept {
  const int signs[] = {a.zero() ? 0 : a.negative ? -1 : 1, b.zero() ? 0 : b.negative ? -1 : 1};
  if (signs[0] != signs[1]) return signs[0] < signs[1] ? -1 : 1;
  return signs[0] < 0 ? -compare_amounts(a, b) : compare_amounts(a, b);
}

uint32_t fraction_digits(const Decimal& decimal) noexcept {
  uint64_t rest = decimal.fraction;
  uint32_t digits = rest == 0 ? 0 : kDecimalDigits;
  for (; rest != 0 && rest % 10 == 0; rest /= 10) --digits;
  return digits;
}

DecimalError parse_decimal(std::string_view text, Decimal* decimal) noexcept {
  *decimal = {};
  size_t at = 0;
  if (!text.empty() && text[0] == '-') decimal->negative = true, ++at;
  const size_t mark = std::min(text.find_first_of("eE"), text.size());
  const size_t point = std::min(text.find('.'), mark);
  int64_t exponent = 0;
  bool falls = false;
  for (size_t i = mark + 1; i < text.size(); ++i) {
    if (text[i] == '-') falls = true;
    if (text[i] >= '0' && text[i] <= '9') exponent = std::min(kMostExponent, exponent * 10 + (text[i] - '0'));
  }
  if (falls) exponent = -exponent;
  // The place of the first digit: 0 is that of ones.
  int64_t place = static_cast<int64_t>(point - at) - 1 + exponent;
  for (; at < mark; ++at) {
    if (text[at] == '.') continue;
    const auto digit = static_cast<uint64_t>(text[at] - '0');
    const int64_t here = place--;
    if (digit == 0) continue;
    if (here >= static_cast<int64_t>(kDecimalDigits)) return DecimalError::too_large;
    if (here < -static_cast<int64_t>(kDecimalDigits)) return DecimalError::too_fine;
    uint64_t unit = 1;
    for (int64_t i = here >= 0 ? here : here + static_cast<int64_t>(kDecimalDigits); i > 0; --i) unit *= 10;
    (here >= 0 ? decimal->whole : decimal->fraction) += digit * unit;
  }
  return DecimalError::none;
}

}  // namespace linnet::constrain
