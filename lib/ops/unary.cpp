// One function of each number.
#include "core/try.h"
#include "ops/operations.h"

namespace linnet::ops {
namespace {

Status verify(const VerifyContext& context) {
  const schema::Function function = context.node.as<schema::Unary>().function();
  LINNET_TRY(context.expect_inputs(1));
  LINNET_TRY(context.expect_type(0, schema::ValueType::f32));
  if (!known(function))
    return Status::error(Code::unsupported, "Unary: function %u is not part of this build", static_cast<unsigned>(function));
  return {};
}

void shape(const VerifyContext& context, Value* outputs) { outputs[0] = context.input(0); }

void run(const RunContext& context) {
  const uint32_t input = context.node.inputs[0];
  const size_t columns = context.values[input].columns;
  const float* x = context.f32(input);
  float* out = context.f32_out(context.node.outputs[0]);
  const kernels::Activation function = activation(context.node.as<schema::Unary>().function());
  parallel_pieces(context, context.rows(input), rows_per_piece(columns), [&](size_t first, size_t last, size_t) {
    for (size_t r = first; r < last; ++r) context.kernels.vector.activate(function, x + r * columns, columns, out + r * columns);
  });
}

}  // namespace

const Operation unary_operation = {schema::Options::Unary, "operation:Unary", 1, verify, shape, nullptr, run};

}  // namespace linnet::ops
