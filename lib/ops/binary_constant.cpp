// x (function) the tensor's single row.
#include "core/try.h"
#include "ops/operations.h"

namespace linnet::ops {
namespace {

using schema::BinaryFunction;

Status verify(const VerifyContext& context) {
  const auto& options = context.node.as<schema::BinaryConstant>();
  LINNET_TRY(context.expect_inputs(1));
  LINNET_TRY(context.expect_type(0, schema::ValueType::f32));
  if (options.function() > BinaryFunction::MAX)
    return Status::error(Code::unsupported, "BinaryConstant: function %u is not part of this build",
                         static_cast<unsigned>(options.function()));
  LINNET_TRY(context.vector(options.tensor(), "row", context.input(0).columns).status());
  return {};
}

void shape(const VerifyContext& context, Value* outputs) { outputs[0] = context.input(0); }

void run(const RunContext& context) {
  const auto& options = context.node.as<schema::BinaryConstant>();
  const uint32_t input = context.node.inputs[0];
  const size_t columns = context.values[input].columns;
  const float* x = context.f32(input);
  const float* row = numbers(context.tensors, options.tensor());
  float* out = context.f32_out(context.node.outputs[0]);
  const auto kernel = options.function() == BinaryFunction::multiply ? context.kernels.vector.multiply : context.kernels.vector.add;
  const float scale = options.function() == BinaryFunction::subtract ? -1.0f : 1.0f;
  parallel_pieces(context, context.rows(input), rows_per_piece(columns), [&](size_t first, size_t last, size_t) {
    for (size_t r = first; r < last; ++r) kernel(x + r * columns, row, scale, columns, out + r * columns);
  });
}

}  // namespace

const Operation binary_constant_operation = {schema::Options::BinaryConstant, "operation:BinaryConstant", 1, verify, shape, nullptr, run};

}  // namespace linnet::ops
