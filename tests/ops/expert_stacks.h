// Stacked matrices of any encoding, as bytes that an operation reads and as the numbers that they stand for.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include "core/half.h"
#include "format/program.h"
#include "kernels/linear_cases.h"

namespace linnet::test {

/// `count` matrices of rows x columns in memory that begins with a page, of which those of some experts can be taken away.
class Stack {
 public:
  Stack(schema::Encoding encoding, uint32_t count, uint32_t rows, uint32_t columns, unsigned seed)
      : values(size_t{count} * rows * columns), bytes_(format::tensor_bytes(encoding, rows, columns, count)) {
    data_ = static_cast<uint8_t*>(mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    tensor.name = "stack";
    tensor.encoding = encoding;
    tensor.rows = rows;
    tensor.columns = columns;
    tensor.count = count;
    tensor.data = data_;
    tensor.bytes = bytes_;
    for (uint32_t i = 0; i < count; ++i) fill(i, seed + i);
  }
  Stack(const Stack&) = delete;
  Stack& operator=(const Stack&) = delete;
  ~Stack() { munmap(data_, bytes_); }

  /// Reading a page that belongs to no other matrix ends the program from now on. Returns how many pages that are.
  size_t forbid(uint32_t matrix) {
    const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE)), stride = bytes_ / tensor.count;
    const size_t first = (matrix * stride + page - 1) / page * page, end = (matrix + 1) * stride / page * page;
    if (end <= first || mprotect(data_ + first, end - first, PROT_NONE) != 0) return 0;
    return (end - first) / page;
  }
  double value(size_t matrix, size_t row, size_t column) const {
    return static_cast<double>(values[(matrix * tensor.rows + row) * tensor.columns + column]);
  }

  format::Tensor tensor;
  std::vector<float> values;  // [count][rows][columns]

 private:
  size_t bytes_;
  uint8_t* data_;

  template <class Matrix, class Number>
  void take(const Matrix& matrix, uint32_t index, size_t size, Number&& number) {
    std::memcpy(data_ + index * (bytes_ / tensor.count), matrix.bytes.bytes(), size);
    for (size_t i = 0; i < size_t{tensor.rows} * tensor.columns; ++i) number_at(index, i) = number(i / tensor.columns, i);
  }
  float& number_at(uint32_t matrix, size_t i) { return values[size_t{matrix} * tensor.rows * tensor.columns + i]; }

  void fill(uint32_t index, unsigned seed) {
    const size_t rows = tensor.rows, columns = tensor.columns, size = format::tensor_bytes(tensor.encoding, rows, columns, 1);
    switch (tensor.encoding) {
      case schema::Encoding::int8: {
        const Int8Matrix m(rows, columns, Fill::random, seed);
        return take(m, index, size, [&](size_t row, size_t i) { return m.scale[row] * static_cast<float>(m.q[i]); });
      }
      case schema::Encoding::int4: {
        const Int4Matrix m(rows, columns, Fill::random, seed);
        return take(m, index, size, [&](size_t row, size_t i) {
          const size_t g = row * m.groups + i % columns / 32;
          return m.scale[row] * static_cast<float>(m.s[g] * m.q[i]) - m.offset[row] * static_cast<float>(m.m[g]);
        });
      }
      case schema::Encoding::mxfp4: {
        const Mxfp4Matrix m(rows, columns, Fill::random, seed);
        return take(m, index, size, [&](size_t row, size_t i) { return m.value(row, i % columns); });
      }
      default:
        fill_dense(index, seed);
    }
  }
  void fill_dense(uint32_t index, unsigned seed) {
    Random random(seed);
    uint8_t* to = data_ + index * (bytes_ / tensor.count);
    for (size_t i = 0; i < size_t{tensor.rows} * tensor.columns; ++i) {
      float& number = number_at(index, i) = random.real();
      const uint16_t half = core::half_from_float(number);
      if (tensor.encoding == schema::Encoding::f16) {
        number = core::float_from_half(half);
        std::memcpy(to + i * 2, &half, 2);
      } else {
        std::memcpy(to + i * 4, &number, 4);
      }
    }
  }
};

}  // namespace linnet::test
