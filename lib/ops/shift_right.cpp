// For each sequence: `first`, then all of its ids but the last. What a decoder reads that is to say its own input again.
#include <cstring>

#include "core/try.h"
#include "ops/operations.h"

namespace linnet::ops {
namespace {

Status verify(const VerifyContext& context) {
  LINNET_TRY(context.expect_inputs(1));
  LINNET_TRY(context.expect_type(0, schema::ValueType::index));
  const Value& ids = context.input(0);
  if (ids.columns != 1) return Status::error(Code::corrupt, "ShiftRight: the ids have %u columns, expected 1", ids.columns);
  if (ids.rows.constant != 0) return Status::error(Code::corrupt, "ShiftRight: the ids have rows that belong to no sequence");
  const uint32_t first = context.node.as<schema::ShiftRight>().first();
  if (first >= ids.bound) return Status::error(Code::corrupt, "ShiftRight: first is %u among ids below %u", first, ids.bound);
  return {};
}

void shape(const VerifyContext& context, Value* outputs) { outputs[0] = context.input(0); }

void run(const RunContext& context) {
  const uint32_t input = context.node.inputs[0];
  const int32_t* ids = context.index(input);
  int32_t* out = static_cast<int32_t*>(context.memory[context.node.outputs[0]]);
  for (size_t sequence = 0; sequence < context.sequences; ++sequence) {
    const Span span = context.span(input, sequence);
    if (span.count == 0) continue;
    out[span.first] = static_cast<int32_t>(context.node.as<schema::ShiftRight>().first());
    std::memcpy(out + span.first + 1, ids + span.first, (span.count - 1) * sizeof(int32_t));
  }
}

}  // namespace

const Operation shift_right_operation = {schema::Options::ShiftRight, "operation:ShiftRight", 1, verify, shape, nullptr, run};

}  // namespace linnet::ops
