// out = x W^T + b, or with `transposed` out = x W, on one slice of rows of W.
#include <algorithm>

#include "core/try.h"
#include "kernels/xnnpack.h"
#include "ops/linear_adapted.h"
#include "ops/products.h"

namespace linnet::ops {
namespace {

using kernels::kPanelRows;

constexpr uint64_t kPieceProducts = 1u << 18;  // multiplications worth handing to another worker
constexpr size_t kTransposedColumns = 64;      // of one piece

const Tensor& weights_of(const Node& node, std::span<const Tensor> tensors) {
  return tensors[static_cast<size_t>(node.as<schema::Linear>().tensor())];
}

/// The rows of W that take part.
Slice slice_of(const schema::Linear& options, const Tensor& tensor) {
  return {options.first_row(), options.rows() ? options.rows() : tensor.rows - options.first_row()};
}

Status verify_weights(const schema::Linear& options, const Tensor& tensor) {
  const int length = static_cast<int>(tensor.name.size());
  LINNET_TRY(expect_factor("Linear", tensor));
  if (tensor.count != 1)
    return Status::error(Code::corrupt, "Linear: tensor \"%.*s\" stacks %u matrices, expected 1", length, tensor.name.data(), tensor.count);
  if (options.first_row() >= tensor.rows || options.rows() > tensor.rows - options.first_row())
    return Status::error(Code::corrupt, "Linear: rows %u to %llu of tensor \"%.*s\", which has %u", options.first_row(),
                         static_cast<unsigned long long>(options.first_row()) + options.rows(), length, tensor.name.data(), tensor.rows);
  return {};
}

Status verify(const VerifyContext& context) {
  const auto& options = context.node.as<schema::Linear>();
  LINNET_TRY(context.expect_inputs(1));
  LINNET_ASSIGN(const Tensor* tensor, context.tensor(options.tensor(), "weights", 0, 0));
  LINNET_TRY(verify_weights(options, *tensor));
  const bool integers = quantized(*tensor) && !options.transposed();
  LINNET_TRY(context.expect_type(0, integers ? schema::ValueType::q8 : schema::ValueType::f32));
  const Slice slice = slice_of(options, *tensor);
  const uint32_t in = options.transposed() ? slice.rows : tensor->columns;
  const uint32_t out = options.transposed() ? tensor->columns : slice.rows;
  if (context.input(0).columns != in)
    return Status::error(Code::corrupt, "Linear: the input has %u columns, tensor \"%.*s\" takes %u", context.input(0).columns,
                         static_cast<int>(tensor->name.size()), tensor->name.data(), in);
  if (options.bias_tensor() < 0) return {};
  if (options.transposed()) return Status::error(Code::unsupported, "Linear: a transposed product with a bias");
  LINNET_TRY(context.vector(options.bias_tensor(), "bias", out).status());
  return {};
}

void shape(const VerifyContext& context, Value* outputs) {
  const auto& options = context.node.as<schema::Linear>();
  const Tensor& tensor = weights_of(context.node, context.tensors);
  outputs[0] = context.input(0);
  outputs[0].type = schema::ValueType::f32;
  outputs[0].columns = options.transposed() ? tensor.columns : slice_of(options, tensor).rows;
  outputs[0].bound = 0;
}

Scratch scratch(const PlanContext& context) {
  const Tensor& tensor = weights_of(context.node, context.tensors);
  if (context.node.as<schema::Linear>().transposed()) return {};
  Scratch scratch = scratch_of_adapted(context, tensor, quantized(tensor));
  if (!quantized(tensor)) return scratch;
  const uint64_t tokens = context.rows[context.node.inputs[0]];
  scratch.per_worker = std::max(scratch.per_worker, context.kernels.linear.scratch_bytes(static_cast<size_t>(tokens), tensor.columns));
  return scratch;
}

auto transposed_kernel(const kernels::LinearKernels& linear, schema::Encoding encoding) {
  switch (encoding) {
    case schema::Encoding::f16:
      return linear.transposed_f16;
    case schema::Encoding::bf16:
      return linear.transposed_bf16;
    case schema::Encoding::int8:
      return linear.transposed_int8;
    case schema::Encoding::int4:
      return linear.transposed_int4;
    case schema::Encoding::mxfp4:
      return linear.transposed_mxfp4;
    default:
      return linear.transposed_f32;
  }
}

const float* bias_of(const schema::Linear& options, std::span<const Tensor> tensors) {
  if (options.bias_tensor() < 0) return nullptr;
  return reinterpret_cast<const float*>(tensors[static_cast<size_t>(options.bias_tensor())].data);
}

void run_product(const RunContext& context, const Tensor& tensor, const Slice& slice, const BaseRows& rows) {
  const uint32_t input = context.node.inputs[0], output = context.node.outputs[0];
  kernels::LinearTask whole{};
  whole.weights = tensor.data;
  whole.rows = tensor.rows;
  whole.columns = tensor.columns;
  whole.first_panel = slice.first / kPanelRows;
  whole.last_panel = kernels::panels(static_cast<size_t>(slice.first) + slice.rows);
  whole.first_row = slice.first;
  whole.end_row = static_cast<size_t>(slice.first) + slice.rows;
  whole.tokens = rows.count;
  if (quantized(tensor)) {
    whole.x = kernels::from_row(context.quantized(input), rows.first);
  } else {
    whole.dense = context.f32(input) + rows.first * tensor.columns;
    whole.dense_stride = tensor.columns;
  }
  whole.out = context.f32_out(output) + rows.first * slice.rows;
  whole.out_stride = slice.rows;
  whole.bias = rows.bias;
  if (whole.tokens == 0) return;

  // Whole panels in stretches: long enough that one call is one stream of weights, short enough that the last one is not waited for.
  const uint64_t panel_products = uint64_t{whole.tokens} * tensor.columns * kPanelRows;
  const size_t stretch = static_cast<size_t>(std::max<uint64_t>(kPieceProducts / panel_products, 4) / 4 * 4);
  const size_t panels = whole.last_panel - whole.first_panel;
  const auto kernel = product_kernel(context.kernels.linear, tensor.encoding);
  context.parallel((panels + stretch - 1) / stretch, [&](size_t piece, size_t worker) {
    kernels::LinearTask task = whole;
    task.first_panel = whole.first_panel + piece * stretch;
    task.last_panel = std::min(task.first_panel + stretch, whole.last_panel);
    task.scratch = context.worker_scratch + worker * context.scratch_per_worker;
    kernel(task);
  });
}

void run_transposed(const RunContext& context, const Tensor& tensor, const Slice& slice) {
  const uint32_t input = context.node.inputs[0], output = context.node.outputs[0];
  kernels::TransposedTask whole{};
  whole.weights = tensor.data;
  whole.rows = tensor.rows;
  whole.columns = tensor.columns;
  whole.first_row = slice.first;
  whole.end_row = static_cast<size_t>(slice.first) + slice.rows;
  whole.tokens = context.rows(input);
  whole.dense = context.f32(input);
  whole.dense_stride = slice.rows;
  whole.out = context.f32_out(output);
  whole.out_stride = tensor.columns;
  if (whole.tokens == 0) return;
  const auto kernel = transposed_kernel(context.kernels.linear, tensor.encoding);
  context.parallel((whole.columns + kTransposedColumns - 1) / kTransposedColumns, [&](size_t piece, size_t) {
    kernels::TransposedTask task = whole;
    task.first_column = piece * kTransposedColumns;
    task.last_column = std::min(task.first_column + kTransposedColumns, whole.columns);
    kernel(task);
  });
}

// Where XNNPACK wins: many rows at once. It ties with our kernels at one row and loses at 2 to 16, what decoding and heads run at; as
// one operation must not give different bytes for different numbers of rows, the program decides, not the call. Half-precision
// weights would be read at twice their size, and its int8 products are slower than ours at every number of rows (docs/performance.md). The
// portable level stays free of it, as what all else is compared to.
bool suits_provider(const PlanContext& context) {
  const auto& options = context.node.as<schema::Linear>();
  if (options.transposed() || weights_of(context.node, context.tensors).encoding != schema::Encoding::f32) return false;
  if (context.kernels.level == kernels::Level::portable) return false;
  switch (context.values[context.node.inputs[0]].rows.symbol) {
    case schema::Symbol::tokens:
      return context.states.empty();
    case schema::Symbol::source_tokens:
    case schema::Symbol::patches:
      return true;
    default:
      return false;
  }
}

size_t constant_bytes(const PlanContext& context) {
  if (!suits_provider(context) || !kernels::xnnpack::available()) return 0;
  const Tensor& tensor = weights_of(context.node, context.tensors);
  const Slice slice = slice_of(context.node.as<schema::Linear>(), tensor);
  const uint64_t bytes = kernels::xnnpack::packed_bytes(slice.rows, tensor.columns);
  return bytes <= context.provider_memory ? static_cast<size_t>(bytes) : 0;
}

// A product that XNNPACK refuses after all stays without slices, and our kernels compute it.
Status prepare(const PlanContext& context, void* constant) {
  const auto& options = context.node.as<schema::Linear>();
  const Tensor& tensor = weights_of(context.node, context.tensors);
  const Slice slice = slice_of(options, tensor);
  const float* weights = reinterpret_cast<const float*>(tensor.data) + size_t{slice.first} * tensor.columns;
  Status status = kernels::xnnpack::pack(weights, bias_of(options, context.tensors), slice.rows, tensor.columns, constant);
  return status.code() == Code::unsupported ? Status() : std::move(status);
}

void release(void* constant) { kernels::xnnpack::release(constant); }

void run_provided(const RunContext& context, const Tensor& tensor, const Slice& slice, const BaseRows& rows) {
  const float* x = context.f32(context.node.inputs[0]) + rows.first * tensor.columns;
  float* out = context.f32_out(context.node.outputs[0]) + rows.first * slice.rows;
  const size_t tokens = rows.count, slices = kernels::xnnpack::slices(context.constant);
  if (tokens == 0) return;
  const uint64_t products = uint64_t{tokens} * tensor.columns * slice.rows / slices;
  const size_t stretch = static_cast<size_t>(std::max<uint64_t>(kPieceProducts / products, 1));
  context.parallel((slices + stretch - 1) / stretch, [&](size_t piece, size_t) {
    for (size_t i = piece * stretch; i < std::min((piece + 1) * stretch, slices); ++i)
      kernels::xnnpack::run(context.constant, i, tokens, x, out);
  });
}

void run_base(const RunContext& context, const BaseRows& rows) {
  const Tensor& tensor = weights_of(context.node, context.tensors);
  const Slice slice = slice_of(context.node.as<schema::Linear>(), tensor);
  if (!rows.own && context.constant && kernels::xnnpack::slices(context.constant) > 0)
    run_provided(context, tensor, slice, rows);
  else
    run_product(context, tensor, slice, rows);
}

void run(const RunContext& context) {
  const auto& options = context.node.as<schema::Linear>();
  const Tensor& tensor = weights_of(context.node, context.tensors);
  const Slice slice = slice_of(options, tensor);
  if (options.transposed())
    run_transposed(context, tensor, slice);
  else if (context.adapters)
    run_adapted(context, tensor, slice, quantized(tensor), run_base);
  else
    run_base(context, {0, context.rows(context.node.inputs[0]), bias_of(options, context.tensors), false});
}

}  // namespace

const Operation linear_operation = {
    schema::Options::Linear, "operation:Linear", 1, verify, shape, scratch, run, constant_bytes, prepare, release, true};

}  // namespace linnet::ops
