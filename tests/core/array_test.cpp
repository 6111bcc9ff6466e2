#include "core/array.h"

#include <doctest/doctest.h>

#include <memory>

#include "core/failing_memory.h"

using namespace linnet;
using core::Array;
using tests::FailingMemory;

TEST_CASE("an array grows, shrinks and keeps what it holds") {
  Array<std::unique_ptr<int>> numbers;
  CHECK(numbers.empty());
  for (int i = 0; i < 100; ++i) REQUIRE(numbers.push(std::make_unique<int>(i)).ok());
  CHECK(numbers.size() == 100);
  for (int i = 0; i < 100; ++i) CHECK(*numbers[static_cast<size_t>(i)] == i);
  CHECK(*numbers.back() == 99);
  numbers.pop();
  CHECK(numbers.size() == 99);
  REQUIRE(numbers.resize(3).ok());
  CHECK(*numbers.back() == 2);
  REQUIRE(numbers.resize(5).ok());
  CHECK(numbers[4] == nullptr);
  numbers.clear();
  CHECK(numbers.empty());
}

TEST_CASE("new numbers are 0 and lie on a multiple of 64") {
  Array<float> numbers;
  REQUIRE(numbers.resize(1000).ok());
  CHECK(reinterpret_cast<uintptr_t>(numbers.data()) % 64 == 0);
  for (float number : numbers) CHECK(number == 0);
}

TEST_CASE("growth that fails is an error and changes nothing") {
  const FailingMemory memory(2);
  {
    Array<int> numbers;
    for (int i = 0; i < 8; ++i) REQUIRE(numbers.push(i).ok());
    const Status status = numbers.push(8);
    CHECK(status.code() == Code::out_of_memory);
    REQUIRE(numbers.size() == 8);
    for (int i = 0; i < 8; ++i) CHECK(numbers[static_cast<size_t>(i)] == i);
    CHECK(numbers.push(8).ok());
    CHECK(numbers.back() == 8);
  }
  CHECK(FailingMemory::alive() == 0);
}

TEST_CASE("a size that no memory has is an error, not a small array") {
  Array<uint64_t> numbers;
  CHECK(numbers.reserve(SIZE_MAX).code() == Code::out_of_memory);
  CHECK(numbers.reserve(SIZE_MAX / 8 + 1).code() == Code::out_of_memory);
  CHECK(numbers.resize(SIZE_MAX / 2).code() == Code::out_of_memory);
  CHECK(numbers.empty());
}

TEST_CASE("moving an array hands its memory over") {
  const FailingMemory memory;
  {
    Array<int> a;
    REQUIRE(a.resize(10).ok());
    a[3] = 7;
    Array<int> b = std::move(a);
    CHECK(b[3] == 7);
    Array<int> c;
    REQUIRE(c.push(1).ok());
    c = std::move(b);
    CHECK(c.size() == 10);
    CHECK(c[3] == 7);
  }
  CHECK(FailingMemory::alive() == 0);
}
