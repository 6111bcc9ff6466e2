#include "core/checked.h"

#include <doctest/doctest.h>

using linnet::core::Checked;

TEST_CASE("sums and products that fit are exact") {
  const Checked bytes = Checked(1000) * 2000 * 4 + 64;
  CHECK(bytes.ok());
  CHECK(bytes.value() == 8000064);
  CHECK((Checked(UINT64_MAX) + 0).ok());
  CHECK((Checked(UINT64_MAX) * 1).value() == UINT64_MAX);
  CHECK((Checked(uint64_t{1} << 32) * (uint64_t{1} << 31)).value() == uint64_t{1} << 63);
}

TEST_CASE("whatever passes 64 bits is known to, however the chain goes on") {
  CHECK(!(Checked(UINT64_MAX) + 1).ok());
  CHECK(!(Checked(uint64_t{1} << 32) * (uint64_t{1} << 32)).ok());
  CHECK(!(Checked(uint64_t{1} << 33) * (uint64_t{1} << 33) * 0).ok());
  CHECK(!(Checked(UINT64_MAX) + 1 + 5).ok());
  CHECK(!(Checked(3) * (Checked(UINT64_MAX) + 1)).ok());
}

TEST_CASE("rounding up passes 64 bits too") {
  CHECK(Checked(0).round_up(64).value() == 0);
  CHECK(Checked(1).round_up(64).value() == 64);
  CHECK(Checked(64).round_up(64).value() == 64);
  CHECK(Checked(UINT64_MAX - 63).round_up(64).value() == UINT64_MAX - 63);
  CHECK(Checked(UINT64_MAX - 63).round_up(64).ok());
  CHECK(!Checked(UINT64_MAX - 62).round_up(64).ok());
  CHECK(!Checked(UINT64_MAX).round_up(64).ok());
  CHECK(linnet::core::round_up(130, 64) == 192);
  CHECK(linnet::core::ceil_divide(130, 64) == 3);
  CHECK(linnet::core::ceil_divide(128, 64) == 2);
}
