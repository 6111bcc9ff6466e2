// Rows of pictures in the places that a text keeps for them: each token of one id gets its sequence's next row. Where there are fewer rows
// than such tokens, the others stay; where there are more, the rest is not read.
#include <cstring>

#include "core/try.h"
#include "ops/operations.h"

namespace linnet::ops {
namespace {

Status verify(const VerifyContext& context) {
  LINNET_TRY(context.expect_inputs(3));
  LINNET_TRY(context.expect_type(0, schema::ValueType::f32));
  LINNET_TRY(context.expect_type(1, schema::ValueType::index));
  LINNET_TRY(context.expect_type(2, schema::ValueType::f32));
  const Value &x = context.input(0), &ids = context.input(1), &rows = context.input(2);
  if (ids.columns != 1 || !same_rows(x.rows, ids.rows))
    return Status::error(Code::corrupt, "PlaceRows: the ids have %u columns, expected 1 and one row for each row of the input",
                         ids.columns);
  if (rows.columns != x.columns) return Status::error(Code::corrupt, "PlaceRows: rows of %u columns, expected %u", rows.columns, x.columns);
  if (x.rows.constant != 0 || rows.rows.constant != 0)
    return Status::error(Code::corrupt, "PlaceRows: an input has rows that belong to no sequence");
  return {};
}

void shape(const VerifyContext& context, Value* outputs) { outputs[0] = context.input(0); }

void run(const RunContext& context) {
  const auto& options = context.node.as<schema::PlaceRows>();
  const uint32_t input = context.node.inputs[0], placed = context.node.inputs[2];
  const size_t columns = context.values[input].columns;
  const float *x = context.f32(input), *rows = context.f32(placed);
  const int32_t* ids = context.index(context.node.inputs[1]);
  float* out = context.f32_out(context.node.outputs[0]);
  context.parallel(context.sequences, [&](size_t sequence, size_t) {
    const Span tokens = context.span(input, sequence), given = context.span(placed, sequence);
    if (tokens.count == 0) return;
    std::memcpy(out + tokens.first * columns, x + tokens.first * columns, tokens.count * columns * sizeof(float));
    size_t next = 0;
    for (size_t t = tokens.first; t < tokens.first + tokens.count && next < given.count; ++t) {
      if (static_cast<uint32_t>(ids[t]) != options.token_id()) continue;
      const float* row = rows + (given.first + next++) * columns;
      float* to = out + t * columns;
      if (options.add())
        context.kernels.vector.add(to, row, 1.0f, columns, to);
      else
        std::memcpy(to, row, columns * sizeof(float));
    }
  });
}

}  // namespace

const Operation place_rows_operation = {schema::Options::PlaceRows, "operation:PlaceRows", 1, verify, shape, nullptr, run};

}  // namespace linnet::ops
