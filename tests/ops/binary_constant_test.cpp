#include <doctest/doctest.h>

#include "single.h"

using namespace linnet;
using namespace linnet::test;
using schema::BinaryFunction;

TEST_CASE("binary operations with a constant row") {
  const auto x = random_numbers(kRows * 6, 9), row = random_numbers(6, 10);
  for (BinaryFunction function : {BinaryFunction::add, BinaryFunction::subtract, BinaryFunction::multiply}) {
    Single single;
    const int32_t tensor = single.trial.tensor("row", 1, 6, row);
    const auto got = single.run<schema::BinaryConstant>(
        [&](auto& builder) { return schema::CreateBinaryConstant(builder, function, tensor); }, {single.trial.input(x, 6)}, 6);
    check(
        got,
        [&](size_t r, size_t column) {
          const double first = static_cast<double>(x[r * 6 + column]), second = static_cast<double>(row[column]);
          return function == BinaryFunction::add ? first + second : function == BinaryFunction::subtract ? first - second : first * second;
        },
        1e-6);
  }
}
