#include "ops/adapted.h"

#include "core/checked.h"

namespace linnet::ops {
namespace {

using kernels::kPanelRows;

constexpr size_t kDownRows = 16;  // rows and panels of A that are one worker's piece
constexpr size_t kDownPanels = 2;

auto dense_kernel(const RunContext& context, schema::Encoding encoding) {
  const kernels::LinearKernels& linear = context.kernels.linear;
  return encoding == schema::Encoding::f16 ? linear.f16 : encoding == schema::Encoding::bf16 ? linear.bf16 : linear.f32;
}

kernels::LinearTask dense_task(const void* weights, size_t rows, size_t columns, const float* x, size_t stride, size_t tokens) {
  kernels::LinearTask task{};
  task.weights = static_cast<const uint8_t*>(weights);
  task.rows = rows;
  task.columns = columns;
  task.tokens = tokens;
  task.dense = x;
  task.dense_stride = stride;
  return task;
}

// The rows of W that a worker's piece computes: kAdaptedColumns from `first` on.
void set_rows(kernels::LinearTask* task, size_t first, size_t end) {
  task->first_row = first;
  task->end_row = std::min(end, first + kAdaptedColumns);
  task->first_panel = task->first_row / kPanelRows;
  task->last_panel = kernels::panels(task->end_row);
}

size_t pieces(const AdaptedOut& out) { return (out.end_row - out.first_row + kAdaptedColumns - 1) / kAdaptedColumns; }

}  // namespace

Scratch adapted_scratch(const PlanContext& context, uint64_t rows, uint64_t bytes_before) {
  if (context.adapter_rank == 0) return {};
  const uint64_t planned = std::min<uint64_t>(rows, kAdaptedRows);
  return {.shared = static_cast<size_t>(core::round_up(bytes_before, kernels::kLine) + planned * context.adapter_rank * sizeof(float)),
          .per_worker = static_cast<size_t>(planned * kAdaptedColumns * sizeof(float))};
}

void down_projection(const RunContext& context, const format::Target& target, const float* x, size_t stride, size_t rows, float* t) {
  const size_t panels = kernels::panels(target.rank), columns = target.base_columns;
  const size_t across = (panels + kDownPanels - 1) / kDownPanels, down = (rows + kDownRows - 1) / kDownRows;
  context.parallel(across * down, [&](size_t piece, size_t) {
    const size_t row = piece / across * kDownRows, panel = piece % across * kDownPanels;
    kernels::LinearTask task = dense_task(target.a, target.rank, columns, x + row * stride, stride, std::min(kDownRows, rows - row));
    task.first_panel = panel;
    task.last_panel = std::min(panel + kDownPanels, panels);
    task.end_row = target.rank;
    task.out = t + row * target.rank;
    task.out_stride = target.rank;
    context.kernels.linear.f32(task);
  });
}

void add_up_projection(const RunContext& context, const format::Target& target, const float* t, size_t rows, float scale,
                       const AdaptedOut& out) {
  context.parallel(pieces(out), [&](size_t piece, size_t worker) {
    kernels::LinearTask task = dense_task(target.b, target.kind == schema::TargetKind::embedding ? target.base_columns : target.rows,
                                          target.rank, t, target.rank, rows);
    set_rows(&task, out.first_row + piece * kAdaptedColumns, out.end_row);
    const size_t width = task.end_row - task.first_row;
    float* delta = reinterpret_cast<float*>(context.worker_scratch + worker * context.scratch_per_worker);
    task.out = delta;
    task.out_stride = width;
    task.bias = target.bias ? target.bias + task.first_row : nullptr;
    context.kernels.linear.f32(task);
    float* to = out.out + out.column + piece * kAdaptedColumns;
    for (size_t r = 0; r < rows; ++r) context.kernels.vector.add(to + r * out.stride, delta + r * width, scale, width, to + r * out.stride);
  });
}

void replaced_product(const RunContext& context, const Tensor& weights, const float* x, size_t stride, size_t rows, const float* bias,
                      const AdaptedOut& out) {
  const auto kernel = dense_kernel(context, weights.encoding);
  context.parallel(pieces(out), [&](size_t piece, size_t) {
    kernels::LinearTask task = dense_task(weights.data, weights.rows, weights.columns, x, stride, rows);
    set_rows(&task, out.first_row + piece * kAdaptedColumns, out.end_row);
    task.out = out.out + out.column + piece * kAdaptedColumns;
    task.out_stride = out.stride;
    task.bias = bias ? bias + piece * kAdaptedColumns : nullptr;
    kernel(task);
  });
}

void dequantize(const RunContext& context, const kernels::QuantizedRows& from, size_t first, size_t rows, size_t columns, float* out) {
  parallel_pieces(context, rows, rows_per_piece(columns), [&](size_t begin, size_t end, size_t) {
    for (size_t r = begin; r < end; ++r) {
      const int8_t* data = from.data + (first + r) * from.stride;
      const float scale = from.scale[first + r];
      for (size_t k = 0; k < columns; ++k) out[r * columns + k] = scale * static_cast<float>(data[k]);
    }
  });
}

}  // namespace linnet::ops
