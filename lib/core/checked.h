// Sizes that know when they have overflowed. A chain of + and * is written as arithmetic and asked once:
//   Checked bytes = Checked(rows) * columns * 4 + 64;  if (!bytes.ok()) return ...;  use(bytes.value());
#pragma once

#include <cstdint>

namespace linnet::core {

class Checked {
 public:
  constexpr Checked(uint64_t value) noexcept : value_(value) {}
  constexpr bool ok() const noexcept { return ok_; }
  constexpr uint64_t value() const noexcept { return value_; }
  friend constexpr Checked operator+(Checked a, Checked b) noexcept {
    Checked sum(0);
    sum.ok_ = !__builtin_add_overflow(a.value_, b.value_, &sum.value_) && a.ok_ && b.ok_;
    return sum;
  }
  friend constexpr Checked operator*(Checked a, Checked b) noexcept {
    Checked product(0);
    product.ok_ = !__builtin_mul_overflow(a.value_, b.value_, &product.value_) && a.ok_ && b.ok_;
    return product;
  }
  /// The next multiple of `unit` (unit > 0).
  constexpr Checked round_up(uint64_t unit) const noexcept {
    Checked raised = *this + Checked(unit - 1);
    raised.value_ = raised.value_ / unit * unit;
    return raised;
  }

 private:
  uint64_t value_;
  bool ok_ = true;
};

constexpr uint64_t round_up(uint64_t value, uint64_t unit) noexcept { return (value + unit - 1) / unit * unit; }
constexpr uint64_t ceil_divide(uint64_t value, uint64_t unit) noexcept { return (value + unit - 1) / unit; }

}  // namespace linnet::core
