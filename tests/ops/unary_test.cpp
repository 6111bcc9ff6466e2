#include <doctest/doctest.h>

#include "single.h"

using namespace linnet;
using namespace linnet::test;
using schema::Function;

TEST_CASE("unary functions are applied to every number") {
  const auto x = random_numbers(kRows * 9, 5);
  const auto run = [&](Function function, const std::function<double(double)>& expected) {
    Single single;
    const auto got =
        single.run<schema::Unary>([&](auto& builder) { return schema::CreateUnary(builder, function); }, {single.trial.input(x, 9)}, 9);
    check(got, [&](size_t row, size_t column) { return expected(static_cast<double>(x[row * 9 + column])); });
  };
  run(Function::identity, [](double y) { return y; });
  run(Function::gelu, [](double y) { return y * 0.5 * std::erfc(-y / std::sqrt(2.0)); });
  run(Function::relu, [](double y) { return y < 0 ? 0 : y; });
  run(Function::tanh, [](double y) { return std::tanh(y); });
  run(Function::softplus, [](double y) { return std::log(1 + std::exp(y)); });
}
