// A trial of one operation over five rows of two sequences, on the best level with two threads, and the comparison of its result.
#pragma once

#include <doctest/doctest.h>

#include <cmath>
#include <functional>

#include "trial.h"

namespace linnet::test {

constexpr uint32_t kRows = 5;

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
    REQUIRE(trial.run_verified(out) == "");
    return trial.result(out);
  }
  Trial trial;
};

inline void check(const std::vector<float>& got, const std::function<double(size_t row, size_t column)>& expected,
                  double tolerance = 1e-5) {
  const size_t columns = got.size() / kRows;
  for (size_t i = 0; i < got.size(); ++i) {
    CAPTURE(i);
    const double value = expected(i / columns, i % columns);
    REQUIRE(std::fabs(got[i] - value) <= tolerance * (1 + std::fabs(value)));
  }
}

}  // namespace linnet::test
