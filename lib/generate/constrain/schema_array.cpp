// Arrays: elements with schemas of their own first, then any number of one kind.
#include <algorithm>

#include "core/try.h"
#include "generate/constrain/schema_compiler.h"

namespace linnet::constrain {
namespace {

const JsonValue* at(const JsonValue& list, size_t index) {
  size_t i = 0;
  for (const JsonValue& item : list)
    if (i++ == index) return &item;
  return nullptr;
}

// Before 2020 a list under "items" was what "prefixItems" is now, and "additionalItems" what "items" is now.
const JsonValue* first_elements(const JsonValue& schema) {
  const JsonValue* items = schema.find("items");
  return items && items->kind() == JsonKind::array ? items : schema.find("prefixItems");
}

const JsonValue* other_elements(const JsonValue& schema) {
  const JsonValue* items = schema.find("items");
  return items && items->kind() == JsonKind::array ? schema.find("additionalItems") : items;
}

}  // namespace

// What all parts say of the element at an index; `index` behind all first elements for the others.
Result<Expr> SchemaCompiler::element(const Parts& parts, size_t index, bool* never) noexcept {
  Parts of;
  uint32_t left = 0;
  LINNET_TRY(enter("items", &left));
  for (const Parts::Part& part : parts) {
    const JsonValue* first = first_elements(*part.schema);
    const JsonValue* own = first && index < first->size() ? at(*first, index) : other_elements(*part.schema);
    if (own) LINNET_TRY(add_part(*own, &of));
  }
  *never = of.never;
  Result<Expr> rule = rule_of(of, "items");
  place_ = left;
  return rule;
}

Result<Expr> SchemaCompiler::array(const Parts& parts) noexcept {
  LINNET_ASSIGN(const uint32_t least, count(parts, "minItems", true, 0));
  LINNET_ASSIGN(uint32_t most, count(parts, "maxItems", false, kUnbounded));
  size_t first = 0;
  bool described = false;  // something is said of the elements behind the first
  for (const Parts::Part& part : parts) {
    const JsonValue* list = first_elements(*part.schema);
    if (list && list->kind() != JsonKind::array) return wrong("prefixItems", "is expected to be a list of schemas");
    if (list) first = std::max(first, static_cast<size_t>(list->size()));
    described = described || other_elements(*part.schema);
    const JsonValue* unique = part.schema->find("uniqueItems");
    if (unique && unique->boolean() && most > 1) return refuse("uniqueItems", "is not supported");
  }
  // Without a word about them, elements behind the first are not made up, unless there have to be some.
  if (first > 0 && !described && least <= first) most = std::min(most, static_cast<uint32_t>(first));
  const Expr comma = grammar_.sequence({grammar_.literal(","), space()});
  bool never = false;
  LINNET_ASSIGN(const Expr other, element(parts, first, &never));
  if (never) most = std::min(most, static_cast<uint32_t>(first));
  if (least > most) return kNever;

  // From the end: what follows when so many elements are there, as a rest that begins with a comma.
  const auto behind = static_cast<uint32_t>(std::min<size_t>(first, most));
  Expr rest = kEmpty, begin = kEmpty;
  if (most > behind) {
    const uint32_t min = least > behind ? least - behind : 0, max = most == kUnbounded ? kUnbounded : most - behind;
    const Expr next = grammar_.sequence({comma, other});
    rest = grammar_.repeat(next, min, max);
    const Expr some = grammar_.sequence({other, grammar_.repeat(next, min > 0 ? min - 1 : 0, max == kUnbounded ? max : max - 1)});
    begin = min > 0 ? some : grammar_.optional(some);
  }
  for (uint32_t i = behind; i-- > 0;) {
    LINNET_ASSIGN(const Expr own, element(parts, i, &never));
    const Expr here = grammar_.sequence({own, rest});
    const Expr next = grammar_.sequence({comma, here});
    rest = grammar_.named("elements", i < least ? next : grammar_.optional(next));
    begin = i < least ? here : grammar_.optional(here);
  }
  return grammar_.sequence({grammar_.literal("["), begin, grammar_.literal("]")});
}

}  // namespace linnet::constrain
