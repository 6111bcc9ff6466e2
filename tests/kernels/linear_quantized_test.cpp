#include <doctest/doctest.h>

#include <string>

#include "kernels/linear_cases.h"

namespace linnet::test {
namespace {

using kernels::LinearTask;

constexpr size_t kColumns[] = {1, 7, 31, 33, 63, 64, 65, 80, 96, 255, 256, 257, 513};
constexpr size_t kRows[] = {1, 7, 8, 9, 17, 131};
constexpr float kUntouched = 12345.0f;

float expected(const Int8Matrix& w, const QuantizedCase& x, size_t m, size_t n) {
  int64_t sum = 0;
  for (size_t k = 0; k < w.columns; ++k) sum += w.q[n * w.columns + k] * x.view.data[m * x.view.stride + k];
  const float scale = x.view.scale[m] * w.scale[n];
  return scale * static_cast<float>(static_cast<int32_t>(sum));
}

float expected(const Int4Matrix& w, const QuantizedCase& x, size_t m, size_t n) {
  int64_t a = 0, b = 0;
  for (size_t k = 0; k < w.columns; ++k) {
    const int activation = x.view.data[m * x.view.stride + k];
    a += w.s[n * w.groups + k / 32] * w.q[n * w.columns + k] * activation;
    b += w.m[n * w.groups + k / 32] * activation;
  }
  const float product = w.scale[n] * static_cast<float>(static_cast<int32_t>(a));
  const float step = w.offset[n] * static_cast<float>(static_cast<int32_t>(b));
  const float difference = product - step;
  return x.view.scale[m] * difference;
}

// Groups are added in order, in f32; twice the values are whole numbers.
float expected(const Mxfp4Matrix& w, const QuantizedCase& x, size_t m, size_t n) {
  float sum = 0;
  for (size_t g = 0; g < w.groups; ++g) {
    int64_t group = 0;
    for (size_t k = g * 32; k < w.columns && k < (g + 1) * 32; ++k)
      group += static_cast<int64_t>(2 * Mxfp4Matrix::kValues[w.nibble[n * w.columns + k]]) * x.view.data[m * x.view.stride + k];
    const float product = w.power(n, g) * static_cast<float>(group);
    sum += product;
  }
  return x.view.scale[m] / 2 * sum;
}

void run_kernel(const kernels::LinearKernels& linear, const Int8Matrix&, const LinearTask& task) { linear.int8(task); }
void run_kernel(const kernels::LinearKernels& linear, const Int4Matrix&, const LinearTask& task) { linear.int4(task); }
void run_kernel(const kernels::LinearKernels& linear, const Mxfp4Matrix&, const LinearTask& task) { linear.mxfp4(task); }

/// Rows [first, end) of W times x, in calls of at most `share` panels; out has exactly tokens * (end - first) floats.
template <class Matrix>
void product(kernels::Level level, const Matrix& w, const QuantizedCase& x, size_t first, size_t end, const float* bias, size_t share, float* out) {
  const kernels::LinearKernels& linear = kernels::table(level).linear;
  const Guarded scratch(linear.scratch_bytes(x.tokens, w.columns));
  LinearTask task{};
  task.weights = w.bytes.bytes();
  task.rows = w.rows;
  task.columns = w.columns;
  task.first_row = first;
  task.end_row = end;
  task.tokens = x.tokens;
  task.x = x.view;
  task.out = out;
  task.out_stride = end - first;
  task.bias = bias;
  task.scratch = scratch.bytes();
  const size_t last_panel = (end + 7) / 8;
  for (size_t panel = first / 8; panel < last_panel; panel += share) {
    task.first_panel = panel;
    task.last_panel = panel + share < last_panel ? panel + share : last_panel;
    run_kernel(linear, w, task);
  }
}

template <class Matrix>
size_t wrong_outputs(kernels::Level level, size_t rows, size_t columns, size_t tokens, Fill fill) {
  const Matrix w(rows, columns, fill, rows * 131 + columns);
  const QuantizedCase x(tokens, columns, fill, columns);
  const Guarded out(tokens * rows * sizeof(float), sizeof(float));
  product(level, w, x, 0, rows, nullptr, 1000, out.floats());
  size_t wrong = 0;
  for (size_t m = 0; m < tokens; ++m)
    for (size_t n = 0; n < rows; ++n) {
      const float want = expected(w, x, m, n);
      wrong += std::memcmp(&want, out.floats() + m * rows + n, sizeof want) != 0;
    }
  return wrong;
}

template <class Matrix>
void check_all_shapes() {
  for (kernels::Level level : levels())
    for (Fill fill : {Fill::random, Fill::extreme})
      for (size_t columns : kColumns)
        for (size_t rows : kRows)
          for (size_t tokens : {1, 2, 3, 4, 5, 7, 8, 9, 16, 17}) {
            const size_t wrong = wrong_outputs<Matrix>(level, rows, columns, tokens, fill);
            if (wrong != 0) {
              CAPTURE(std::string(kernels::name(level)));
              CAPTURE(rows);
              CAPTURE(columns);
              CAPTURE(tokens);
              CHECK(wrong == 0);
            }
          }
  CHECK(levels().size() >= 1);
}

template <class Matrix>
void check_slices_and_sharing() {
  const size_t rows = 75, columns = 200;
  const Matrix w(rows, columns, Fill::random, 5);
  std::vector<float> bias(rows);
  Random random(6);
  for (float& value : bias) value = random.real();
  for (kernels::Level level : levels())
    for (size_t tokens : {1, 3, 20})
      for (const auto& [first, end] : {std::pair<size_t, size_t>{0, 75}, {3, 61}, {8, 24}, {9, 15}, {70, 75}})
        for (size_t share : {1, 2, 3, 7}) {
          const QuantizedCase x(tokens, columns, Fill::random, 7);
          const size_t width = end - first;
          const Guarded out(tokens * width * sizeof(float), sizeof(float)), exact_bias(width * sizeof(float), sizeof(float));
          std::memcpy(exact_bias.bytes(), bias.data() + first, width * sizeof(float));
          for (size_t i = 0; i < tokens * width; ++i) out.floats()[i] = kUntouched;
          product(level, w, x, first, end, exact_bias.floats(), share, out.floats());
          size_t wrong = 0;
          for (size_t m = 0; m < tokens; ++m)
            for (size_t n = first; n < end; ++n) wrong += out.floats()[m * width + n - first] != expected(w, x, m, n) + bias[n];
          CAPTURE(std::string(kernels::name(level)));
          const auto& of_first = first;
          CAPTURE(of_first);
          CAPTURE(share);
          CHECK(wrong == 0);
        }
}

}  // namespace

TEST_CASE("int8 products equal exact sums in every bit at every level, odd shape, row count and extreme") { check_all_shapes<Int8Matrix>(); }

TEST_CASE("int4 products equal exact sums in every bit at every level, odd shape, row count and extreme") { check_all_shapes<Int4Matrix>(); }

TEST_CASE("mxfp4 products equal sums of groups in order, bit for bit, at every level, odd shape, row count and extreme") {
  check_all_shapes<Mxfp4Matrix>();
}

TEST_CASE("mxfp4 products of a slice with a bias do not depend on how panels are shared") { check_slices_and_sharing<Mxfp4Matrix>(); }

TEST_CASE("int8 products of a slice with a bias do not depend on how panels are shared") { check_slices_and_sharing<Int8Matrix>(); }

TEST_CASE("int4 products of a slice with a bias do not depend on how panels are shared") { check_slices_and_sharing<Int4Matrix>(); }

TEST_CASE("the longest quantized rows stay exact at full deflection") {
  for (kernels::Level level : levels())
    for (size_t tokens : {1, 17}) {
      CHECK(wrong_outputs<Int8Matrix>(level, 9, 65536, tokens, Fill::extreme) == 0);
      CHECK(wrong_outputs<Int4Matrix>(level, 9, 65536, tokens, Fill::extreme) == 0);
    }
}

TEST_CASE("more rows than are multiplied together at a time are exact in every row") {
  for (kernels::Level level : levels())
    for (size_t tokens : {31, 63, 64, 65, 67, 131}) {
      CAPTURE(std::string(kernels::name(level)));
      CAPTURE(tokens);
      CHECK(wrong_outputs<Int8Matrix>(level, 19, 90, tokens, Fill::random) == 0);
      CHECK(wrong_outputs<Int4Matrix>(level, 19, 590, tokens, Fill::random) == 0);
      CHECK(wrong_outputs<Int4Matrix>(level, 19, 590, tokens, Fill::extreme) == 0);
    }
}

TEST_CASE("fewer rows need no more scratch than more rows do") {
  for (kernels::Level level : levels())
    for (size_t columns : {1, 64, 896, 65536})
      for (size_t tokens = 1; tokens < 200; ++tokens) {
        const kernels::LinearKernels& linear = kernels::table(level).linear;
        REQUIRE(linear.scratch_bytes(tokens, columns) <= linear.scratch_bytes(tokens + 1, columns));
      }
}

TEST_CASE("a product writes nothing outside of its slice") {
  const size_t rows = 24, columns = 64, stride = 24;
  const Int8Matrix w(rows, columns, Fill::random, 1);
  const QuantizedCase x(2, columns, Fill::random, 2);
  for (kernels::Level level : levels()) {
    std::vector<float> out(2 * stride, kUntouched);
    LinearTask task{};
    task.weights = w.bytes.bytes();
    task.rows = rows;
    task.columns = columns;
    task.first_panel = 0;
    task.last_panel = 2;
    task.first_row = 5;
    task.end_row = 12;
    task.tokens = 2;
    task.x = x.view;
    task.out = out.data() + 3;
    task.out_stride = stride;
    kernels::table(level).linear.int8(task);
    for (size_t m = 0; m < 2; ++m)
      for (size_t i = 0; i < stride; ++i) CHECK((out[m * stride + i] == kUntouched) == (i < 3 || i >= 10));
  }
}

}  // namespace linnet::test
