#include "linnet/status.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <cstring>
#include <string>

#include "core/memory.h"
#include "core/try.h"

using namespace linnet;

namespace {

constexpr Code kCodes[] = {Code::invalid_argument, Code::context_full, Code::busy,     Code::cancelled,     Code::not_found,
                           Code::corrupt,          Code::unsupported,  Code::mismatch, Code::out_of_memory, Code::io};

size_t g_alive = 0;
constexpr core::AllocationHooks kNoMemory{[](size_t) -> void* { return nullptr; }, [](void* memory) { std::free(memory); }};
constexpr core::AllocationHooks kCounting{[](size_t bytes) -> void* { return ++g_alive, std::malloc(bytes); },
                                          [](void* memory) { --g_alive, std::free(memory); }};

Status at_most(int number, int most) {
  if (number > most) return Status::error(Code::invalid_argument, "%d is above %d", number, most);
  return {};
}
Status both(int a, int b, int* reached) {
  LINNET_TRY(at_most(a, 3));
  ++*reached;
  LINNET_TRY(at_most(b, 3));
  ++*reached;
  return {};
}
Result<std::string> text_of(int number) {
  if (number < 0) return Status::error(Code::not_found, "no text for %d", number);
  return std::string(static_cast<size_t>(number), 'x');
}
Result<size_t> length_of(int number) {
  LINNET_ASSIGN(std::string text, text_of(number));
  return text.size();
}

}  // namespace

TEST_CASE("a good status is one null pointer and says nothing") {
  const Status status;
  CHECK(sizeof(Status) == sizeof(void*));
  CHECK(status.ok());
  CHECK(static_cast<bool>(status));
  CHECK(status.code() == Code::ok);
  CHECK(std::string(status.message()).empty());
}

TEST_CASE("an error keeps its code and its sentence") {
  for (const Code code : kCodes) {
    const Status status = Status::error(code, "tensor '%s' has %d rows", "head", 5);
    CHECK(!status.ok());
    CHECK(status.code() == code);
    CHECK(std::string(status.message()) == "tensor 'head' has 5 rows");
  }
}

TEST_CASE("codes keep their numbers and have names") {
  CHECK(static_cast<int>(Code::invalid_argument) == 0x10);
  CHECK(static_cast<int>(Code::corrupt) == 0x20);
  CHECK(static_cast<int>(Code::unsupported) == 0x21);
  CHECK(static_cast<int>(Code::out_of_memory) == 0x30);
  for (const Code code : kCodes) CHECK(std::strcmp(name(code), "unknown error") != 0);
  CHECK(std::string(name(Code::ok)) == "ok");
  CHECK(std::string(name(static_cast<Code>(0x7777))) == "unknown error");
}

TEST_CASE("a sentence that is too long is cut, not lost") {
  const std::string longer(2000, 'y');
  const Status status = Status::error(Code::io, "%s", longer.c_str());
  const size_t length = std::strlen(status.message());
  CHECK(length >= 255);
  CHECK(length < longer.size());
  CHECK(longer.compare(0, length, status.message()) == 0);
}

TEST_CASE("without memory the code stands, with its own name as the sentence") {
  for (const Code code : kCodes) {
    core::set_allocation_hooks(&kNoMemory);
    const Status status = Status::error(code, "tensor '%s'", "head");
    core::set_allocation_hooks(nullptr);
    CHECK(status.code() == code);
    CHECK(std::string(status.message()) == name(code));
  }
}

TEST_CASE("moving and assigning a status neither copies nor loses its memory") {
  core::set_allocation_hooks(&kCounting);
  {
    Status a = Status::error(Code::busy, "a");
    CHECK(g_alive == 1);
    Status b = std::move(a);
    CHECK(g_alive == 1);
    CHECK(b.code() == Code::busy);
    Status c = Status::error(Code::io, "c");
    c = std::move(b);
    CHECK(c.code() == Code::busy);
    CHECK(std::string(c.message()) == "a");
    c = Status();
    CHECK(c.ok());
  }
  CHECK(g_alive == 0);
  core::set_allocation_hooks(nullptr);
}

TEST_CASE("a result is a value or the reason why there is none") {
  Result<std::string> good = text_of(4);
  REQUIRE(good.ok());
  CHECK(*good == "xxxx");
  CHECK(good->size() == 4);
  CHECK(good.status().ok());
  const Result<std::string> bad = text_of(-2);
  CHECK(!bad.ok());
  CHECK(bad.status().code() == Code::not_found);
  const Result<std::string> moved = std::move(good);
  CHECK(moved.value() == "xxxx");
}

TEST_CASE("LINNET_TRY and LINNET_ASSIGN hand the first failure on") {
  int reached = 0;
  CHECK(both(1, 2, &reached).ok());
  CHECK(reached == 2);
  reached = 0;
  CHECK(std::string(both(1, 9, &reached).message()) == "9 is above 3");
  CHECK(reached == 1);
  reached = 0;
  CHECK(std::string(both(7, 9, &reached).message()) == "7 is above 3");
  CHECK(reached == 0);
  CHECK(*length_of(3) == 3);
  CHECK(std::string(length_of(-1).status().message()) == "no text for -1");
}
