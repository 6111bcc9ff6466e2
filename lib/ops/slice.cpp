// Columns [first, first + columns) of x; how many stands in the output's declaration.
#include <cstring>

#include "core/try.h"
#include "ops/operations.h"

namespace linnet::ops {
namespace {

uint32_t width_of(const VerifyContext& context) {
  const uint32_t output = context.node.outputs[0];
  return context.values[output].columns;
}

Status verify(const VerifyContext& context) {
  const uint32_t first = context.node.as<schema::Slice>().first();
  LINNET_TRY(context.expect_inputs(1));
  LINNET_TRY(context.expect_type(0, schema::ValueType::f32));
  const uint32_t columns = context.input(0).columns, width = width_of(context);
  if (first > columns || width > columns - first)
    return Status::error(Code::corrupt, "Slice: %u columns from column %u on, but the input has %u", width, first, columns);
  return {};
}

void shape(const VerifyContext& context, Value* outputs) {
  outputs[0] = context.input(0);
  outputs[0].columns = width_of(context);
}

void run(const RunContext& context) {
  const uint32_t input = context.node.inputs[0], output = context.node.outputs[0];
  const size_t stride = context.values[input].columns, columns = context.values[output].columns;
  const float* x = context.f32(input) + context.node.as<schema::Slice>().first();
  float* out = context.f32_out(output);
  parallel_pieces(context, context.rows(input), rows_per_piece(columns), [&](size_t first, size_t last, size_t) {
    for (size_t r = first; r < last; ++r) std::memcpy(out + r * columns, x + r * stride, columns * sizeof(float));
  });
}

}  // namespace

const Operation slice_operation = {schema::Options::Slice, "operation:Slice", 1, verify, shape, nullptr, run};

}  // namespace linnet::ops
