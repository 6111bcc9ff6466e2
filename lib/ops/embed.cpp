// out[r] = scale * table[ids[r] + row_offset]
#include <cstring>

#include "core/try.h"
#include "ops/adapted.h"

namespace linnet::ops {
namespace {

constexpr size_t kPieceRows = 8;

const Tensor& table_of(const Node& node, std::span<const Tensor> tensors) {
  return tensors[static_cast<size_t>(node.as<schema::Embed>().tensor())];
}

Status verify(const VerifyContext& context) {
  const auto& options = context.node.as<schema::Embed>();
  LINNET_TRY(context.expect_inputs(1));
  LINNET_TRY(context.expect_type(0, schema::ValueType::index));
  LINNET_ASSIGN(const Tensor* table, context.tensor(options.tensor(), "table", 0, 0));
  const int length = static_cast<int>(table->name.size());
  switch (table->encoding) {
    case schema::Encoding::f32:
    case schema::Encoding::f16:
    case schema::Encoding::bf16:
    case schema::Encoding::int8:
    case schema::Encoding::int4:
    case schema::Encoding::mxfp4:
      break;
    default:
      return Status::error(Code::unsupported, "Embed: tensor \"%.*s\" is encoded as %s, expected f32, f16, bf16, int8, int4 or mxfp4",
                           length, table->name.data(), schema::EnumNameEncoding(table->encoding));
  }
  if (table->count != 1)
    return Status::error(Code::corrupt, "Embed: tensor \"%.*s\" stacks %u matrices, expected 1", length, table->name.data(), table->count);
  const Value& ids = context.input(0);
  if (ids.columns != 1) return Status::error(Code::corrupt, "Embed: the ids have %u columns, expected 1", ids.columns);
  if (uint64_t{ids.bound} + options.row_offset() > table->rows)
    return Status::error(Code::corrupt, "Embed: ids below %u from row %u on, but tensor \"%.*s\" has %u rows", ids.bound,
                         options.row_offset(), length, table->name.data(), table->rows);
  return {};
}

void shape(const VerifyContext& context, Value* outputs) {
  outputs[0] = context.input(0);
  outputs[0].type = schema::ValueType::f32;
  outputs[0].columns = table_of(context.node, context.tensors).columns;
  outputs[0].bound = 0;
}

auto row_kernel(const kernels::LinearKernels& linear, schema::Encoding encoding) {
  switch (encoding) {
    case schema::Encoding::f16:
      return linear.row_f16;
    case schema::Encoding::bf16:
      return linear.row_bf16;
    case schema::Encoding::int8:
      return linear.row_int8;
    case schema::Encoding::int4:
      return linear.row_int4;
    case schema::Encoding::mxfp4:
      return linear.row_mxfp4;
    default:
      return linear.row_f32;
  }
}

Scratch scratch(const PlanContext& context) { return adapted_scratch(context, context.rows[context.node.inputs[0]], 0); }

void run_rows(const RunContext& context, const Tensor& table, size_t first_row, size_t count) {
  const auto& options = context.node.as<schema::Embed>();
  const int32_t* ids = context.index(context.node.inputs[0]) + first_row;
  float* out = context.f32_out(context.node.outputs[0]) + first_row * table.columns;
  const auto row = row_kernel(context.kernels.linear, table.encoding);
  context.parallel((count + kPieceRows - 1) / kPieceRows, [&](size_t piece, size_t) {
    for (size_t r = piece * kPieceRows; r < count && r < (piece + 1) * kPieceRows; ++r) {
      float* to = out + r * table.columns;
      row(table.data, table.rows, table.columns, static_cast<size_t>(ids[r]) + options.row_offset(), to);
      if (options.scale() != 1.0f) context.kernels.vector.scale(to, options.scale(), table.columns, to);
    }
  });
}

// A's column of each id stands in one row of the file: t = A[:, id].
void add_pair(const RunContext& context, const format::Target& target, size_t first_row, size_t count) {
  const auto& options = context.node.as<schema::Embed>();
  const int32_t* ids = context.index(context.node.inputs[0]);
  float* t = reinterpret_cast<float*>(context.shared_scratch);
  const size_t columns = target.base_columns;
  for (size_t done = 0; done < count; done += kAdaptedRows) {
    const size_t rows = std::min(kAdaptedRows, count - done), first = first_row + done;
    for (size_t r = 0; r < rows; ++r)
      std::memcpy(t + r * target.rank, target.a + (static_cast<size_t>(ids[first + r]) + options.row_offset()) * target.rank,
                  target.rank * sizeof(float));
    add_up_projection(context, target, t, rows, options.scale(),
                      {context.f32_out(context.node.outputs[0]) + first * columns, columns, 0, 0, columns});
  }
}

void run(const RunContext& context) {
  const int32_t tensor = context.node.as<schema::Embed>().tensor();
  const uint32_t input = context.node.inputs[0];
  const Tensor& base = table_of(context.node, context.tensors);
  if (!context.adapters) return run_rows(context, base, 0, context.rows(input));
  const auto key = [&](const AdapterFile* adapter) {
    return with_target(adapter, tensor, [](const format::Target& target) {
      return target.kind == schema::TargetKind::embedding || target.replaces_for(schema::Use::embedding);
    });
  };
  for_each_stretch(context, input, key, [&](size_t first, size_t rows, const AdapterFile* adapter) {
    const Tensor* table = &base;
    const auto targets = adapter ? adapter->targets_of(tensor) : std::span<const format::Target>();
    for (const format::Target& target : targets)
      if (target.replaces_for(schema::Use::embedding)) table = &target.replacement;
    run_rows(context, *table, first, rows);
    for (const format::Target& target : targets)
      if (target.kind == schema::TargetKind::embedding) add_pair(context, target, first, rows);
  });
}

}  // namespace

const Operation embed_operation = {schema::Options::Embed, "operation:Embed", 1, verify, shape, scratch, run};

}  // namespace linnet::ops
