// Positions of a picture of any size out of a square table: its corners lie on the table's, and what falls between four rows of the table
// is their blend by distance.
#include "core/limits.h"
#include "core/try.h"
#include "ops/operations.h"

namespace linnet::ops {
namespace {

constexpr uint32_t kPlaceColumns = 4;  // row, column, rows, columns

Status verify(const VerifyContext& context) {
  const auto& options = context.node.as<schema::GridEmbed>();
  LINNET_TRY(context.expect_inputs(1));
  LINNET_TRY(context.expect_type(0, schema::ValueType::index));
  if (context.input(0).columns != kPlaceColumns)
    return Status::error(Code::corrupt, "GridEmbed: the places have %u columns, expected %u", context.input(0).columns, kPlaceColumns);
  if (options.side() == 0 || options.side() > core::limits::kRowFactor)
    return Status::error(Code::corrupt, "GridEmbed: a side of %u, expected 1 to %u", options.side(), core::limits::kRowFactor);
  LINNET_ASSIGN(const Tensor* table, context.tensor(options.tensor(), "table", options.side() * options.side(), 0));
  if (table->encoding != schema::Encoding::f32 || table->count != 1)
    return Status::error(Code::corrupt, "GridEmbed: tensor \"%.*s\" is %u matrices of %s, expected one of f32",
                         static_cast<int>(table->name.size()), table->name.data(), table->count, schema::EnumNameEncoding(table->encoding));
  return {};
}

void shape(const VerifyContext& context, Value* outputs) {
  const int32_t table = context.node.as<schema::GridEmbed>().tensor();
  outputs[0] = {.type = schema::ValueType::f32,
                .columns = context.tensors[static_cast<size_t>(table)].columns,
                .rows = context.input(0).rows,
                .bound = 0};
}

// Where place `at` of `count` lies between two of `side` lines.
struct Between {
  size_t low, high;
  float weight;  // of the high one

  Between(int32_t at, int32_t count, uint32_t side) {
    const float last = static_cast<float>(side - 1);
    float line = 0;
    // From the nearer end, as the reference counts.
    if (count > 1) {
      const float step = last / static_cast<float>(count - 1);
      line = at < count / 2 ? step * static_cast<float>(at) : last - step * static_cast<float>(count - 1 - at);
    }
    line = std::clamp(line, 0.0f, last);
    low = static_cast<size_t>(line);
    high = std::min<size_t>(low + 1, side - 1);
    weight = line - static_cast<float>(low);
  }
};

void run(const RunContext& context) {
  const auto& options = context.node.as<schema::GridEmbed>();
  const uint32_t input = context.node.inputs[0];
  const size_t columns = context.values[context.node.outputs[0]].columns, side = options.side();
  const int32_t* places = context.index(input);
  const float* table = numbers(context.tensors, options.tensor());
  float* out = context.f32_out(context.node.outputs[0]);
  parallel_pieces(context, context.rows(input), rows_per_piece(columns), [&](size_t first, size_t last, size_t) {
    for (size_t r = first; r < last; ++r) {
      const int32_t* place = places + r * kPlaceColumns;
      const Between row(place[0], place[2], options.side()), column(place[1], place[3], options.side());
      const float *upper = table + row.low * side * columns, *lower = table + row.high * side * columns;
      const float weights[] = {(1 - row.weight) * (1 - column.weight), (1 - row.weight) * column.weight, row.weight * (1 - column.weight),
                               row.weight * column.weight};
      for (size_t c = 0; c < columns; ++c)
        out[r * columns + c] = weights[0] * upper[column.low * columns + c] + weights[1] * upper[column.high * columns + c] +
                               weights[2] * lower[column.low * columns + c] + weights[3] * lower[column.high * columns + c];
    }
  });
}

}  // namespace

const Operation grid_embed_operation = {schema::Options::GridEmbed, "operation:GridEmbed", 1, verify, shape, nullptr, run};

}  // namespace linnet::ops
