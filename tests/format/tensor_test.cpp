#include <doctest/doctest.h>

#include "core/limits.h"
#include "format/program.h"
#include "kernels/layout.h"

using linnet::format::tensor_bytes;
using linnet::schema::Encoding;
namespace limits = linnet::core::limits;

TEST_CASE("dense tensors take rows x columns x size") {
  CHECK(tensor_bytes(Encoding::f32, 3, 5, 1) == 60);
  CHECK(tensor_bytes(Encoding::f16, 3, 5, 1) == 30);
  CHECK(tensor_bytes(Encoding::bf16, 1, 7, 1) == 14);
}

TEST_CASE("stacked matrices each take a multiple of 64") {
  CHECK(tensor_bytes(Encoding::f32, 3, 5, 2) == 128);
  CHECK(tensor_bytes(Encoding::f16, 1, 1, 10) == 640);
  CHECK(tensor_bytes(Encoding::int8, 8, 64, 3) == 3 * (512 + 64));  // 8 x 64 bytes, 8 scales, up to 64
}

TEST_CASE("int8, int4 and mxfp4 take whole panels") {
  CHECK(tensor_bytes(Encoding::int8, 1, 1, 1) == 8 * 64 + 8 * 4);
  CHECK(tensor_bytes(Encoding::int8, 9, 65, 1) == 2 * (8 * 128 + 8 * 4));
  // 64 columns are 2 groups: a scale line and 2 lines for each; two floats a row.
  CHECK(tensor_bytes(Encoding::int4, 1, 1, 1) == 64 + 4 * 64 + 8 * 8);
  // 320 columns are 10 groups: two scale lines.
  CHECK(tensor_bytes(Encoding::int4, 16, 320, 1) == 2 * (2 * 64 + 20 * 64 + 8 * 8));
  // mxfp4: the same without the floats.
  CHECK(tensor_bytes(Encoding::mxfp4, 16, 320, 1) == 2 * (2 * 64 + 20 * 64));
}

TEST_CASE("tensor_bytes agrees with the kernels' layout for many shapes") {
  for (size_t rows : {1, 7, 8, 9, 131, 4864})
    for (size_t columns : {1, 31, 32, 63, 64, 80, 256, 257, 896, 65536}) {
      CHECK(tensor_bytes(Encoding::int8, rows, columns, 1) == linnet::kernels::int8_matrix_bytes(rows, columns));
      CHECK(tensor_bytes(Encoding::int4, rows, columns, 1) == linnet::kernels::int4_matrix_bytes(rows, columns));
      CHECK(tensor_bytes(Encoding::mxfp4, rows, columns, 1) == linnet::kernels::mxfp4_matrix_bytes(rows, columns));
    }
}

TEST_CASE("shapes without a size, beyond a limit or in an encoding that this build lacks take 0") {
  for (Encoding encoding : {Encoding::f32, Encoding::f16, Encoding::bf16, Encoding::int8, Encoding::int4, Encoding::mxfp4}) {
    CHECK(tensor_bytes(encoding, 0, 1, 1) == 0);
    CHECK(tensor_bytes(encoding, 1, 0, 1) == 0);
    CHECK(tensor_bytes(encoding, 1, 1, 0) == 0);
    CHECK(tensor_bytes(encoding, limits::kTensorRows, 1, 1) != 0);
    CHECK(tensor_bytes(encoding, limits::kTensorRows + 1, 1, 1) == 0);
  }
  CHECK(tensor_bytes(Encoding::f32, 1, limits::kDenseColumns, 1) != 0);
  CHECK(tensor_bytes(Encoding::f32, 1, limits::kDenseColumns + 1, 1) == 0);
  CHECK(tensor_bytes(Encoding::int8, 1, limits::kColumns, 1) != 0);
  CHECK(tensor_bytes(Encoding::int8, 1, limits::kColumns + 1, 1) == 0);
  CHECK(tensor_bytes(Encoding::int4, 1, limits::kColumns + 1, 1) == 0);
  for (Encoding encoding : {Encoding::q4_0, Encoding::q4_1, Encoding::q8_0, Encoding::codebook4})
    CHECK(tensor_bytes(encoding, 32, 32, 1) == 0);
  CHECK(tensor_bytes(static_cast<Encoding>(200), 32, 32, 1) == 0);
}

TEST_CASE("products that wrap around take 0, not the small rest") {
  // 2^28 x 2^24 x 4 bytes x 2^8 = 2^62 fits; four times as many pass 2^63, and 2^10 more wrap to exactly 0 in 64 bits.
  CHECK(tensor_bytes(Encoding::f32, 1u << 28, 1u << 24, 1u << 8) == uint64_t{1} << 62);
  CHECK(tensor_bytes(Encoding::f32, 1u << 28, 1u << 24, 1u << 9) == 0);
  CHECK(tensor_bytes(Encoding::f32, 1u << 28, 1u << 24, 1u << 10) == 0);
  CHECK(tensor_bytes(Encoding::f32, 1u << 28, 1u << 24, UINT64_MAX) == 0);
  CHECK(tensor_bytes(Encoding::int8, 1u << 28, 1u << 16, UINT32_MAX) == 0);
}
