// The inputs side by side.
#include <cstring>

#include "core/limits.h"
#include "core/try.h"
#include "ops/operations.h"

namespace linnet::ops {
namespace {

Status verify(const VerifyContext& context) {
  if (context.inputs() == 0) return Status::error(Code::corrupt, "Concat: no inputs, expected at least 1");
  uint64_t columns = 0;
  for (size_t i = 0; i < context.inputs(); ++i) {
    LINNET_TRY(context.expect_type(i, schema::ValueType::f32));
    if (!same_rows(context.input(i).rows, context.input(0).rows))
      return Status::error(Code::corrupt, "Concat: input %zu has other rows than input 0", i);
    columns += context.input(i).columns;
  }
  if (columns <= core::limits::kDenseColumns) return {};
  return Status::error(Code::corrupt, "Concat: %llu columns, expected at most %u", static_cast<unsigned long long>(columns),
                       core::limits::kDenseColumns);
}

void shape(const VerifyContext& context, Value* outputs) {
  outputs[0] = context.input(0);
  for (size_t i = 1; i < context.inputs(); ++i) outputs[0].columns += context.input(i).columns;
}

void run(const RunContext& context) {
  const uint32_t output = context.node.outputs[0];
  const size_t stride = context.values[output].columns;
  parallel_pieces(context, context.rows(output), rows_per_piece(stride), [&](size_t first, size_t last, size_t) {
    size_t column = 0;
    for (const uint32_t input : context.node.inputs) {
      const size_t columns = context.values[input].columns;
      for (size_t r = first; r < last; ++r)
        std::memcpy(context.f32_out(output) + r * stride + column, context.f32(input) + r * columns, columns * sizeof(float));
      column += columns;
    }
  });
}

}  // namespace

const Operation concat_operation = {schema::Options::Concat, "operation:Concat", 1, verify, shape, nullptr, run};

}  // namespace linnet::ops
