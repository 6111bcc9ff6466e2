// Tokens that every token sees and that see every token (Longformer, arXiv 2004.05150).
#include <limits>

#include "core/try.h"
#include "ops/attention_plan.h"

namespace linnet::ops {

using kernels::kBlockPositions;
using schema::Reader;

Status verify_global_tokens(const VerifyContext& context) noexcept {
  const auto& options = context.node.as<schema::Attention>();
  if (!options.global_tokens()) return {};
  const bool window = options.reader() == Reader::window && options.both_sides();
  if (options.state() >= 0 || options.value_prefix() || (!window && options.reader() != Reader::bidirectional))
    return Status::error(Code::corrupt,
                         "Attention: global tokens need this call's own keys and values, and a reader that is a window on "
                         "both sides or bidirectional");
  if (options.sinks_tensor() >= 0 || options.slopes_tensor() >= 0 || options.relative_bias_tensor() >= 0 || options.softcap() != 0 ||
      has_relative_scores(options))
    return Status::error(Code::corrupt, "Attention: global tokens go together with no sinks, biases or soft-cap");
  LINNET_TRY(context.expect_type(3, schema::ValueType::index));
  const Value& marks = context.input(3);
  if (marks.bound != 2 || marks.columns != 1 || !same_rows(marks.rows, context.input(0).rows))
    return Status::error(Code::corrupt,
                         "Attention: marks of global tokens with %u columns and a bound of %u, expected 1 and 2 for each query",
                         marks.columns, marks.bound);
  if (window) return {};
  LINNET_TRY(context.expect_type(4, schema::ValueType::f32));
  const Value& others = context.input(4);
  if (others.columns == options.heads() * options.value_width() && same_rows(others.rows, context.input(0).rows)) return {};
  return Status::error(Code::corrupt, "Attention: rows of other tokens with %u columns, expected %u for each query", others.columns,
                       options.heads() * options.value_width());
}

void Globals::hide(float* scores, size_t queries, size_t begin, Visible seen) const {
  const uint32_t* row = std::lower_bound(rows, rows + count, begin + seen.first);
  for (; row != rows + count && *row < begin + seen.last; ++row)
    for (size_t r = 0; r < queries; ++r) scores[r * kBlockPositions + *row - begin] = -std::numeric_limits<float>::infinity();
}

GlobalLists::GlobalLists(const RunContext& context, uint32_t* memory) : starts(memory), rows(memory + context.sequences + 1) {
  const uint32_t input = context.node.inputs[3];
  const int32_t* marks = context.index(input);
  uint32_t found = 0;
  starts[0] = 0;
  for (size_t s = 0; s < context.sequences; ++s) {
    const Span span = context.span(input, s);
    for (size_t r = 0; r < span.count; ++r)
      if (marks[span.first + r] != 0) rows[found++] = static_cast<uint32_t>(r);
    starts[s + 1] = found;
  }
}

}  // namespace linnet::ops
