#include <doctest/doctest.h>

#include <cstdlib>
#include <cstring>
#include <string>

#include "kernels/linear_cases.h"

namespace linnet::test {

TEST_CASE("level names lead back to their levels") {
  for (kernels::Level level : {kernels::Level::portable, kernels::Level::avx2, kernels::Level::avxvnni, kernels::Level::avx512vnni,
                               kernels::Level::neon, kernels::Level::dotprod, kernels::Level::i8mm}) {
    kernels::Level found;
    REQUIRE(kernels::level_from_name(kernels::name(level), &found));
    CHECK(found == level);
  }
  kernels::Level untouched = kernels::Level::portable;
  CHECK_FALSE(kernels::level_from_name("avx1024", &untouched));
  CHECK_FALSE(kernels::level_from_name("", &untouched));
  CHECK(untouched == kernels::Level::portable);
}

TEST_CASE("the portable level is always there and the best level is available") {
  CHECK(kernels::available(kernels::Level::portable));
  CHECK(kernels::available(kernels::best().level));
}

TEST_CASE("LINNET_ISA names the level where it can, and is passed over where it cannot") {
  const char* asked = std::getenv("LINNET_ISA");
  kernels::Level level;
  if (asked && kernels::level_from_name(asked, &level) && kernels::available(level)) {
    CHECK(kernels::best().level == level);
  } else {
    for (kernels::Level other : levels())
      if (other > kernels::best().level) FAIL("a level above the best one is available: " << kernels::name(other));
  }
}

TEST_CASE("what LINNET_ISA names in vain can be told") {
  const char* before = std::getenv("LINNET_ISA");
  const std::string kept = before ? before : "";
  for (const char* vain : {"avx1024", "Portable", "portable "}) {
    setenv("LINNET_ISA", vain, 1);
    REQUIRE(kernels::refused_request());
    CHECK(std::strcmp(kernels::refused_request(), vain) == 0);
  }
#if defined(__x86_64__)
  setenv("LINNET_ISA", "neon", 1);
#else
  setenv("LINNET_ISA", "avx2", 1);
#endif
  CHECK(kernels::refused_request());
  setenv("LINNET_ISA", "", 1);
  CHECK_FALSE(kernels::refused_request());
  for (kernels::Level level : levels()) {
    setenv("LINNET_ISA", kernels::name(level), 1);
    CHECK_FALSE(kernels::refused_request());
  }
  if (before)
    setenv("LINNET_ISA", kept.c_str(), 1);
  else
    unsetenv("LINNET_ISA");
}

TEST_CASE("levels of the other processor family are not available") {
#if defined(__x86_64__)
  CHECK_FALSE(kernels::available(kernels::Level::neon));
  CHECK_FALSE(kernels::available(kernels::Level::dotprod));
#else
  CHECK(kernels::available(kernels::Level::neon));  // every 64-bit Arm has it
  CHECK_FALSE(kernels::available(kernels::Level::avx2));
  CHECK_FALSE(kernels::available(kernels::Level::avx512vnni));
#endif
}

TEST_CASE("the table of every level is complete") {
  for (kernels::Level level : levels()) {
    const kernels::Kernels& table = kernels::table(level);
    CHECK(table.level == level);
    const auto complete = [](const auto& part) {
      const char zeros[sizeof(void*)] = {};
      const char* bytes = reinterpret_cast<const char*>(&part);
      for (size_t i = 0; i < sizeof part; i += sizeof(void*))
        if (std::memcmp(bytes + i, zeros, sizeof(void*)) == 0) return false;
      return true;
    };
    CHECK(complete(table.linear));
    CHECK(complete(table.vector));
    CHECK(complete(table.attention));
  }
}

}  // namespace linnet::test
