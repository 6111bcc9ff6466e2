// Decimal numbers as schemas give bounds: exact, with at most 18 digits on either side of the point.
#pragma once

#include <cstdint>
#include <string_view>

namespace linnet::constrain {

constexpr uint32_t kDecimalDigits = 18;
constexpr uint64_t kDecimalUnit = 1000000000000000000u;  // 10^18

struct Decimal {
  bool negative = false;
  uint64_t whole = 0;     // below 10^18
  uint64_t fraction = 0;  // in units of 10^-18

  bool zero() const noexcept { return whole == 0 && fraction == 0; }
};

/// Compares amounts, signs aside: below 0, 0, above 0.
int compare_amounts(const Decimal& a, const Decimal& b) noexcept;
int compare(const Decimal& a, const Decimal& b) noexcept;
/// Digits of the fraction without final zeros.
uint32_t fraction_digits(const Decimal& decimal) noexcept;

enum class DecimalError : uint8_t { none, too_large, too_fine };
/// A number as JSON writes it.
DecimalError parse_decimal(std::string_view text, Decimal* decimal) noexcept;

}  // namespace linnet::constrain
