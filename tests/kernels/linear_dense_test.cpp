#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "core/half.h"
#include "kernels/linear_cases.h"

namespace linnet::test {
namespace {

using kernels::LinearTask;

enum class Encoding { f32, f16, bf16 };
constexpr Encoding kEncodings[] = {Encoding::f32, Encoding::f16, Encoding::bf16};
size_t element_bytes(Encoding encoding) { return encoding == Encoding::f32 ? 4 : 2; }

/// Random numbers in an encoding's bytes and as the floats that those bytes mean.
struct DenseMatrix {
  size_t rows, columns;
  Encoding encoding;
  std::vector<float> values;
  Guarded bytes;

  DenseMatrix(Encoding as, size_t n, size_t k, uint64_t seed)
      : rows(n), columns(k), encoding(as), values(n * k), bytes(n * k * element_bytes(as), element_bytes(as)) {
    Random random(seed);
    for (size_t i = 0; i < values.size(); ++i) {
      const float value = random.real();
      const uint16_t half = as == Encoding::f16 ? core::half_from_float(value) : core::bfloat16_from_float(value);
      if (as == Encoding::f32) std::memcpy(bytes.bytes() + 4 * i, &value, 4);
      if (as != Encoding::f32) std::memcpy(bytes.bytes() + 2 * i, &half, 2);
      values[i] = as == Encoding::f32 ? value : as == Encoding::f16 ? core::float_from_half(half) : core::float_from_bfloat16(half);
    }
  }
};

void run_kernel(kernels::Level level, Encoding encoding, const LinearTask& task) {
  const kernels::LinearKernels& linear = kernels::table(level).linear;
  (encoding == Encoding::f32 ? linear.f32 : encoding == Encoding::f16 ? linear.f16 : linear.bf16)(task);
}

/// Rows [first, end) of W times `tokens` rows of x, panels [first / 8, ...) in calls of at most `share`.
std::vector<float> product(kernels::Level level, const DenseMatrix& w, const float* x, size_t tokens, size_t first, size_t end,
                           const float* bias, size_t share) {
  const size_t width = end - first;
  const Guarded out(tokens * width * sizeof(float), sizeof(float));
  LinearTask task{};
  task.weights = w.bytes.bytes();
  task.rows = w.rows;
  task.columns = w.columns;
  task.first_row = first;
  task.end_row = end;
  task.tokens = tokens;
  task.dense = x;
  task.dense_stride = w.columns;
  task.out = out.floats();
  task.out_stride = width;
  task.bias = bias;
  for (size_t panel = first / 8; panel < (end + 7) / 8; panel += share) {
    task.first_panel = panel;
    task.last_panel = std::min(panel + share, (end + 7) / 8);
    run_kernel(level, w.encoding, task);
  }
  return std::vector<float>(out.floats(), out.floats() + tokens * width);
}

}  // namespace

TEST_CASE("dense products match sums in double precision at every level and odd shape") {
  for (kernels::Level level : levels())
    for (Encoding encoding : kEncodings)
      for (size_t columns : {1, 7, 15, 16, 17, 31, 33, 63, 64, 65, 80, 96, 255, 257, 513})
        for (size_t rows : {1, 3, 4, 5, 8, 9, 17, 131})
          for (size_t tokens : {1, 2, 4, 5, 9, 17}) {
            const DenseMatrix w(encoding, rows, columns, rows + columns);
            const Guarded x(tokens * columns * sizeof(float), sizeof(float));
            Random random(tokens);
            for (size_t i = 0; i < tokens * columns; ++i) x.floats()[i] = random.real();
            const std::vector<float> out = product(level, w, x.floats(), tokens, 0, rows, nullptr, 1000);
            double worst = 0;
            for (size_t m = 0; m < tokens; ++m)
              for (size_t n = 0; n < rows; ++n) {
                double sum = 0;
                for (size_t k = 0; k < columns; ++k) sum += static_cast<double>(x.floats()[m * columns + k]) * static_cast<double>(w.values[n * columns + k]);
                worst = std::fmax(worst, std::fabs(sum - static_cast<double>(out[m * rows + n])));
              }
            if (worst > 2e-7 * std::sqrt(static_cast<double>(columns)) * 8) {
              CAPTURE(std::string(kernels::name(level)));
              CAPTURE(rows);
              CAPTURE(columns);
              CAPTURE(tokens);
              CHECK(worst == 0);
            }
          }
}

TEST_CASE("a dense row's result is bit-equal for any number of rows, any sharing and any slice") {
  const size_t rows = 75, columns = 203, tokens = 17;
  std::vector<float> x(tokens * columns), bias(rows);
  Random random(4);
  for (float& value : x) value = random.real();
  for (float& value : bias) value = random.real();
  for (kernels::Level level : levels())
    for (Encoding encoding : kEncodings) {
      const DenseMatrix w(encoding, rows, columns, 3);
      const std::vector<float> whole = product(level, w, x.data(), tokens, 0, rows, bias.data(), 1000);
      for (const auto& [first, end] : {std::pair<size_t, size_t>{0, 75}, {3, 61}, {9, 15}, {70, 75}})
        for (size_t share : {1, 3})
          for (size_t count : {1, 2, 3, 4, 5, 6, 7, 11}) {
            const std::vector<float> part = product(level, w, x.data() + columns, count, first, end, bias.data() + first, share);
            size_t wrong = 0;
            for (size_t m = 0; m < count; ++m)
              for (size_t n = first; n < end; ++n) wrong += part[m * (end - first) + n - first] != whole[(m + 1) * rows + n];
            CAPTURE(std::string(kernels::name(level)));
            CAPTURE(count);
            CHECK(wrong == 0);
          }
    }
}

TEST_CASE("dense products carry NaN and infinity through without harm") {
  const size_t rows = 9, columns = 37;
  for (kernels::Level level : levels())
    for (Encoding encoding : kEncodings) {
      const DenseMatrix w(encoding, rows, columns, 3);
      std::vector<float> x(2 * columns, 1.0f);
      x[5] = std::numeric_limits<float>::infinity();
      x[36] = std::numeric_limits<float>::quiet_NaN();
      const std::vector<float> out = product(level, w, x.data(), 2, 0, rows, nullptr, 1);
      for (size_t n = 0; n < rows; ++n) {
        CHECK(std::isnan(out[n]));
        CHECK(std::isfinite(out[rows + n]));
      }
    }
}

}  // namespace linnet::test
