#include <doctest/doctest.h>

#include "single.h"

using namespace linnet;
using namespace linnet::test;
using schema::NormKind;

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
