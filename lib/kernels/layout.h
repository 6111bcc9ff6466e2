// How weights lie on disk and quantized activations in memory. The converter, every kernel and the test of FORMAT.md
// include this header and nothing else states these numbers.
//
// Quantized weights: panels of 8 output rows, 64-byte lines of 8 rows x 8 bytes, read as one sequential stream.
//
//   int8   line = 8 columns:     | row 0: k0..k7 | row 1: k0..k7 | ... | row 7: k0..k7 |
//          panel = Kp/8 lines.   Behind all panels: float scale[8 * panels].
//          w[n][k] = scale[n] * byte
//
//   int4   line = 16 columns: byte (n%8)*8 + k%8, low nibble k%16 < 8, high nibble the rest, unsigned 0..15.
//          block = up to 8 groups of 32 columns: one scale line (byte g%8 * 8 + n%8: low nibble s-1, high nibble m),
//          then 2 lines for each group.   Behind all panels: float R[8 * panels], then float M[8 * panels].
//          w[n][k] = R[n] * s * nibble - M[n] * m
//
//   mxfp4  lines and blocks of int4; the scale line's byte is the exponent e of its group. Nothing behind the panels.
//          w[n][k] = value(nibble) * 2^(e - 127),  value: sign, two bits of exponent, one of fraction (OCP Microscaling, e2m1)
//
// Kp is K rounded up to 64; padding columns and padding rows hold zero bytes and zero scales.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

namespace linnet::kernels {

constexpr size_t kPanelRows = 8;
constexpr size_t kLine = 64;        // bytes
constexpr size_t kColumnUnit = 64;  // columns are padded to a multiple of it
constexpr size_t kGroup = 32;       // columns that share a scale
constexpr size_t kGroupsPerScaleLine = 8;

constexpr size_t padded_columns(size_t columns) { return (columns + kColumnUnit - 1) / kColumnUnit * kColumnUnit; }
constexpr size_t panels(size_t rows) { return (rows + kPanelRows - 1) / kPanelRows; }

constexpr size_t int8_panel_bytes(size_t columns) { return kPanelRows * padded_columns(columns); }
constexpr size_t int8_matrix_bytes(size_t rows, size_t columns) {
  return panels(rows) * (int8_panel_bytes(columns) + kPanelRows * sizeof(float));
}

constexpr size_t int4_groups(size_t columns) { return padded_columns(columns) / kGroup; }
constexpr size_t int4_panel_bytes(size_t columns) {
  size_t groups = int4_groups(columns);
  return kLine * ((groups + kGroupsPerScaleLine - 1) / kGroupsPerScaleLine) + 2 * kLine * groups;
}
constexpr size_t int4_matrix_bytes(size_t rows, size_t columns) {
  return panels(rows) * (int4_panel_bytes(columns) + 2 * kPanelRows * sizeof(float));
}

constexpr size_t mxfp4_panel_bytes(size_t columns) { return int4_panel_bytes(columns); }
constexpr size_t mxfp4_matrix_bytes(size_t rows, size_t columns) { return panels(rows) * mxfp4_panel_bytes(columns); }
/// The values of the 16 nibbles, twice: whole numbers.
constexpr int8_t kMxfp4Halves[16] = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};
/// 2^(exponent - 127). 255, which the format calls NaN, is infinity here; files that hold it do not pass `verify`.
constexpr float mxfp4_power(uint8_t exponent) {
  return std::bit_cast<float>(exponent == 0 ? uint32_t{0x00400000} : static_cast<uint32_t>(exponent) << 23);
}

/// Activations quantized per row: x[m][k] ~ scale[m] * data[m][k], data in -127..127 (never -128: every level is exact
/// then), zero in the padding columns. group_sum[m][g] = sum of data over 32 columns; row_sum[m] = sum over the row.
struct QuantizedRows {
  int8_t* data;        // [rows][stride]
  float* scale;        // [rows]
  int32_t* row_sum;    // [rows]
  int16_t* group_sum;  // [rows][stride / 32]
  size_t stride;       // padded_columns(columns)
};

constexpr size_t quantized_rows_bytes(size_t rows, size_t columns) {
  size_t stride = padded_columns(columns);
  size_t numbers = (rows * 4 + kLine - 1) / kLine * kLine;
  size_t sums = (rows * (stride / kGroup) * 2 + kLine - 1) / kLine * kLine;
  return rows * stride + 2 * numbers + sums;
}
/// The parts of such a value in 64-byte aligned memory that was sized for `capacity` rows.
inline QuantizedRows quantized_rows_view(void* memory, size_t capacity, size_t columns) {
  size_t stride = padded_columns(columns);
  size_t numbers = (capacity * 4 + kLine - 1) / kLine * kLine;
  uint8_t* base = static_cast<uint8_t*>(memory);
  QuantizedRows rows;
  rows.data = reinterpret_cast<int8_t*>(base);
  rows.scale = reinterpret_cast<float*>(base + capacity * stride);
  rows.row_sum = reinterpret_cast<int32_t*>(base + capacity * stride + numbers);
  rows.group_sum = reinterpret_cast<int16_t*>(base + capacity * stride + 2 * numbers);
  rows.stride = stride;
  return rows;
}

/// The same rows from `first` on.
inline QuantizedRows from_row(const QuantizedRows& rows, size_t first) {
  return {rows.data + first * rows.stride, rows.scale + first, rows.row_sum + first, rows.group_sum + first * (rows.stride / kGroup),
          rows.stride};
}

}  // namespace linnet::kernels
