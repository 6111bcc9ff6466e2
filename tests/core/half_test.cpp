#include "core/half.h"

#include <doctest/doctest.h>

#include <cmath>

using namespace linnet::core;

TEST_CASE("every half survives the way to float and back") {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    float value = float_from_half(static_cast<uint16_t>(bits));
    if (std::isnan(value)) {
      CHECK(std::isnan(float_from_half(half_from_float(value))));
      continue;
    }
    CHECK(half_from_float(value) == bits);
  }
}

TEST_CASE("half rounds to nearest even and saturates to infinity") {
  CHECK(half_from_float(1.0f + 0x1p-11f) == 0x3c00);
  CHECK(half_from_float(1.0f + 3 * 0x1p-11f) == 0x3c02);
  CHECK(half_from_float(65519.0f) == 0x7bff);
  CHECK(half_from_float(65520.0f) == 0x7c00);
  CHECK(half_from_float(0x1p-25f) == 0);
  CHECK(half_from_float(0x1.8p-25f) == 1);
}

TEST_CASE("bfloat16 rounds to nearest even") {
  CHECK(bfloat16_from_float(1.0f) == 0x3f80);
  CHECK(bfloat16_from_float(1.0f + 0x1p-8f) == 0x3f80);
  CHECK(bfloat16_from_float(1.0f + 3 * 0x1p-8f) == 0x3f82);
  CHECK(float_from_bfloat16(0x4049) == 3.140625f);
}
