#include "core/memory.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <initializer_list>

namespace core = linnet::core;

namespace {

size_t g_allocated = 0, g_released = 0;
constexpr core::AllocationHooks kHooks{[](size_t bytes) -> void* { return ++g_allocated, std::malloc(bytes); },
                                       [](void* memory) { ++g_released, std::free(memory); }};

}  // namespace

TEST_CASE("memory lies on a multiple of 64 and is all there") {
  for (size_t bytes : {size_t{0}, size_t{1}, size_t{63}, size_t{64}, size_t{65}, size_t{100000}}) {
    void* memory = core::allocate(bytes);
    REQUIRE(memory);
    CHECK(reinterpret_cast<uintptr_t>(memory) % 64 == 0);
    std::memset(memory, 0xff, bytes);
    core::release(memory);
  }
}

TEST_CASE("sizes that nobody has come back as null") {
  CHECK(core::allocate(SIZE_MAX) == nullptr);
  CHECK(core::allocate(SIZE_MAX - 62) == nullptr);
  CHECK(core::allocate(SIZE_MAX / 2 + 1) == nullptr);
}

TEST_CASE("releasing nothing does nothing") {
  core::set_allocation_hooks(&kHooks);
  g_released = 0;
  core::release(nullptr);
  CHECK(g_released == 0);
  core::set_allocation_hooks(nullptr);
}

TEST_CASE("hooks see every call and null gives the system's functions back") {
  core::set_allocation_hooks(&kHooks);
  g_allocated = g_released = 0;
  void* memory = core::allocate(10);
  core::release(memory);
  core::set_allocation_hooks(nullptr);
  CHECK(g_allocated == 1);
  CHECK(g_released == 1);
  core::release(core::allocate(10));
  CHECK(g_allocated == 1);
}
