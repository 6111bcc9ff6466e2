// cap * tanh(x / cap).
#include <cmath>

#include "core/try.h"
#include "ops/operations.h"

namespace linnet::ops {
namespace {

Status verify(const VerifyContext& context) {
  const float cap = context.node.as<schema::Softcap>().cap();
  LINNET_TRY(context.expect_inputs(1));
  LINNET_TRY(context.expect_type(0, schema::ValueType::f32));
  if (!std::isfinite(cap) || cap <= 0) return Status::error(Code::corrupt, "Softcap: the cap is not a number above 0");
  return {};
}

void shape(const VerifyContext& context, Value* outputs) { outputs[0] = context.input(0); }

void run(const RunContext& context) {
  const uint32_t input = context.node.inputs[0];
  const size_t columns = context.values[input].columns;
  const float* x = context.f32(input);
  float* out = context.f32_out(context.node.outputs[0]);
  const float cap = context.node.as<schema::Softcap>().cap();
  const auto& kernels = context.kernels.vector;
  parallel_pieces(context, context.rows(input), rows_per_piece(columns), [&](size_t first, size_t last, size_t) {
    for (size_t r = first; r < last; ++r) {
      kernels.scale(x + r * columns, 1 / cap, columns, out + r * columns);
      kernels.activate(kernels::Activation::tanh, out + r * columns, columns, out + r * columns);
      kernels.scale(out + r * columns, cap, columns, out + r * columns);
    }
  });
}

}  // namespace

const Operation softcap_operation = {schema::Options::Softcap, "operation:Softcap", 1, verify, shape, nullptr, run};

}  // namespace linnet::ops
