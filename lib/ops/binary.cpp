// a (function) scale * b, row by row; a b of one row goes with every row of a.
#include "core/try.h"
#include "ops/operations.h"

namespace linnet::ops {
namespace {

using schema::BinaryFunction;

bool one_row(const Value& value) {
  return value.rows.symbol == schema::Symbol::none && value.rows.per_sequence == 0 && value.rows.constant == 1;
}

Status verify(const VerifyContext& context) {
  const BinaryFunction function = context.node.as<schema::Binary>().function();
  LINNET_TRY(context.expect_inputs(2));
  LINNET_TRY(context.expect_type(0, schema::ValueType::f32));
  LINNET_TRY(context.expect_type(1, schema::ValueType::f32));
  if (function > BinaryFunction::MAX)
    return Status::error(Code::unsupported, "Binary: function %u is not part of this build", static_cast<unsigned>(function));
  const Value &a = context.input(0), &b = context.input(1);
  if (a.columns != b.columns) return Status::error(Code::corrupt, "Binary: %u columns and %u, expected as many", a.columns, b.columns);
  if (!same_rows(a.rows, b.rows) && !one_row(b))
    return Status::error(Code::corrupt, "Binary: the second input has other rows than the first, expected as many or a single one");
  return {};
}

void shape(const VerifyContext& context, Value* outputs) { outputs[0] = context.input(0); }

void run(const RunContext& context) {
  const auto& options = context.node.as<schema::Binary>();
  const uint32_t first_input = context.node.inputs[0], second_input = context.node.inputs[1];
  const size_t columns = context.values[first_input].columns;
  const size_t step = one_row(context.values[second_input]) ? 0 : columns;
  const float *a = context.f32(first_input), *b = context.f32(second_input);
  float* out = context.f32_out(context.node.outputs[0]);
  const bool multiply = options.function() == BinaryFunction::multiply;
  const float scale = options.function() == BinaryFunction::subtract ? -options.scale() : options.scale();
  const auto kernel = multiply ? context.kernels.vector.multiply : context.kernels.vector.add;
  parallel_pieces(context, context.rows(first_input), rows_per_piece(columns), [&](size_t first, size_t last, size_t) {
    for (size_t r = first; r < last; ++r) kernel(a + r * columns, b + r * step, scale, columns, out + r * columns);
  });
}

}  // namespace

const Operation binary_operation = {schema::Options::Binary, "operation:Binary", 1, verify, shape, nullptr, run};

}  // namespace linnet::ops
