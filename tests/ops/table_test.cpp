#include <doctest/doctest.h>

#include "ops/operations.h"
#include "trial.h"

using namespace linnet;
using namespace linnet::test;

TEST_CASE("values take whole lines of 64 bytes, quantized ones what their layout says") {
  CHECK(ops::value_bytes({.columns = 3, .rows = {}}, 5) == 64);
  CHECK(ops::value_bytes({.columns = 16, .rows = {}}, 3) == 192);
  CHECK(ops::value_bytes({.columns = 3, .rows = {}}, 0) == 0);
  CHECK(ops::value_bytes({.type = ValueType::index, .columns = 1, .rows = {}}, 17) == 128);
  // 70 columns are padded to 128: 3 rows of them, 3 scales and 3 sums in a line each, 3 x 4 group sums in a line.
  CHECK(ops::value_bytes({.type = ValueType::q8, .columns = 70, .rows = {}}, 3) == 3 * 128 + 64 + 64 + 64);
}

TEST_CASE("operations are found by number and by name, and unknown ones are not") {
  for (int type = 1; type <= static_cast<int>(schema::Options::MAX); ++type) {
    const ops::Operation* found = ops::operation(static_cast<schema::Options>(type));
    REQUIRE(found);
    const std::string name = schema::EnumNameOptions(static_cast<schema::Options>(type));
    CHECK(std::string(found->name) == "operation:" + name);
    CHECK(ops::operation_by_name(name) == found);
  }
  CHECK(ops::operation(schema::Options::NONE) == nullptr);
  CHECK(ops::operation(static_cast<schema::Options>(200)) == nullptr);
  CHECK(ops::operation_by_name("Dream") == nullptr);
  CHECK(ops::operation_by_name("") == nullptr);
}
