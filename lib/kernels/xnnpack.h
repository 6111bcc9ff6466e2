// XNNPACK as a provider of dense f32 products, y = x W^T + b: its operators, in memory that the caller planned beforehand.
//
// A product is cut into slices of output columns, one operator for each, run without a thread pool: whoever shares the work shares
// slices. Their width depends on the matrix alone. So results are bit-equal for any sharing, as those of our own kernels are;
// `available` sees to it that they are bit-equal for any number of rows too.
#pragma once

#include <cstddef>
#include <cstdint>

#include "linnet/status.h"

namespace linnet::kernels::xnnpack {

/// True when this build has XNNPACK, this processor runs it, a row's result does not depend on how many rows come with it (XNNPACK
/// chooses among kernels by the number of rows, which may add in different orders), and NaN stays NaN. Tried once, then fixed.
bool available() noexcept;

/// Rows of x have columns * 4 bytes, and kernels may read whole groups of 16: other widths are refused.
constexpr size_t kColumnGroup = 4;
/// Fewer output columns than this are not worth a padded copy.
constexpr size_t kFewestRows = 32;

/// Bytes of a packed product of `rows` x `columns` weights, operators included: an upper bound. 0: there is no such product.
uint64_t packed_bytes(uint64_t rows, uint64_t columns) noexcept;

/// Packs `rows` x `columns` f32 weights and a bias (or null) into `memory`, which is aligned to 64 and stays where it is; weights
/// and bias are not looked at again. y has `rows` columns without gaps. Errors: out_of_memory; unsupported (XNNPACK refused). After
/// an error from a size that `packed_bytes` knows, the product has no slices and holds nothing.
Status pack(const float* weights, const float* bias, size_t rows, size_t columns, void* memory) noexcept;
/// Gives back what a successful `pack` took.
void release(void* memory) noexcept;

struct Slice {
  size_t first, count;  // output columns
};
size_t slices(const void* memory) noexcept;
Slice slice(const void* memory, size_t index) noexcept;
/// Computes one slice of y [tokens][rows] from x [tokens][columns], tokens > 0; never two threads the same slice at once.
void run(void* memory, size_t index, size_t tokens, const float* x, float* y) noexcept;
/// How many slices have been run: for tests, which must see XNNPACK at work.
uint64_t slices_run(const void* memory) noexcept;

}  // namespace linnet::kernels::xnnpack
