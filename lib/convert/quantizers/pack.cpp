#include "convert/pack.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <thread>

#include "convert/checkpoint.h"
#include "convert/quantizers/int4.h"
#include "convert/quantizers/mxfp4.h"
#include "core/checked.h"
#include "core/half.h"
#include "core/limits.h"
#include "format/program.h"
#include "kernels/layout.h"

namespace linnet::convert {
namespace {

using namespace kernels;

constexpr size_t kManyWeights = 1 << 16;

struct Matrix {
  const float* weights;
  size_t rows, columns;
};

// Panels are independent: shared between two threads where there are many; the result is the same.
void for_each_panel(const Matrix& matrix, const std::function<void(size_t)>& panel) {
  size_t count = panels(matrix.rows);
  auto work = [&](size_t first, size_t last) {
    for (size_t p = first; p < last; ++p) panel(p);
  };
  if (matrix.rows * matrix.columns < kManyWeights || std::thread::hardware_concurrency() < 2) return work(0, count);
  std::thread other(work, 0, count / 2);
  work(count / 2, count);
  other.join();
}

void put_float(uint8_t* base, size_t index, float value) { std::memcpy(base + index * sizeof value, &value, sizeof value); }
float get_float(const uint8_t* base, size_t index) {
  float value;
  std::memcpy(&value, base + index * sizeof value, sizeof value);
  return value;
}

// d = max|w| / 127, q = round half to even, clamped to +-127.
void pack_int8(const Matrix& matrix, uint8_t* out) {
  size_t panel_bytes = int8_panel_bytes(matrix.columns);
  uint8_t* scales = out + panels(matrix.rows) * panel_bytes;
  for_each_panel(matrix, [&](size_t p) {
    for (size_t n = p * kPanelRows; n < std::min((p + 1) * kPanelRows, matrix.rows); ++n) {
      const float* row = matrix.weights + n * matrix.columns;
      float largest = 0;
      for (size_t k = 0; k < matrix.columns; ++k) largest = std::max(largest, std::fabs(row[k]));
      float scale = largest / 127, inverse = scale > 0 ? 1 / scale : 0;
      if (!std::isfinite(inverse)) scale = inverse = 0;  // weights below 1e-36: nothing
      for (size_t k = 0; k < matrix.columns; ++k) {
        float q = std::clamp(std::nearbyint(row[k] * inverse), -127.0f, 127.0f);
        out[p * panel_bytes + k / 8 * kLine + n % 8 * 8 + k % 8] = static_cast<uint8_t>(static_cast<int8_t>(q));
      }
      put_float(scales, n, scale);
    }
  });
}

// Where a group's scale byte and a column's nibble lie within a panel.
size_t scale_at(size_t group, size_t row) {
  size_t block = group / kGroupsPerScaleLine;
  return block * (kLine + kGroupsPerScaleLine * 2 * kLine) + group % kGroupsPerScaleLine * 8 + row;
}
size_t nibble_at(size_t column, size_t row) {
  size_t group = column / kGroup, block = group / kGroupsPerScaleLine;
  return block * (kLine + kGroupsPerScaleLine * 2 * kLine) + kLine + (group % kGroupsPerScaleLine * 2 + column % kGroup / 16) * kLine +
         row * 8 + column % 8;
}

void pack_int4(const Matrix& matrix, const std::vector<float>& importance, uint8_t* out) {
  size_t padded = padded_columns(matrix.columns), panel_bytes = int4_panel_bytes(matrix.columns), all = panels(matrix.rows);
  uint8_t* R = out + all * panel_bytes;
  uint8_t* M = R + all * kPanelRows * sizeof(float);
  for_each_panel(matrix, [&](size_t p) {
    uint8_t* panel = out + p * panel_bytes;
    Int4Row row;
    for (size_t n = p * kPanelRows; n < std::min((p + 1) * kPanelRows, matrix.rows); ++n) {
      quantize_int4(matrix.weights + n * matrix.columns, matrix.columns, padded, importance.empty() ? nullptr : importance.data(), &row);
      put_float(R, n, row.R);
      put_float(M, n, row.M);
      for (size_t g = 0; g < padded / kGroup; ++g) panel[scale_at(g, n % 8)] = static_cast<uint8_t>((row.s[g] - 1) | row.m[g] << 4);
      for (size_t k = 0; k < padded; ++k) panel[nibble_at(k, n % 8)] |= static_cast<uint8_t>(k % 16 < 8 ? row.q[k] : row.q[k] << 4);
    }
  });
}

void pack_mxfp4(const Matrix& matrix, uint8_t* out) {
  const size_t panel_bytes = mxfp4_panel_bytes(matrix.columns);
  for_each_panel(matrix, [&](size_t p) {
    uint8_t* panel = out + p * panel_bytes;
    for (size_t n = p * kPanelRows; n < std::min((p + 1) * kPanelRows, matrix.rows); ++n)
      for (size_t first = 0; first < matrix.columns; first += kGroup) {
        const size_t count = std::min(kGroup, matrix.columns - first);
        const Mxfp4Group group = quantize_mxfp4(matrix.weights + n * matrix.columns + first, count);
        panel[scale_at(first / kGroup, n % 8)] = group.exponent;
        for (size_t k = 0; k < count; ++k)
          panel[nibble_at(first + k, n % 8)] |= static_cast<uint8_t>(k % 16 < 8 ? group.nibbles[k] : group.nibbles[k] << 4);
      }
  });
}

void pack_dense(const Matrix& matrix, Encoding encoding, uint8_t* out) {
  size_t count = matrix.rows * matrix.columns;
  if (encoding == Encoding::f32) {
    std::memcpy(out, matrix.weights, count * sizeof(float));
    return;
  }
  for (size_t i = 0; i < count; ++i) {
    uint16_t bits = encoding == Encoding::f16 ? core::half_from_float(matrix.weights[i]) : core::bfloat16_from_float(matrix.weights[i]);
    std::memcpy(out + i * sizeof bits, &bits, sizeof bits);
  }
}

void unpack_matrix(const uint8_t* bytes, Encoding encoding, size_t rows, size_t columns, float* out) {
  size_t all = panels(rows);
  for (size_t n = 0; n < rows; ++n)
    for (size_t k = 0; k < columns; ++k) {
      float& value = out[n * columns + k];
      uint16_t bits;
      switch (encoding) {
        case Encoding::f16:
        case Encoding::bf16:
          std::memcpy(&bits, bytes + (n * columns + k) * sizeof bits, sizeof bits);
          value = encoding == Encoding::f16 ? core::float_from_half(bits) : core::float_from_bfloat16(bits);
          break;
        case Encoding::int8: {
          size_t panel = int8_panel_bytes(columns);
          auto q = static_cast<int8_t>(bytes[n / 8 * panel + k / 8 * kLine + n % 8 * 8 + k % 8]);
          value = get_float(bytes + all * panel, n) * static_cast<float>(q);
          break;
        }
        case Encoding::int4: {
          size_t panel = int4_panel_bytes(columns);
          uint8_t scale = bytes[n / 8 * panel + scale_at(k / kGroup, n % 8)], pair = bytes[n / 8 * panel + nibble_at(k, n % 8)];
          auto q = static_cast<float>(k % 16 < 8 ? pair & 15 : pair >> 4);
          float R = get_float(bytes + all * panel, n), M = get_float(bytes + all * panel, all * kPanelRows + n);
          value = R * (static_cast<float>((scale & 15) + 1) * q) - M * static_cast<float>(scale >> 4);
          break;
        }
        case Encoding::mxfp4: {
          const uint8_t* panel = bytes + n / 8 * mxfp4_panel_bytes(columns);
          const uint8_t pair = panel[nibble_at(k, n % 8)];
          value = 0.5f * kMxfp4Halves[k % 16 < 8 ? pair & 15 : pair >> 4] * mxfp4_power(panel[scale_at(k / kGroup, n % 8)]);
          break;
        }
        default:
          value = get_float(bytes, n * columns + k);
      }
    }
}

size_t matrix_stride(size_t bytes, uint32_t count) { return bytes / count; }

}  // namespace

Packed pack(const std::string& name, const std::vector<float>& weights, uint32_t rows, uint32_t columns, uint32_t count, Encoding encoding,
            const std::vector<float>& importance) {
  uint64_t bytes = format::tensor_bytes(encoding, rows, columns, count);
  if (bytes == 0)
    throw Error(name + ": " + std::to_string(count) + " x " + std::to_string(rows) + " x " + std::to_string(columns) +
                " numbers cannot be stored as " + schema::EnumNameEncoding(encoding));
  if (weights.size() != uint64_t{count} * rows * columns)
    throw Error(name + ": has " + std::to_string(weights.size()) + " numbers, not what its shape says");
  if (!importance.empty() && importance.size() != columns) throw Error(name + ": the importance of its columns has another length");
  double squares = 0;
  for (float weight : weights) {
    if (!std::isfinite(weight)) throw Error(name + ": holds a number that is not finite");
    squares += static_cast<double>(weight) * weight;
  }
  Packed packed;
  packed.encoding = encoding;
  packed.group = encoding == Encoding::int4 || encoding == Encoding::mxfp4 ? static_cast<uint32_t>(kGroup) : 0;
  packed.bytes.assign(bytes, 0);
  packed.squared_weight = squares;
  for (uint32_t i = 0; i < count; ++i) {
    Matrix matrix{weights.data() + uint64_t{i} * rows * columns, rows, columns};
    uint8_t* out = packed.bytes.data() + i * matrix_stride(bytes, count);
    if (encoding == Encoding::int8)
      pack_int8(matrix, out);
    else if (encoding == Encoding::int4)
      pack_int4(matrix, importance, out);
    else if (encoding == Encoding::mxfp4)
      pack_mxfp4(matrix, out);
    else
      pack_dense(matrix, encoding, out);
  }
  if (encoding == Encoding::f32) return packed;
  std::vector<float> stored = unpack(packed, rows, columns, count);
  for (size_t i = 0; i < stored.size(); ++i) {
    if (!std::isfinite(stored[i]))
      throw Error(name + ": holds " + std::to_string(weights[i]) + ", too large for " + schema::EnumNameEncoding(encoding));
    double difference = static_cast<double>(stored[i]) - weights[i];
    packed.squared_error += difference * difference;
  }
  return packed;
}

std::vector<float> unpack(const Packed& packed, uint32_t rows, uint32_t columns, uint32_t count) {
  std::vector<float> out(uint64_t{count} * rows * columns);
  for (uint32_t i = 0; i < count; ++i)
    unpack_matrix(packed.bytes.data() + i * matrix_stride(packed.bytes.size(), count), packed.encoding, rows, columns,
                  out.data() + uint64_t{i} * rows * columns);
  return out;
}

}  // namespace linnet::convert
