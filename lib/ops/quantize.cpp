// x -> q8. Where asked for, each column is multiplied first, then blocks are turned by the Hadamard matrix.
#include "core/limits.h"
#include "core/try.h"
#include "ops/operations.h"

namespace linnet::ops {
namespace {

constexpr size_t kPieceRows = 4;

Status verify(const VerifyContext& context) {
  const auto& options = context.node.as<schema::Quantize>();
  LINNET_TRY(context.expect_inputs(1));
  LINNET_TRY(context.expect_type(0, schema::ValueType::f32));
  const uint32_t columns = context.input(0).columns;
  if (options.granularity() != schema::Granularity::token)
    return Status::error(Code::unsupported, "Quantize: granularity %s, expected token", schema::EnumNameGranularity(options.granularity()));
  if (columns > core::limits::kColumns)
    return Status::error(Code::unsupported, "Quantize: %u columns, expected at most %u", columns, core::limits::kColumns);
  if (options.turn() != 0 && !turnable(options.turn(), columns))
    return Status::error(Code::corrupt,
                         "Quantize: a turn of %u columns at a time over %u, expected a power of two from 16 to 256 that divides them",
                         options.turn(), columns);
  if (options.multiplier_tensor() >= 0) LINNET_TRY(context.vector(options.multiplier_tensor(), "multiplier", columns).status());
  return {};
}

void shape(const VerifyContext& context, Value* outputs) {
  outputs[0] = context.input(0);
  outputs[0].type = schema::ValueType::q8;
}

Scratch scratch(const PlanContext& context) {
  const auto& options = context.node.as<schema::Quantize>();
  if (options.turn() == 0 && options.multiplier_tensor() < 0) return {};
  return {.shared = 0, .per_worker = context.values[context.node.inputs[0]].columns * sizeof(float)};
}

void run(const RunContext& context) {
  const auto& options = context.node.as<schema::Quantize>();
  const uint32_t input = context.node.inputs[0];
  const size_t rows = context.rows(input), columns = context.values[input].columns;
  const float* multiplier = options.multiplier_tensor() < 0
                                ? nullptr
                                : reinterpret_cast<const float*>(context.tensors[static_cast<size_t>(options.multiplier_tensor())].data);
  const kernels::QuantizedRows out = context.quantized(context.node.outputs[0]);
  const bool prepared = multiplier || options.turn() != 0;
  context.parallel((rows + kPieceRows - 1) / kPieceRows, [&](size_t piece, size_t worker) {
    float* row = reinterpret_cast<float*>(context.worker_scratch + worker * context.scratch_per_worker);
    for (size_t r = piece * kPieceRows; r < rows && r < (piece + 1) * kPieceRows; ++r) {
      const float* x = context.f32(input) + r * columns;
      if (multiplier) context.kernels.vector.multiply(x, multiplier, 1.0f, columns, row);
      if (options.turn() != 0) context.kernels.vector.turn(multiplier ? row : x, columns, options.turn(), row);
      context.kernels.linear.quantize(prepared ? row : x, columns, 1, columns, kernels::from_row(out, r));
    }
  });
}

}  // namespace

bool turnable(uint32_t block, uint32_t columns) noexcept {
  return block >= 16 && block <= 256 && (block & (block - 1)) == 0 && columns % block == 0;
}

const Operation quantize_operation = {schema::Options::Quantize, "operation:Quantize", 1, verify, shape, scratch, run};

}  // namespace linnet::ops
