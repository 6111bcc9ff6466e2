#include "convert/error.h"

#include <doctest/doctest.h>

#include <new>

using namespace linnet::convert;

namespace {

template <class Thrown>
std::string about(const std::string& source, const Thrown& thrown) {
  try {
    try {
      throw thrown;
    } catch (const std::exception&) {
      throw_about(source);
    }
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("an error begins with its source, once") {
  CHECK(about("a", Error("tensor x is missing")) == "a: tensor x is missing");
  CHECK(about("a", Error("a: tensor x is missing")) == "a: tensor x is missing");
  CHECK(about("a", Error("a/config.json: is not JSON")) == "a/config.json: is not JSON");
  CHECK(about("a/", Error("a/config.json: is not JSON")) == "a/config.json: is not JSON");
  CHECK(about("a", Error("activation x is not supported")) == "a: activation x is not supported");
  CHECK(about("a", Error("a")) == "a: a");
  CHECK(about("", Error("b")) == ": b");
}

TEST_CASE("what is thrown that is no Error becomes one") {
  CHECK(about("a", std::runtime_error("b")) == "a: b");
  CHECK(about("a", std::bad_alloc()) == "a: there is not enough memory for it");
}
