// What operations ask of their contexts: operands while they are verified, row counts while they run.
#include <numeric>

#include "core/try.h"
#include "ops/operations.h"

namespace linnet::ops {
namespace {

using schema::Symbol;

// One form for each meaning: sequences count as `per_sequence`, fractions are reduced.
format::Rows normal(format::Rows rows) {
  if (rows.symbol == Symbol::sequences && rows.divide != 0 && rows.multiply % rows.divide == 0) {
    rows.per_sequence += rows.multiply / rows.divide;
    rows.symbol = Symbol::none;
  }
  if (rows.symbol == Symbol::none) {
    rows.multiply = rows.divide = 1;
  } else if (const uint32_t common = std::gcd(rows.multiply, rows.divide); common != 0) {
    rows.multiply /= common;
    rows.divide /= common;
  }
  return rows;
}

}  // namespace

bool same_rows(const format::Rows& a, const format::Rows& b) noexcept { return normal(a) == normal(b); }
bool is_symbol(const format::Rows& rows, Symbol symbol) noexcept { return normal(rows) == normal(format::Rows{.symbol = symbol}); }

int32_t state_read(const Node& node) noexcept {
  if (node.type == schema::Options::Attention) return node.as<schema::Attention>().state();
  if (node.type == schema::Options::NgramAttention) return static_cast<int32_t>(node.as<schema::NgramAttention>().state());
  return -1;
}

const char* name_of(const Node& node) noexcept { return schema::EnumNameOptions(node.type); }

Result<const Tensor*> VerifyContext::tensor(int32_t index, const char* what, uint32_t rows, uint32_t columns) const noexcept {
  if (index < 0) return Status::error(Code::corrupt, "%s: no %s tensor is given", name_of(node), what);
  if (static_cast<size_t>(index) >= tensors.size())
    return Status::error(Code::corrupt, "%s: the %s is tensor %d, but there are %zu", name_of(node), what, index, tensors.size());
  const Tensor& found = tensors[static_cast<size_t>(index)];
  if ((rows != 0 && found.rows != rows) || (columns != 0 && found.columns != columns))
    return Status::error(Code::corrupt, "%s: the %s \"%.*s\" has %u x %u numbers, expected %u x %u", name_of(node), what,
                         static_cast<int>(found.name.size()), found.name.data(), found.rows, found.columns, rows ? rows : found.rows,
                         columns ? columns : found.columns);
  return &found;
}

Result<const Tensor*> VerifyContext::vector(int32_t index, const char* what, uint32_t columns) const noexcept {
  LINNET_ASSIGN(const Tensor* found, tensor(index, what, 1, columns));
  if (found->encoding != schema::Encoding::f32 || found->count != 1)
    return Status::error(Code::corrupt, "%s: the %s \"%.*s\" holds %u x %s, expected one vector of f32", name_of(node), what,
                         static_cast<int>(found->name.size()), found->name.data(), found->count, schema::EnumNameEncoding(found->encoding));
  return found;
}

Status VerifyContext::expect_inputs(size_t count) const noexcept {
  if (inputs() == count) return {};
  return Status::error(Code::corrupt, "%s: %zu inputs, expected %zu", name_of(node), inputs(), count);
}

Status VerifyContext::expect_type(size_t index, schema::ValueType type) const noexcept {
  const Value& value = input(index);
  if (value.type != type)
    return Status::error(Code::corrupt, "%s: input %zu is %s, expected %s", name_of(node), index, schema::EnumNameValueType(value.type),
                         schema::EnumNameValueType(type));
  if (type == schema::ValueType::index && value.bound == 0)
    return Status::error(Code::corrupt, "%s: input %zu counts rows (its bound is 0), expected an index with a bound", name_of(node), index);
  return {};
}

size_t RunContext::rows(uint32_t value) const {
  const format::Rows& rule = values[value].rows;
  const uint64_t symbol = rule.symbol == Symbol::none ? 0 : symbols[static_cast<size_t>(rule.symbol)];
  return static_cast<size_t>(symbol * rule.multiply / rule.divide + uint64_t{rule.per_sequence} * sequences + rule.constant);
}

Span RunContext::span(uint32_t value, size_t sequence) const {
  const format::Rows& rule = values[value].rows;
  const auto before = [&](size_t s) -> size_t {
    uint64_t units = 0;
    if (rule.symbol == Symbol::sequences)
      units = s;
    else if (rule.symbol != Symbol::none)
      units = symbol_starts[static_cast<size_t>(rule.symbol)][s];
    return static_cast<size_t>(units * rule.multiply / rule.divide + uint64_t{rule.per_sequence} * s);
  };
  const size_t first = before(sequence);
  return {first, before(sequence + 1) - first};
}

}  // namespace linnet::ops
