// scale * x.
#include "core/try.h"
#include "ops/operations.h"

namespace linnet::ops {
namespace {

Status verify(const VerifyContext& context) {
  LINNET_TRY(context.expect_inputs(1));
  return context.expect_type(0, schema::ValueType::f32);
}

void shape(const VerifyContext& context, Value* outputs) { outputs[0] = context.input(0); }

void run(const RunContext& context) {
  const uint32_t input = context.node.inputs[0];
  const size_t columns = context.values[input].columns;
  const float* x = context.f32(input);
  float* out = context.f32_out(context.node.outputs[0]);
  const float factor = context.node.as<schema::Scale>().scale();
  parallel_pieces(context, context.rows(input), rows_per_piece(columns), [&](size_t first, size_t last, size_t) {
    context.kernels.vector.scale(x + first * columns, factor, (last - first) * columns, out + first * columns);
  });
}

}  // namespace

const Operation scale_operation = {schema::Options::Scale, "operation:Scale", 1, verify, shape, nullptr, run};

}  // namespace linnet::ops
