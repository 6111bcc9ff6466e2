#include <doctest/doctest.h>

#include "single.h"

using namespace linnet;
using namespace linnet::test;
using schema::BinaryFunction;

TEST_CASE("binary operations take a second value of the same shape or a single row") {
  const auto a = random_numbers(kRows * 11, 6), b = random_numbers(kRows * 11, 7), row = random_numbers(11, 8);
  for (BinaryFunction function : {BinaryFunction::add, BinaryFunction::subtract, BinaryFunction::multiply})
    for (bool repeated : {false, true}) {
      Single single;
      const uint32_t x = single.trial.input(a, 11);
      const uint32_t y = repeated ? single.trial.input(row, 11, {.constant = 1}) : single.trial.input(b, 11);
      const auto got = single.run<schema::Binary>([&](auto& builder) { return schema::CreateBinary(builder, function, 0.5f); }, {x, y}, 11);
      check(
          got,
          [&](size_t r, size_t column) {
            const double first = static_cast<double>(a[r * 11 + column]),
                         second = 0.5 * static_cast<double>(repeated ? row[column] : b[r * 11 + column]);
            return function == BinaryFunction::add        ? first + second
                   : function == BinaryFunction::subtract ? first - second
                                                          : first * second;
          },
          1e-6);
    }
}
