#include <algorithm>

#include "ops/experts.h"
#include "ops/products.h"

namespace linnet::ops {
namespace {

constexpr size_t kTileBytes = 4u << 20;
constexpr size_t kFewestPairs = 16, kMostPairs = 256;

size_t row_bytes(size_t columns, bool as_q8) { return as_q8 ? kernels::quantized_rows_bytes(1, columns) : columns * sizeof(float); }
size_t rows_bytes(size_t rows, size_t columns, bool as_q8) {
  return as_q8 ? kernels::quantized_rows_bytes(rows, columns) : rows * columns * sizeof(float);
}

// Takes `bytes` behind what is there, in whole lines; where they begin.
size_t take(size_t* end, size_t bytes) {
  const size_t at = *end;
  *end += (bytes + kernels::kLine - 1) / kernels::kLine * kernels::kLine;
  return at;
}

}  // namespace

ExpertShapes::ExpertShapes(const schema::Experts& options, std::span<const Tensor> tensors) noexcept
    : gate_up(&tensors[static_cast<size_t>(options.gate_up_tensor())]),
      down(&tensors[static_cast<size_t>(options.down_tensor())]),
      hidden(gate_up->columns),
      inner(down->columns),
      out(down->rows),
      count(gate_up->count),
      gate_up_quantized(quantized(*gate_up)),
      down_quantized(quantized(*down)) {}

ExpertScratch::ExpertScratch(const ExpertShapes& shapes, uint64_t pairs, const kernels::LinearKernels& linear) noexcept {
  const size_t of_pair = row_bytes(shapes.hidden, shapes.gate_up_quantized) + row_bytes(shapes.inner, false) +
                         (shapes.down_quantized ? row_bytes(shapes.inner, true) : 0);
  tile = static_cast<size_t>(std::min<uint64_t>(pairs, std::clamp(kTileBytes / of_pair, kFewestPairs, kMostPairs)));
  shared = 0;
  order = take(&shared, static_cast<size_t>(pairs) * sizeof(uint32_t));
  starts = take(&shared, (shapes.count + 1) * sizeof(uint32_t));
  runs = take(&shared, std::min(tile, shapes.count) * sizeof(ExpertRun));
  x = take(&shared, rows_bytes(tile, shapes.hidden, shapes.gate_up_quantized));
  h = take(&shared, rows_bytes(tile, shapes.inner, false));
  h_quantized = take(&shared, shapes.down_quantized ? rows_bytes(tile, shapes.inner, true) : 0);
  per_worker = 0;
  const size_t up = shapes.gate_up_quantized ? linear.scratch_bytes(tile, shapes.hidden) : 0;
  const size_t down = shapes.down_quantized ? linear.scratch_bytes(tile, shapes.inner) : 0;
  take(&per_worker, std::max(up, down));
  floats = take(&per_worker, tile * std::max(2 * kInnerPiece, kOutPiece) * sizeof(float));
}

}  // namespace linnet::ops
