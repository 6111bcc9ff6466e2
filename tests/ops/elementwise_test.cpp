// Norm, Unary, Binary, BinaryConstant, Gate, Scale, Softcap: each against its formula.
#include <doctest/doctest.h>

#include <cmath>
#include <functional>

#include "trial.h"

using namespace linnet;
using namespace linnet::test;
using schema::BinaryFunction;
using schema::Function;
using schema::NormKind;

namespace {

constexpr uint32_t kRows = 5;

/// A trial of one operation over kRows rows, on the best level with two threads.
struct Single {
  Single() {
    trial.counts[Symbol::tokens] = {2, 3};
    trial.sequences = 2;
    trial.level = kernels::best().level;
    trial.threads = 2;
  }
  template <class Table, class Create>
  std::vector<float> run(Create create, const std::vector<uint32_t>& inputs, uint32_t columns) {
    const uint32_t out = trial.output(columns);
    trial.operation<Table>(create, inputs, {out});
    trial.wants(out);
    const Status status = trial.verify();
    REQUIRE_MESSAGE(status.ok(), status.message());
    trial.run();
    return trial.result(out);
  }
  Trial trial;
};

void check(const std::vector<float>& got, const std::function<double(size_t row, size_t column)>& expected, double tolerance = 1e-5) {
  const size_t columns = got.size() / kRows;
  for (size_t i = 0; i < got.size(); ++i) {
    CAPTURE(i);
    const double value = expected(i / columns, i % columns);
    REQUIRE(std::fabs(got[i] - value) <= tolerance * (1 + std::fabs(value)));
  }
}

}  // namespace

TEST_CASE("norms work over whole rows and over groups, with weights of a group or of the row") {
  constexpr uint32_t kColumns = 21;
  const auto x = random_numbers(kRows * kColumns, 1), long_weight = random_numbers(kColumns, 2), short_weight = random_numbers(7, 3),
             bias = random_numbers(7, 4);
  for (NormKind kind : {NormKind::layer, NormKind::rms, NormKind::l2})
    for (uint32_t width : {0u, 7u, 21u})
      for (int weights : {0, 1, 2}) {
        if (kind == NormKind::l2 && weights != 0) continue;
        if (weights == 1 && width != 7) continue;
        CAPTURE(static_cast<int>(kind));
        CAPTURE(width);
        CAPTURE(weights);
        Single single;
        const int32_t weight = weights == 0   ? -1
                               : weights == 1 ? single.trial.tensor("weight", 1, 7, short_weight)
                                              : single.trial.tensor("weight", 1, 21, long_weight);
        const int32_t offset = kind == NormKind::layer && width == 7 ? single.trial.tensor("bias", 1, 7, bias) : -1;
        const auto got =
            single.run<schema::Norm>([&](auto& builder) { return schema::CreateNorm(builder, kind, 1e-3f, width, weight, offset); },
                                     {single.trial.input(x, kColumns)}, kColumns);
        const size_t group = width ? width : kColumns;
        check(got, [&](size_t row, size_t column) {
          const float* values = x.data() + row * kColumns + column / group * group;
          double sum = 0, square = 0, variance = 0;
          for (size_t i = 0; i < group; ++i)
            sum += static_cast<double>(values[i]), square += static_cast<double>(values[i]) * static_cast<double>(values[i]);
          const double mean = sum / static_cast<double>(group), value = static_cast<double>(x[row * kColumns + column]);
          for (size_t i = 0; i < group; ++i) variance += (values[i] - mean) * (values[i] - mean) / static_cast<double>(group);
          const double w = weights == 0 ? 1 : static_cast<double>(weights == 1 ? short_weight[column % 7] : long_weight[column]);
          if (kind == NormKind::rms) return value / std::sqrt(square / static_cast<double>(group) + 1e-3) * w;
          if (kind == NormKind::l2) return value / std::max(std::sqrt(square), 1e-3);
          return (value - mean) / std::sqrt(variance + 1e-3) * w + (offset >= 0 ? static_cast<double>(bias[column % 7]) : 0);
        });
      }
}

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

TEST_CASE("a gate takes both halves of one value, or two values") {
  const auto gates = random_numbers(kRows * 13, 11), up = random_numbers(kRows * 13, 12);
  std::vector<float> fused;
  for (size_t r = 0; r < kRows; ++r) {
    fused.insert(fused.end(), gates.begin() + static_cast<long>(r * 13), gates.begin() + static_cast<long>((r + 1) * 13));
    fused.insert(fused.end(), up.begin() + static_cast<long>(r * 13), up.begin() + static_cast<long>((r + 1) * 13));
  }
  const auto create = [](auto& builder) { return schema::CreateGate(builder, Function::silu); };
  const auto expected = [&](size_t r, size_t column) {
    const double g = static_cast<double>(gates[r * 13 + column]);
    return g / (1 + std::exp(-g)) * static_cast<double>(up[r * 13 + column]);
  };
  Single one, two;
  const auto of_one = one.run<schema::Gate>(create, {one.trial.input(fused, 26)}, 13);
  const auto of_two = two.run<schema::Gate>(create, {two.trial.input(gates, 13), two.trial.input(up, 13)}, 13);
  check(of_one, expected);
  CHECK(of_one == of_two);
}

TEST_CASE("scale multiplies, a soft-cap bends towards its bound") {
  const auto x = random_numbers(kRows * 10, 13);
  Single scaled, capped;
  check(scaled.run<schema::Scale>([](auto& builder) { return schema::CreateScale(builder, 1.5f); }, {scaled.trial.input(x, 10)}, 10),
        [&](size_t r, size_t c) { return 1.5 * static_cast<double>(x[r * 10 + c]); });
  check(capped.run<schema::Softcap>([](auto& builder) { return schema::CreateSoftcap(builder, 2.5f); }, {capped.trial.input(x, 10)}, 10),
        [&](size_t r, size_t c) { return 2.5 * std::tanh(static_cast<double>(x[r * 10 + c]) / 2.5); });
}
