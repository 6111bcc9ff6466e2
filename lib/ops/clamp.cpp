// out = min(max(x, low), high); NaN stays.
#include "core/try.h"
#include "ops/operations.h"

namespace linnet::ops {
namespace {

Status verify(const VerifyContext& context) {
  const auto& options = context.node.as<schema::Clamp>();
  LINNET_TRY(context.expect_inputs(1));
  LINNET_TRY(context.expect_type(0, schema::ValueType::f32));
  if (options.low() <= options.high()) return {};
  return Status::error(Code::corrupt, "Clamp: from %g to %g, expected a rising range", static_cast<double>(options.low()),
                       static_cast<double>(options.high()));
}

void shape(const VerifyContext& context, Value* outputs) { outputs[0] = context.input(0); }

void run(const RunContext& context) {
  const uint32_t input = context.node.inputs[0];
  const float low = context.node.as<schema::Clamp>().low(), high = context.node.as<schema::Clamp>().high();
  const float* x = context.f32(input);
  float* out = context.f32_out(context.node.outputs[0]);
  parallel_pieces(context, context.rows(input) * context.values[input].columns, 4096, [&](size_t first, size_t last, size_t) {
    for (size_t i = first; i < last; ++i) out[i] = x[i] < low ? low : x[i] > high ? high : x[i];
  });
}

}  // namespace

const Operation clamp_operation = {schema::Options::Clamp, "operation:Clamp", 1, verify, shape, nullptr, run};

}  // namespace linnet::ops
