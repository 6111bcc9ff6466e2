// For each sequence: the tensor's row, then the sequence's rows of x.
#include <cstring>

#include "core/try.h"
#include "ops/operations.h"

namespace linnet::ops {
namespace {

Status verify(const VerifyContext& context) {
  LINNET_TRY(context.expect_inputs(1));
  LINNET_TRY(context.expect_type(0, schema::ValueType::f32));
  if (context.input(0).rows.constant != 0) return Status::error(Code::corrupt, "Prepend: the input has rows that belong to no sequence");
  if (context.input(0).rows.per_sequence == UINT32_MAX) return Status::error(Code::corrupt, "Prepend: too many rows for each sequence");
  return context.vector(context.node.as<schema::Prepend>().tensor(), "row", context.input(0).columns).status();
}

void shape(const VerifyContext& context, Value* outputs) {
  outputs[0] = context.input(0);
  outputs[0].rows.per_sequence += 1;
}

void run(const RunContext& context) {
  const uint32_t input = context.node.inputs[0], output = context.node.outputs[0];
  const size_t columns = context.values[input].columns;
  const float* x = context.f32(input);
  const float* row = numbers(context.tensors, context.node.as<schema::Prepend>().tensor());
  float* out = context.f32_out(output);
  context.parallel(context.sequences, [&](size_t sequence, size_t) {
    const Span from = context.span(input, sequence);
    float* to = out + context.span(output, sequence).first * columns;
    std::memcpy(to, row, columns * sizeof(float));
    std::memcpy(to + columns, x + from.first * columns, from.count * columns * sizeof(float));
  });
}

}  // namespace

const Operation prepend_operation = {schema::Options::Prepend, "operation:Prepend", 1, verify, shape, nullptr, run};

}  // namespace linnet::ops
