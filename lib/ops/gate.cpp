// function(gate) * up, from one value [gate | up] or from two.
#include "core/try.h"
#include "ops/operations.h"

namespace linnet::ops {
namespace {

Status verify(const VerifyContext& context) {
  const schema::Function function = context.node.as<schema::Gate>().function();
  if (context.inputs() != 1) LINNET_TRY(context.expect_inputs(2));
  for (size_t i = 0; i < context.inputs(); ++i) LINNET_TRY(context.expect_type(i, schema::ValueType::f32));
  if (!known(function))
    return Status::error(Code::unsupported, "Gate: function %u is not part of this build", static_cast<unsigned>(function));
  const Value& gate = context.input(0);
  if (context.inputs() == 1) {
    if (gate.columns % 2 == 0) return {};
    return Status::error(Code::corrupt, "Gate: %u columns, expected as many for the gate as for what it lets through", gate.columns);
  }
  const Value& up = context.input(1);
  if (gate.columns != up.columns || !same_rows(gate.rows, up.rows))
    return Status::error(Code::corrupt, "Gate: inputs of %u and %u columns, expected one shape", gate.columns, up.columns);
  return {};
}

void shape(const VerifyContext& context, Value* outputs) {
  outputs[0] = context.input(0);
  if (context.inputs() == 1) outputs[0].columns /= 2;
}

void run(const RunContext& context) {
  const bool fused = context.node.inputs.size() == 1;
  const uint32_t input = context.node.inputs[0];
  const size_t stride = context.values[input].columns, columns = fused ? stride / 2 : stride;
  const float* gate = context.f32(input);
  const float* up = fused ? gate + columns : context.f32(context.node.inputs[1]);
  float* out = context.f32_out(context.node.outputs[0]);
  const kernels::Activation function = activation(context.node.as<schema::Gate>().function());
  parallel_pieces(context, context.rows(input), rows_per_piece(columns), [&](size_t first, size_t last, size_t) {
    for (size_t r = first; r < last; ++r)
      context.kernels.vector.gate(function, gate + r * stride, up + r * stride, columns, out + r * columns);
  });
}

}  // namespace

const Operation gate_operation = {schema::Options::Gate, "operation:Gate", 1, verify, shape, nullptr, run};

}  // namespace linnet::ops
