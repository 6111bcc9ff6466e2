// One row per sequence out of its rows; zeros for a sequence without rows.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/try.h"
#include "ops/operations.h"

namespace linnet::ops {
namespace {

using schema::PoolKind;

Status verify_ids(const VerifyContext& context) {
  LINNET_TRY(context.expect_type(1, schema::ValueType::index));
  if (context.input(1).columns != 1 || !same_rows(context.input(0).rows, context.input(1).rows))
    return Status::error(Code::corrupt, "Pool: the ids are not one for each row of the input");
  return {};
}

Status verify(const VerifyContext& context) {
  const PoolKind kind = context.node.as<schema::Pool>().kind();
  LINNET_TRY(context.expect_inputs(kind == PoolKind::last_of ? 2 : 1));
  LINNET_TRY(context.expect_type(0, schema::ValueType::f32));
  if (kind > PoolKind::MAX) return Status::error(Code::unsupported, "Pool: kind %u is not part of this build", static_cast<unsigned>(kind));
  if (context.input(0).rows.constant != 0) return Status::error(Code::corrupt, "Pool: the input has rows that belong to no sequence");
  return kind == PoolKind::last_of ? verify_ids(context) : Status();
}

void shape(const VerifyContext& context, Value* outputs) {
  outputs[0] = context.input(0);
  outputs[0].rows = {.symbol = schema::Symbol::sequences};
}

// x: [rows][columns], at least one row.
void pool(const kernels::VectorKernels& kernels, PoolKind kind, const float* x, size_t rows, size_t columns, float* out) {
  std::memcpy(out, kind == PoolKind::last ? x + (rows - 1) * columns : x, columns * sizeof(float));
  if (kind == PoolKind::first || kind == PoolKind::last) return;
  for (size_t r = 1; r < rows; ++r) {
    const float* row = x + r * columns;
    if (kind == PoolKind::max) {
      for (size_t c = 0; c < columns; ++c) out[c] = std::max(out[c], row[c]);
    } else {
      kernels.add(out, row, 1.0f, columns, out);
    }
  }
  if (kind == PoolKind::max) return;
  const float count = static_cast<float>(rows);
  kernels.scale(out, 1 / (kind == PoolKind::mean ? count : std::sqrt(count)), columns, out);
}

// Of the last id that is the wanted one.
size_t row_of(const RunContext& context, const Span& span) {
  const int32_t* ids = context.index(context.node.inputs[1]) + span.first;
  const auto wanted = context.node.as<schema::Pool>().id();
  for (size_t r = span.count; r-- > 0;)
    if (static_cast<uint32_t>(ids[r]) == wanted) return r;
  return span.count - 1;
}

void run(const RunContext& context) {
  const uint32_t input = context.node.inputs[0];
  const size_t columns = context.values[input].columns;
  const PoolKind kind = context.node.as<schema::Pool>().kind();
  const float* x = context.f32(input);
  float* out = context.f32_out(context.node.outputs[0]);
  context.parallel(context.sequences, [&](size_t sequence, size_t) {
    const Span span = context.span(input, sequence);
    if (span.count == 0) {
      std::memset(out + sequence * columns, 0, columns * sizeof(float));
    } else if (kind == PoolKind::last_of) {
      std::memcpy(out + sequence * columns, x + (span.first + row_of(context, span)) * columns, columns * sizeof(float));
    } else {
      pool(context.kernels.vector, kind, x + span.first * columns, span.count, columns, out + sequence * columns);
    }
  });
}

}  // namespace

const Operation pool_operation = {schema::Options::Pool, "operation:Pool", 1, verify, shape, nullptr, run};

}  // namespace linnet::ops
