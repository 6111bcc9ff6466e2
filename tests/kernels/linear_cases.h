// Matrices as numbers and as bytes of layout.h, for the tests of linear kernels. Packing is written out here a second time, from
// the text of FORMAT.md, so that kernels and converter cannot agree on a common mistake.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "kernels/available_levels.h"
#include "kernels/kernels.h"

namespace linnet::test {

class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed * 2654435761u + 88172645463325252ull) {}
  uint32_t next() {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return static_cast<uint32_t>(state_ >> 16);
  }
  int integer(int low, int high) { return low + static_cast<int>(next() % static_cast<uint32_t>(high - low + 1)); }
  float real() { return static_cast<float>(next() & 0xffff) / 32768.0f - 1.0f; }

 private:
  uint64_t state_;
};

/// Bytes that end right at a page which faults when touched; `align` moves the end by the fewest bytes that keep the start aligned.
class Guarded {
 public:
  explicit Guarded(size_t bytes, size_t align = 64) {
    const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
    const size_t room = (bytes + align - 1) / align * align;
    mapped_ = (room + page - 1) / page * page + page;
    base_ = static_cast<uint8_t*>(mmap(nullptr, mapped_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    mprotect(base_ + mapped_ - page, page, PROT_NONE);
    data_ = base_ + mapped_ - page - room;
  }
  Guarded(const Guarded&) = delete;
  Guarded& operator=(const Guarded&) = delete;
  ~Guarded() { munmap(base_, mapped_); }
  uint8_t* bytes() const { return data_; }
  float* floats() const { return reinterpret_cast<float*>(data_); }

 private:
  uint8_t* base_;
  uint8_t* data_;
  size_t mapped_;
};

enum class Fill { random, extreme };

/// w[n][k] = scale[n] * q[n][k]
struct Int8Matrix {
  size_t rows, columns;
  std::vector<int> q;
  std::vector<float> scale;
  Guarded bytes;

  Int8Matrix(size_t n, size_t k, Fill fill, uint64_t seed)
      : rows(n), columns(k), q(n * k), scale(n), bytes((n + 7) / 8 * ((k + 63) / 64 * 64 * 8 + 32)) {
    Random random(seed);
    for (int& value : q) value = fill == Fill::extreme ? (random.next() % 4 ? -128 : 127) : random.integer(-128, 127);
    for (float& value : scale) value = 0.01f + 0.01f * random.real() * random.real();
    const size_t panel = (k + 63) / 64 * 64 * 8;
    for (size_t r = 0; r < n; ++r)
      for (size_t c = 0; c < k; ++c) bytes.bytes()[r / 8 * panel + c / 8 * 64 + r % 8 * 8 + c % 8] = static_cast<uint8_t>(q[r * k + c]);
    std::memcpy(bytes.bytes() + (n + 7) / 8 * panel, scale.data(), n * sizeof(float));
  }
};

/// w[n][k] = R[n] * s[n][k/32] * q[n][k] - M[n] * m[n][k/32]
struct Int4Matrix {
  size_t rows, columns, groups;
  std::vector<int> q, s, m;  // [rows][columns], [rows][groups]
  std::vector<float> scale, offset;
  Guarded bytes;

  static size_t panel_bytes(size_t k) {
    const size_t g = (k + 63) / 64 * 2;
    return (g + 7) / 8 * 64 + g * 128;
  }
  Int4Matrix(size_t n, size_t k, Fill fill, uint64_t seed)
      : rows(n), columns(k), groups((k + 31) / 32), q(n * k), s(n * groups), m(n * groups), scale(n), offset(n),
        bytes((n + 7) / 8 * (panel_bytes(k) + 64)) {
    Random random(seed);
    const bool extreme = fill == Fill::extreme;
    for (int& value : q) value = extreme ? (random.next() % 4 ? 15 : 0) : random.integer(0, 15);
    for (int& value : s) value = extreme ? (random.next() % 4 ? 16 : 1) : random.integer(1, 16);
    for (int& value : m) value = extreme ? (random.next() % 4 ? 15 : 0) : random.integer(0, 15);
    for (float& value : scale) value = 0.001f + 0.001f * random.real() * random.real();
    for (float& value : offset) value = 0.01f + 0.01f * random.real() * random.real();
    for (size_t r = 0; r < n; ++r) pack_row(r);
    float* behind = reinterpret_cast<float*>(bytes.bytes() + (n + 7) / 8 * panel_bytes(k));
    std::memcpy(behind, scale.data(), n * sizeof(float));
    std::memcpy(behind + (n + 7) / 8 * 8, offset.data(), n * sizeof(float));
  }

 private:
  void pack_row(size_t r) {
    uint8_t* panel = bytes.bytes() + r / 8 * panel_bytes(columns);
    for (size_t g = 0; g < groups; ++g)
      panel[g / 8 * 1088 + g % 8 * 8 + r % 8] = static_cast<uint8_t>((s[r * groups + g] - 1) | m[r * groups + g] << 4);
    for (size_t c = 0; c < columns; ++c) {
      uint8_t& pair = panel[c / 256 * 1088 + 64 + c % 256 / 16 * 64 + r % 8 * 8 + c % 8];
      const int nibble = q[r * columns + c];
      pair = static_cast<uint8_t>(pair | (c % 16 < 8 ? nibble : nibble << 4));
    }
  }
};

/// w[n][k] = value(nibble[n][k]) * 2^(exponent[n][k/32] - 127)
struct Mxfp4Matrix {
  static constexpr float kValues[16] = {0, 0.5f, 1, 1.5f, 2, 3, 4, 6, 0, -0.5f, -1, -1.5f, -2, -3, -4, -6};
  size_t rows, columns, groups;
  std::vector<int> nibble, exponent;  // [rows][columns], [rows][groups]
  Guarded bytes;

  Mxfp4Matrix(size_t n, size_t k, Fill fill, uint64_t seed)
      : rows(n), columns(k), groups((k + 31) / 32), nibble(n * k), exponent(n * groups),
        bytes((n + 7) / 8 * Int4Matrix::panel_bytes(k)) {
    Random random(seed);
    const bool extreme = fill == Fill::extreme;
    for (int& value : nibble) value = extreme ? (random.next() % 4 ? 15 : 7) : random.integer(0, 15);
    for (int& value : exponent) value = extreme ? (random.next() % 4 ? 0 : 200) : random.integer(110, 130);
    for (size_t r = 0; r < n; ++r) {
      uint8_t* panel = bytes.bytes() + r / 8 * Int4Matrix::panel_bytes(k);
      for (size_t g = 0; g < groups; ++g) panel[g / 8 * 1088 + g % 8 * 8 + r % 8] = static_cast<uint8_t>(exponent[r * groups + g]);
      for (size_t c = 0; c < k; ++c) {
        uint8_t& pair = panel[c / 256 * 1088 + 64 + c % 256 / 16 * 64 + r % 8 * 8 + c % 8];
        pair = static_cast<uint8_t>(pair | (c % 16 < 8 ? nibble[r * k + c] : nibble[r * k + c] << 4));
      }
    }
  }
  float power(size_t r, size_t group) const { return std::ldexp(1.0f, exponent[r * groups + group] - 127); }
  float value(size_t r, size_t c) const { return kValues[nibble[r * columns + c]] * power(r, c / 32); }
};

/// Quantized rows in memory of exactly their size.
struct QuantizedCase {
  size_t tokens, columns;
  Guarded memory;
  kernels::QuantizedRows view;

  QuantizedCase(size_t count, size_t k, Fill fill, uint64_t seed)
      : tokens(count), columns(k), memory(kernels::quantized_rows_bytes(count, k)),
        view(kernels::quantized_rows_view(memory.bytes(), count, k)) {
    Random random(seed);
    for (size_t m = 0; m < count; ++m) {
      view.scale[m] = 0.02f + 0.01f * random.real();
      for (size_t c = 0; c < k; ++c) {
        const int value = fill == Fill::extreme ? (random.next() % 4 ? 127 : -127) : random.integer(-127, 127);
        view.data[m * view.stride + c] = static_cast<int8_t>(value);
        view.row_sum[m] += value;
        view.group_sum[m * (view.stride / 32) + c / 32] = static_cast<int16_t>(view.group_sum[m * (view.stride / 32) + c / 32] + value);
      }
    }
  }
};

}  // namespace linnet::test
