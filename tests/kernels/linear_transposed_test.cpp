#include <doctest/doctest.h>

#include <string>

#include "core/half.h"
#include "kernels/linear_cases.h"

namespace linnet::test {
namespace {

using kernels::LinearKernels;
using kernels::TransposedTask;
using RowKernel = void (*)(const uint8_t*, size_t, size_t, size_t, float*);
using TransposedKernel = void (*)(const TransposedTask&);

/// A matrix as bytes of one encoding, as floats, and the kernels that read it.
struct Case {
  const char* name;
  const uint8_t* bytes;
  std::vector<float> values;
  TransposedKernel LinearKernels::*transposed;
  RowKernel LinearKernels::*row;
};

struct Cases {
  size_t rows, columns;
  Int8Matrix int8;
  Int4Matrix int4;
  Mxfp4Matrix mxfp4;
  Guarded f32, f16, bf16;
  std::vector<Case> all;

  Cases(size_t n, size_t k)
      : rows(n), columns(k), int8(n, k, Fill::random, 1), int4(n, k, Fill::random, 2), mxfp4(n, k, Fill::random, 4), f32(n * k * 4, 4), f16(n * k * 2, 2), bf16(n * k * 2, 2) {
    std::vector<float> values[6];
    for (auto& list : values) list.resize(n * k);
    Random random(3);
    for (size_t i = 0; i < n * k; ++i) {
      const size_t r = i / k, g = r * int4.groups + i % k / 32;
      values[0][i] = int8.scale[r] * static_cast<float>(int8.q[i]);
      const float product = int4.scale[r] * static_cast<float>(int4.s[g] * int4.q[i]);
      const float step = int4.offset[r] * static_cast<float>(int4.m[g]);
      values[1][i] = product - step;
      values[2][i] = random.real();
      const uint16_t half = core::half_from_float(values[2][i]), brain = core::bfloat16_from_float(values[2][i]);
      values[3][i] = core::float_from_half(half);
      values[4][i] = core::float_from_bfloat16(brain);
      values[5][i] = mxfp4.value(r, i % k);
      std::memcpy(f32.bytes() + 4 * i, &values[2][i], 4);
      std::memcpy(f16.bytes() + 2 * i, &half, 2);
      std::memcpy(bf16.bytes() + 2 * i, &brain, 2);
    }
    all = {{"mxfp4", mxfp4.bytes.bytes(), values[5], &LinearKernels::transposed_mxfp4, &LinearKernels::row_mxfp4},
           {"int8", int8.bytes.bytes(), values[0], &LinearKernels::transposed_int8, &LinearKernels::row_int8},
           {"int4", int4.bytes.bytes(), values[1], &LinearKernels::transposed_int4, &LinearKernels::row_int4},
           {"f32", f32.bytes(), values[2], &LinearKernels::transposed_f32, &LinearKernels::row_f32},
           {"f16", f16.bytes(), values[3], &LinearKernels::transposed_f16, &LinearKernels::row_f16},
           {"bf16", bf16.bytes(), values[4], &LinearKernels::transposed_bf16, &LinearKernels::row_bf16}};
  }
};

size_t wrong_products(kernels::Level level, const Cases& cases, const Case& one, size_t tokens, size_t first_row, size_t end_row, size_t share) {
  const size_t width = end_row - first_row;
  const Guarded x(tokens * width * sizeof(float), sizeof(float)), out(tokens * cases.columns * sizeof(float), sizeof(float));
  Random random(9);
  for (size_t i = 0; i < tokens * width; ++i) x.floats()[i] = random.real();
  TransposedTask task{};
  task.weights = one.bytes;
  task.rows = cases.rows;
  task.columns = cases.columns;
  task.first_row = first_row;
  task.end_row = end_row;
  task.tokens = tokens;
  task.dense = x.floats();
  task.dense_stride = width;
  task.out = out.floats();
  task.out_stride = cases.columns;
  for (size_t k = 0; k < cases.columns; k += share) {
    task.first_column = k;
    task.last_column = k + share < cases.columns ? k + share : cases.columns;
    (kernels::table(level).linear.*one.transposed)(task);
  }
  size_t wrong = 0;
  for (size_t m = 0; m < tokens; ++m)
    for (size_t k = 0; k < cases.columns; ++k) {
      float sum = 0;
      for (size_t n = 0; n < width; ++n) {
        const float product = x.floats()[m * width + n] * one.values[(first_row + n) * cases.columns + k];
        sum += product;
      }
      wrong += sum != out.floats()[m * cases.columns + k];
    }
  return wrong;
}

}  // namespace

TEST_CASE("the transposed product of every encoding sums decoded rows in order, bit for bit, at every level") {
  for (const auto& [rows, columns] : {std::pair<size_t, size_t>{1, 1}, {9, 7}, {17, 33}, {8, 64}, {31, 80}, {20, 257}}) {
    const Cases cases(rows, columns);
    for (const Case& one : cases.all)
      for (kernels::Level level : levels())
        for (size_t tokens : {1, 2, 5}) {
          CAPTURE(std::string(one.name));
          CAPTURE(std::string(kernels::name(level)));
          const auto& of_columns = columns;
          CAPTURE(of_columns);
          CHECK(wrong_products(level, cases, one, tokens, 0, rows, 1000) == 0);
          CHECK(wrong_products(level, cases, one, tokens, rows / 3, rows - rows / 4, 16) == 0);
        }
  }
}

TEST_CASE("a single row of every encoding decodes bit for bit at every level") {
  for (const auto& [rows, columns] : {std::pair<size_t, size_t>{1, 1}, {9, 7}, {17, 33}, {8, 64}, {31, 80}, {20, 513}}) {
    const Cases cases(rows, columns);
    for (const Case& one : cases.all)
      for (kernels::Level level : levels())
        for (size_t row = 0; row < rows; ++row) {
          const Guarded out(columns * sizeof(float), sizeof(float));
          (kernels::table(level).linear.*one.row)(one.bytes, rows, columns, row, out.floats());
          CAPTURE(std::string(one.name));
          CAPTURE(std::string(kernels::name(level)));
          CHECK(std::memcmp(out.bytes(), one.values.data() + row * columns, columns * sizeof(float)) == 0);
        }
  }
}

}  // namespace linnet::test
