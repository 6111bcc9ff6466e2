// Each block of columns is multiplied by the Sylvester-Hadamard matrix / sqrt(block).
#include "core/try.h"
#include "ops/operations.h"

namespace linnet::ops {
namespace {

constexpr size_t kPieceRows = 4;

Status verify(const VerifyContext& context) {
  const uint32_t block = context.node.as<schema::Turn>().block();
  LINNET_TRY(context.expect_inputs(1));
  LINNET_TRY(context.expect_type(0, schema::ValueType::f32));
  const uint32_t columns = context.input(0).columns;
  if (block < 16 || block > 256 || (block & (block - 1)) != 0 || columns % block != 0)
    return Status::error(Code::corrupt, "Turn: blocks of %u columns over %u, expected a power of two from 16 to 256 that divides them",
                         block, columns);
  return {};
}

void shape(const VerifyContext& context, Value* outputs) { outputs[0] = context.input(0); }

void run(const RunContext& context) {
  const size_t block = context.node.as<schema::Turn>().block();
  const uint32_t input = context.node.inputs[0];
  const size_t rows = context.rows(input), columns = context.values[input].columns;
  const float* x = context.f32(input);
  float* out = context.f32_out(context.node.outputs[0]);
  context.parallel((rows + kPieceRows - 1) / kPieceRows, [&](size_t piece, size_t) {
    for (size_t r = piece * kPieceRows; r < rows && r < (piece + 1) * kPieceRows; ++r)
      context.kernels.vector.turn(x + r * columns, columns, block, out + r * columns);
  });
}

}  // namespace

const Operation turn_operation = {schema::Options::Turn, "operation:Turn", 1, verify, shape, nullptr, run};

}  // namespace linnet::ops
