// Numbers between bounds as expressions, digit by digit: exactly those, each written in one way but for zeros behind the point.
#pragma once

#include "generate/constrain/decimal.h"
#include "generate/constrain/grammar.h"

namespace linnet::constrain {

struct Bound {
  Decimal value;
  bool open;  // the value itself is out
};

/// Whole numbers from `low` to `high` (low <= high) without signs and leading zeros.
Expr whole_range(Grammar& grammar, uint64_t low, uint64_t high) noexcept;
/// Amounts from `low` to `high` with at most `digits` behind the point; signs of the bounds do not count. kNever where there are none.
Expr amount_range(Grammar& grammar, const Bound& low, const Bound& high, uint32_t digits) noexcept;

}  // namespace linnet::constrain
