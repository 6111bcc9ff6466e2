// Turns the first channels of each head by the row's angles.
#include "core/try.h"
#include "ops/operations.h"

namespace linnet::ops {
namespace {

Status verify(const VerifyContext& context) {
  const uint32_t head_width = context.node.as<schema::Rotary>().head_width();
  LINNET_TRY(context.expect_inputs(2));
  LINNET_TRY(context.expect_type(0, schema::ValueType::f32));
  LINNET_TRY(context.expect_type(1, schema::ValueType::f32));
  const Value &x = context.input(0), &angles = context.input(1);
  if (head_width == 0 || x.columns % head_width != 0)
    return Status::error(Code::corrupt, "Rotary: heads of %u columns do not divide %u", head_width, x.columns);
  if (angles.columns % 2 != 0 || angles.columns > head_width)
    return Status::error(Code::corrupt, "Rotary: %u angle columns, expected an even number up to the head's %u", angles.columns,
                         head_width);
  if (!same_rows(x.rows, angles.rows)) return Status::error(Code::corrupt, "Rotary: the angles have other rows than what they turn");
  return {};
}

void shape(const VerifyContext& context, Value* outputs) { outputs[0] = context.input(0); }

void run(const RunContext& context) {
  const auto& options = context.node.as<schema::Rotary>();
  const uint32_t input = context.node.inputs[0];
  const size_t columns = context.values[input].columns, width = context.values[context.node.inputs[1]].columns;
  const float *x = context.f32(input), *angles = context.f32(context.node.inputs[1]);
  float* out = context.f32_out(context.node.outputs[0]);
  parallel_pieces(context, context.rows(input), rows_per_piece(columns), [&](size_t first, size_t last, size_t) {
    for (size_t r = first; r < last; ++r) {
      const float* cosines = angles + r * width;
      for (size_t c = r * columns; c < (r + 1) * columns; c += options.head_width())
        context.kernels.vector.rotate(x + c, options.head_width(), cosines, cosines + width / 2, width, options.pairs(), out + c);
    }
  });
}

}  // namespace

const Operation rotary_operation = {schema::Options::Rotary, "operation:Rotary", 1, verify, shape, nullptr, run};

}  // namespace linnet::ops
