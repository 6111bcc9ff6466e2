// Truth, equality and order.
#include "text/chat/evaluator.h"

namespace linnet::text::chat {

bool Evaluator::truth(const Value& value) noexcept {
  switch (value.kind) {
    case Kind::undefined:
    case Kind::none:
      return false;
    case Kind::boolean:
      return value.boolean;
    case Kind::integer:
      return value.integer != 0;
    case Kind::real:
      return value.real != 0;
    case Kind::string:
      return value.string->size > 0;
    case Kind::list:
      return value.list->size > 0 || value.list->kind == ListKind::generator;
    case Kind::dict:
      return value.dict->size > 0;
    case Kind::range:
      return value.range->size > 0;
    default:
      return true;
  }
}

Status Evaluator::equal(const Value& a, const Value& b, bool* result) noexcept {
  LINNET_TRY(spend(1));
  *result = false;
  if (a.is_number() && b.is_number()) {
    const bool real = a.is(Kind::real) || b.is(Kind::real);
    *result = real ? a.as_real() == b.as_real() : a.as_integer() == b.as_integer();
    return {};
  }
  if (a.kind != b.kind) return {};
  switch (a.kind) {
    case Kind::undefined:
    case Kind::none:
      *result = true;
      return {};
    case Kind::string:
      return same_text(a.text(), b.text(), result);
    case Kind::list:
      return equal_lists(*a.list, *b.list, result);
    case Kind::dict:
      return equal_dicts(*a.dict, *b.dict, result);
    case Kind::range:
      *result = a.range == b.range;
      return {};
    case Kind::function:
      *result = a.function == b.function;
      return {};
    case Kind::macro:
      *result = a.macro == b.macro;
      return {};
    case Kind::loop:
      *result = a.loop == b.loop;
      return {};
    case Kind::space:
      *result = a.dict == b.dict;
      return {};
    default:
      return {};
  }
}

// Texts of one length that are alike for long take long, whether they are equal in the end or not.
Status Evaluator::same_text(std::string_view a, std::string_view b, bool* result) noexcept {
  *result = false;
  if (a.size() != b.size()) return {};
  *result = a == b;
  return spend_bytes(a.size());
}

Status Evaluator::equal_lists(const List& a, const List& b, bool* result) noexcept {
  *result = &a == &b;
  if (*result || a.kind != b.kind || a.size != b.size || a.kind == ListKind::generator) return {};
  LINNET_TRY(enter());
  *result = true;
  for (size_t i = 0; i < a.size && *result; ++i) LINNET_TRY(equal(a.items[i], b.items[i], result));
  leave();
  return {};
}

Status Evaluator::equal_dicts(const Dict& a, const Dict& b, bool* result) noexcept {
  *result = &a == &b;
  if (*result || a.size != b.size) return {};
  LINNET_TRY(enter());
  *result = true;
  for (size_t i = 0; i < a.size && *result; ++i) {
    Value* other;
    LINNET_TRY(find(b, a.entries[i].key, &other));
    *result = other != nullptr;
    if (other) LINNET_TRY(equal(a.entries[i].value, *other, result));
  }
  leave();
  return {};
}

Status Evaluator::less(const Value& a, const Value& b, bool* result) noexcept {
  LINNET_TRY(spend(1));
  if (a.is_number() && b.is_number()) {
    const bool real = a.is(Kind::real) || b.is(Kind::real);
    *result = real ? a.as_real() < b.as_real() : a.as_integer() < b.as_integer();
    return {};
  }
  if (a.is(Kind::undefined)) return fail_undefined(a);
  if (b.is(Kind::undefined)) return fail_undefined(b);
  if (a.is(Kind::string) && b.is(Kind::string)) {
    LINNET_TRY(spend_bytes(a.string->size < b.string->size ? a.string->size : b.string->size));
    *result = a.text() < b.text();  // UTF-8 is in the order of the characters
    return {};
  }
  if (a.is(Kind::list) && b.is(Kind::list) && a.list->kind == b.list->kind && a.list->kind <= ListKind::tuple)
    return less_lists(*a.list, *b.list, result);
  return fail("values of type %s and %s have no order", type_name(a), type_name(b));
}

Status Evaluator::less_lists(const List& a, const List& b, bool* result) noexcept {
  LINNET_TRY(enter());
  size_t i = 0;
  for (bool same = true; i < a.size && i < b.size; ++i) {
    LINNET_TRY(equal(a.items[i], b.items[i], &same));
    if (!same) break;
  }
  *result = a.size < b.size;
  if (i < a.size && i < b.size) LINNET_TRY(less(a.items[i], b.items[i], result));
  leave();
  return {};
}

Status Evaluator::contains(const Value& container, const Value& item, bool* result) noexcept {
  *result = false;
  if (container.is(Kind::string)) {
    if (item.is(Kind::undefined)) return fail_undefined(item);
    if (!item.is(Kind::string)) return fail("a string is asked whether a value of type %s is in it", type_name(item));
    size_t found;
    LINNET_TRY(search(container.text(), item.text(), 0, &found));
    *result = found != std::string_view::npos;
    return {};
  }
  if (container.is(Kind::dict)) {
    Value* found;
    LINNET_TRY(find(*container.dict, item, &found));
    *result = found != nullptr;
    return {};
  }
  Items items;
  LINNET_TRY(items_of(container, &items));
  for (size_t i = 0; i < items.size && !*result; ++i) LINNET_TRY(equal(items.at(i), item, result));
  return {};
}

Status Evaluator::compare(Operator op, const Value& a, const Value& b, bool* result) noexcept {
  switch (op) {
    case Operator::equal:
      return equal(a, b, result);
    case Operator::unequal:
      LINNET_TRY(equal(a, b, result));
      *result = !*result;
      return {};
    case Operator::less:
      return less(a, b, result);
    case Operator::greater:
      return less(b, a, result);
    case Operator::in:
      return contains(b, a, result);
    case Operator::not_in:
      LINNET_TRY(contains(b, a, result));
      *result = !*result;
      return {};
    default:
      break;
  }
  // a <= b is a < b or a == b: NaN is neither.
  LINNET_TRY(op == Operator::less_equal ? less(a, b, result) : less(b, a, result));
  return *result ? Status() : equal(a, b, result);
}

}  // namespace linnet::text::chat
