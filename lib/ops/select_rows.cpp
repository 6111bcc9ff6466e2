// out[i] = x[rows[i]]. An index with bound 0 counts the tokens of this call (role output_rows), which the session checks at the
// start of each run; any other bound must not exceed the rows that x always has.
#include <cstring>

#include "core/try.h"
#include "ops/operations.h"

namespace linnet::ops {
namespace {

Status verify(const VerifyContext& context) {
  LINNET_TRY(context.expect_inputs(2));
  LINNET_TRY(context.expect_type(0, schema::ValueType::f32));
  const Value &x = context.input(0), &rows = context.input(1);
  if (rows.type != schema::ValueType::index || rows.columns != 1)
    return Status::error(Code::corrupt, "SelectRows: the rows are %s with %u columns, expected an index with 1",
                         schema::EnumNameValueType(rows.type), rows.columns);
  if (rows.bound == 0 && !is_symbol(x.rows, schema::Symbol::tokens))
    return Status::error(Code::corrupt, "SelectRows: the rows count tokens, but the first input does not have one row for each token");
  if (rows.bound > 0 && rows.bound > x.rows.constant)
    return Status::error(Code::corrupt, "SelectRows: rows below %u of an input that need not have more than %u", rows.bound,
                         x.rows.constant);
  return {};
}

void shape(const VerifyContext& context, Value* outputs) {
  outputs[0] = context.input(0);
  outputs[0].rows = context.input(1).rows;
}

void run(const RunContext& context) {
  const uint32_t input = context.node.inputs[0], chosen = context.node.inputs[1];
  const size_t columns = context.values[input].columns;
  const float* x = context.f32(input);
  const int32_t* rows = context.index(chosen);
  float* out = context.f32_out(context.node.outputs[0]);
  parallel_pieces(context, context.rows(chosen), rows_per_piece(columns), [&](size_t first, size_t last, size_t) {
    for (size_t r = first; r < last; ++r)
      std::memcpy(out + r * columns, x + static_cast<size_t>(rows[r]) * columns, columns * sizeof(float));
  });
}

}  // namespace

const Operation select_rows_operation = {schema::Options::SelectRows, "operation:SelectRows", 1, verify, shape, nullptr, run};

}  // namespace linnet::ops
