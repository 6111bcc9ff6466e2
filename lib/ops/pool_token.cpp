// The row of one token of each sequence, found by its id; zeros for a sequence without rows.
#include <algorithm>
#include <cstring>

#include "core/try.h"
#include "ops/operations.h"

namespace linnet::ops {
namespace {

Status verify(const VerifyContext& context) {
  LINNET_TRY(context.expect_inputs(2));
  LINNET_TRY(context.expect_type(0, schema::ValueType::f32));
  LINNET_TRY(context.expect_type(1, schema::ValueType::index));
  const Value &x = context.input(0), &ids = context.input(1);
  if (ids.columns != 1 || !same_rows(x.rows, ids.rows))
    return Status::error(Code::corrupt, "PoolToken: the ids have %u columns, expected 1 and one row for each row of the input",
                         ids.columns);
  if (x.rows.constant != 0) return Status::error(Code::corrupt, "PoolToken: the input has rows that belong to no sequence");
  return {};
}

void shape(const VerifyContext& context, Value* outputs) {
  outputs[0] = context.input(0);
  outputs[0].rows = {.symbol = schema::Symbol::sequences};
}

void run(const RunContext& context) {
  const int32_t id = context.node.as<schema::PoolToken>().token_id();
  const uint32_t input = context.node.inputs[0];
  const size_t columns = context.values[input].columns;
  const int32_t* ids = context.index(context.node.inputs[1]);
  for (size_t sequence = 0; sequence < context.sequences; ++sequence) {
    const Span span = context.span(input, sequence);
    float* out = context.f32_out(context.node.outputs[0]) + sequence * columns;
    const int32_t *first = ids + span.first, *last = first + span.count;
    const int32_t* found = id < 0 ? std::max_element(first, last) : std::find(first, last, id);
    if (found == last) found = first;
    if (span.count == 0)
      std::memset(out, 0, columns * sizeof(float));
    else
      std::memcpy(out, context.f32(input) + static_cast<size_t>(found - ids) * columns, columns * sizeof(float));
  }
}

}  // namespace

const Operation pool_token_operation = {schema::Options::PoolToken, "operation:PoolToken", 1, verify, shape, nullptr, run};

}  // namespace linnet::ops
