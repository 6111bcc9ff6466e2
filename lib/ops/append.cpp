// Writes this call's keys and values into the pages of a state, in the state's encoding.
#include "core/limits.h"
#include "core/try.h"
#include "ops/operations.h"

namespace linnet::ops {
namespace {

using schema::StateKind;
using schema::Symbol;

Status verify_rows(const VerifyContext& context, size_t input, uint32_t columns, const State& state) {
  LINNET_TRY(context.expect_type(input, schema::ValueType::f32));
  const Value& value = context.input(input);
  const int length = static_cast<int>(state.name.size());
  if (value.columns != columns)
    return Status::error(Code::corrupt, "Append: input %zu has %u columns, state \"%.*s\" takes %u", input, value.columns, length,
                         state.name.data(), columns);
  const Symbol symbol = state.kind == StateKind::source ? Symbol::source_tokens : Symbol::tokens;
  if (!is_symbol(value.rows, symbol))
    return Status::error(Code::corrupt, "Append: input %zu does not have one row for each of %s, as state \"%.*s\" has", input,
                         schema::EnumNameSymbol(symbol), length, state.name.data());
  return {};
}

Status verify(const VerifyContext& context) {
  const uint32_t index = context.node.as<schema::Append>().state();
  if (index >= context.states.size())
    return Status::error(Code::corrupt, "Append: state %u, but there are %zu", index, context.states.size());
  const State& state = context.states[index];
  const int length = static_cast<int>(state.name.size());
  if (state.kind != StateKind::token && state.kind != StateKind::source)
    return Status::error(Code::corrupt, "Append: state \"%.*s\" is not one of positions", length, state.name.data());
  if (state.encoding > schema::StateEncoding::int8)
    return Status::error(Code::unsupported, "Append: state \"%.*s\" is kept in encoding %u, expected f32, f16 or int8", length,
                         state.name.data(), static_cast<unsigned>(state.encoding));
  if (state.heads == 0 || state.heads > core::limits::kHeads || state.key_width == 0 || state.key_width > core::limits::kHeadWidth ||
      state.value_width > core::limits::kHeadWidth)
    return Status::error(Code::corrupt, "Append: state \"%.*s\" has %u heads of %u and %u columns, expected 1 to %u of 1 to %u", length,
                         state.name.data(), state.heads, state.key_width, state.value_width, core::limits::kHeads,
                         core::limits::kHeadWidth);
  LINNET_TRY(context.expect_inputs(state.value_width ? 2 : 1));
  LINNET_TRY(verify_rows(context, 0, state.heads * state.key_width, state));
  return state.value_width ? verify_rows(context, 1, state.heads * state.value_width, state) : Status();
}

// Where one head's rows of a page go; the page is ours to write while this call runs.
struct Target {
  const StateLayout& layout;
  uint8_t* page;
  size_t head;

  uint8_t* row(size_t part, size_t row_bytes, size_t row) const { return page + part + (head * kPagePositions + row) * row_bytes; }
  float* scale(size_t part, size_t row) const { return reinterpret_cast<float*>(page + part) + head * kPagePositions + row; }
};

void append_rows(const RunContext& context, size_t sequence, size_t head) {
  const uint32_t state = context.node.as<schema::Append>().state();
  const StateLayout& layout = context.layouts[state];
  const StatePages& pages = context.pages[state * context.sequences + sequence];
  const Span span = context.span(context.node.inputs[0], sequence);
  const float* keys = context.f32(context.node.inputs[0]);
  const float* values = layout.value_width ? context.f32(context.node.inputs[1]) : nullptr;
  const auto store = context.kernels.attention.store;
  for (size_t i = 0; i < span.count; ++i) {
    const size_t position = context.first_position[sequence] + i, row = position % kPagePositions,
                 at = (span.first + i) * layout.heads + head;
    const Target target{layout, pages.pages[position / kPagePositions - pages.first_page], head};
    store(keys + at * layout.key_width, layout.key_width, layout.encoding, target.row(layout.keys, layout.key_row, row),
          target.scale(layout.key_scales, row));
    if (values)
      store(values + at * layout.value_width, layout.value_width, layout.encoding, target.row(layout.values, layout.value_row, row),
            target.scale(layout.value_scales, row));
  }
}

void run(const RunContext& context) {
  const size_t heads = context.states[context.node.as<schema::Append>().state()].heads;
  context.parallel(context.sequences * heads, [&](size_t index, size_t) { append_rows(context, index / heads, index % heads); });
}

}  // namespace

const Operation append_operation = {schema::Options::Append, "operation:Append", 0, verify, nullptr, nullptr, run};

}  // namespace linnet::ops
