// Rows put side by side, and rows cut into several: the same numbers, or those of a picture's squares together.
#include <cmath>
#include <cstring>

#include "core/limits.h"
#include "core/try.h"
#include "ops/operations.h"

namespace linnet::ops {
namespace {

namespace limits = core::limits;

// Rows of each unit of the symbol; whole, as the verifier has checked.
uint32_t of_each(const format::Rows& rows) { return rows.symbol == schema::Symbol::none ? 0 : rows.multiply / rows.divide; }

uint32_t side_of(const schema::JoinRows& options) {
  const auto side = static_cast<uint32_t>(std::lround(std::sqrt(static_cast<double>(options.rows()))));
  return uint64_t{side} * side == options.rows() ? side : 0;
}

// Squares lie within one picture, whose rows are a sequence's.
Status verify_grid(const schema::JoinRows& options, const format::Rows& rows) {
  const uint64_t columns = options.grid_columns(), side = side_of(options);
  if (side == 0 || columns % side != 0)
    return Status::error(Code::corrupt, "JoinRows: squares of %u rows out of pictures of %u columns", options.rows(),
                         options.grid_columns());
  if (of_each(rows) % (columns * side) != 0 || rows.per_sequence % (columns * side) != 0)
    return Status::error(Code::corrupt, "JoinRows: %u rows are no picture of %u columns that squares of %u rows fill", of_each(rows),
                         options.grid_columns(), options.rows());
  return {};
}

Status verify(const VerifyContext& context) {
  const auto& options = context.node.as<schema::JoinRows>();
  LINNET_TRY(context.expect_inputs(1));
  LINNET_TRY(context.expect_type(0, schema::ValueType::f32));
  const format::Rows& rows = context.input(0).rows;
  const uint32_t join = options.rows(), split = options.split();
  if (join == 0 || split == 0 || join > limits::kRowFactor || split > limits::kRowFactor)
    return Status::error(Code::corrupt, "JoinRows: %u rows joined and cut into %u, expected 1 to %u", join, split, limits::kRowFactor);
  if (rows.constant != 0) return Status::error(Code::corrupt, "JoinRows: the input has rows that belong to no sequence");
  if (of_each(rows) % join != 0 || rows.per_sequence % join != 0)
    return Status::error(Code::corrupt, "JoinRows: %u and %u rows cannot be joined in %u", of_each(rows), rows.per_sequence, join);
  if (std::max<uint64_t>(of_each(rows), rows.per_sequence) / join * split > limits::kRowFactor)
    return Status::error(Code::corrupt, "JoinRows: it makes more than %u rows of one unit", limits::kRowFactor);
  const uint64_t columns = uint64_t{context.input(0).columns} * join;
  if (columns % split != 0 || columns / split > limits::kDenseColumns)
    return Status::error(Code::corrupt, "JoinRows: rows of %llu columns cannot be cut into %u", static_cast<unsigned long long>(columns),
                         split);
  return options.grid_columns() == 0 ? Status() : verify_grid(options, rows);
}

void shape(const VerifyContext& context, Value* outputs) {
  const auto& options = context.node.as<schema::JoinRows>();
  outputs[0] = context.input(0);
  outputs[0].columns = static_cast<uint32_t>(uint64_t{outputs[0].columns} * options.rows() / options.split());
  format::Rows& rows = outputs[0].rows;
  rows.multiply = of_each(rows) / options.rows() * options.split();
  rows.divide = 1;
  rows.per_sequence = rows.per_sequence / options.rows() * options.split();
}

void run(const RunContext& context) {
  const auto& options = context.node.as<schema::JoinRows>();
  const uint32_t input = context.node.inputs[0];
  const size_t columns = context.values[input].columns, rows = context.rows(input);
  const float* x = context.f32(input);
  float* out = context.f32_out(context.node.outputs[0]);
  const size_t side = options.grid_columns() == 0 ? 1 : side_of(options), grid = options.grid_columns();
  parallel_pieces(context, rows, rows_per_piece(columns), [&](size_t first, size_t last, size_t) {
    if (side == 1) {
      std::memcpy(out + first * columns, x + first * columns, (last - first) * columns * sizeof(float));
      return;
    }
    for (size_t r = first; r < last; ++r) {
      const size_t square = r / (side * side), within = r % (side * side), across = grid / side;
      const size_t row = square / across * side + within / side, column = square % across * side + within % side;
      std::memcpy(out + r * columns, x + (row * grid + column) * columns, columns * sizeof(float));
    }
  });
}

}  // namespace

const Operation join_rows_operation = {schema::Options::JoinRows, "operation:JoinRows", 1, verify, shape, nullptr, run};

}  // namespace linnet::ops
