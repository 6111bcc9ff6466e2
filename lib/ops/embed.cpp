// out[r] = scale * table[ids[r] + row_offset]
#include "core/try.h"
#include "ops/operations.h"

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
    case schema::Encoding::int4: break;
    default:
      return Status::error(Code::unsupported, "Embed: tensor \"%.*s\" is encoded as %s, expected f32, f16, bf16, int8 or int4", length,
                           table->name.data(), schema::EnumNameEncoding(table->encoding));
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
    case schema::Encoding::f16: return linear.row_f16;
    case schema::Encoding::bf16: return linear.row_bf16;
    case schema::Encoding::int8: return linear.row_int8;
    case schema::Encoding::int4: return linear.row_int4;
    default: return linear.row_f32;
  }
}

void run(const RunContext& context) {
  const auto& options = context.node.as<schema::Embed>();
  const Tensor& table = table_of(context.node, context.tensors);
  const int32_t* ids = context.index(context.node.inputs[0]);
  float* out = context.f32_out(context.node.outputs[0]);
  const size_t rows = context.rows(context.node.inputs[0]);
  const auto row = row_kernel(context.kernels.linear, table.encoding);
  context.parallel((rows + kPieceRows - 1) / kPieceRows, [&](size_t piece, size_t) {
    for (size_t r = piece * kPieceRows; r < rows && r < (piece + 1) * kPieceRows; ++r) {
      float* to = out + r * table.columns;
      row(table.data, table.rows, table.columns, static_cast<size_t>(ids[r]) + options.row_offset(), to);
      if (options.scale() != 1.0f) context.kernels.vector.scale(to, options.scale(), table.columns, to);
    }
  });
}

}  // namespace

const Operation embed_operation = {schema::Options::Embed, "operation:Embed", 1, verify, shape, nullptr, run};

}  // namespace linnet::ops
