#include <doctest/doctest.h>

#include <cfloat>
#include <cmath>
#include <limits>
#include <string>

#include "kernels/linear_cases.h"

namespace linnet::test {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

/// One row, quantized at one level, in memory of exactly its size.
struct Quantized {
  Guarded memory;
  kernels::QuantizedRows view;
  Quantized(kernels::Level level, const std::vector<float>& x)
      : memory(kernels::quantized_rows_bytes(1, x.size())), view(kernels::quantized_rows_view(memory.bytes(), 1, x.size())) {
    std::memset(memory.bytes(), 0x5a, kernels::quantized_rows_bytes(1, x.size()));
    const Guarded row(x.size() * sizeof(float), sizeof(float));
    std::memcpy(row.bytes(), x.data(), x.size() * sizeof(float));
    kernels::table(level).linear.quantize(row.floats(), x.size(), 1, x.size(), view);
  }
};

/// What the format says, in double precision where that does not change the rounding: x / scale is exact enough to tell halves.
int step(float x, float scale) {
  if (std::isnan(x) || scale == 0) return 0;
  const float tame = std::isinf(x) ? std::copysign(FLT_MAX, x) : x;
  const float quotient = tame / scale;
  const double rounded = std::nearbyint(static_cast<double>(quotient));
  return static_cast<int>(std::fmin(127, std::fmax(-127, rounded)));
}

void check_row(const std::vector<float>& x) {
  float largest = 0;
  for (float value : x)
    if (!std::isnan(value)) largest = std::fmax(largest, std::fmin(std::fabs(value), FLT_MAX));
  const float scale = largest / 127.0f;
  for (kernels::Level level : levels()) {
    const Quantized row(level, x);
    CAPTURE(std::string(kernels::name(level)));
    CAPTURE(x.size());
    CHECK(row.view.scale[0] == scale);
    int wrong = 0, row_sum = 0;
    for (size_t k = 0; k < row.view.stride; k += 32) {
      int group_sum = 0;
      for (size_t i = k; i < k + 32; ++i) {
        const int want = i < x.size() ? step(x[i], scale) : 0;
        wrong += row.view.data[i] != want;
        group_sum += want;
      }
      wrong += row.view.group_sum[k / 32] != group_sum;
      row_sum += group_sum;
    }
    CHECK(wrong == 0);
    CHECK(row.view.row_sum[0] == row_sum);
  }
}

}  // namespace

TEST_CASE("rows of every length quantize alike at every level, with zeros behind them and right sums") {
  Random random(1);
  for (size_t columns : {1, 2, 7, 8, 9, 31, 32, 33, 63, 64, 65, 80, 96, 255, 257, 896}) {
    std::vector<float> x(columns);
    for (float& value : x) value = 3.0f * random.real();
    check_row(x);
  }
}

TEST_CASE("halves round to the even neighbour") {
  std::vector<float> x = {127.0f, 0.5f, 1.5f, 2.5f, -0.5f, -1.5f, -2.5f, 126.5f, -126.5f, 125.5f, -127.0f};
  for (kernels::Level level : levels()) {
    const Quantized row(level, x);
    const int want[] = {127, 0, 2, 2, 0, -2, -2, 126, -126, 126, -127};
    for (size_t i = 0; i < x.size(); ++i) CHECK(row.view.data[i] == want[i]);
  }
}

TEST_CASE("NaN counts as zero, infinity as the largest float, and -128 never appears") {
  check_row({kNaN, 1.0f, -2.0f, kNaN});
  check_row({kInfinity, 1.0f, -kInfinity, kNaN, FLT_MAX, -FLT_MAX / 2});
  check_row({kNaN, kNaN, kNaN});
}

TEST_CASE("rows of zeros and rows too small for a scale become zeros") {
  check_row(std::vector<float>(40, 0.0f));
  check_row({-0.0f, 0.0f});
  check_row({FLT_TRUE_MIN, -FLT_TRUE_MIN});
  check_row({100 * FLT_TRUE_MIN, 190 * FLT_TRUE_MIN, -190 * FLT_TRUE_MIN});
  check_row({FLT_MIN, FLT_MIN / 3});
}

TEST_CASE("several rows with a stride are quantized each on its own") {
  const size_t rows = 3, columns = 70, stride = 90;
  Random random(2);
  std::vector<float> x(rows * stride);
  for (float& value : x) value = random.real();
  for (kernels::Level level : levels()) {
    const Guarded memory(kernels::quantized_rows_bytes(rows, columns));
    const kernels::QuantizedRows all = kernels::quantized_rows_view(memory.bytes(), rows, columns);
    kernels::table(level).linear.quantize(x.data(), stride, rows, columns, all);
    for (size_t m = 0; m < rows; ++m) {
      const Quantized one(level, std::vector<float>(x.begin() + static_cast<ptrdiff_t>(m * stride), x.begin() + static_cast<ptrdiff_t>(m * stride + columns)));
      CHECK(all.scale[m] == one.view.scale[0]);
      CHECK(all.row_sum[m] == one.view.row_sum[0]);
      CHECK(std::memcmp(all.data + m * all.stride, one.view.data, all.stride) == 0);
      CHECK(std::memcmp(all.group_sum + m * (all.stride / 32), one.view.group_sum, all.stride / 32 * 2) == 0);
    }
  }
}

}  // namespace linnet::test
