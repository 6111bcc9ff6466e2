// Filters over lists: length, parts, joining.
#include "text/chat/attribute_path.h"
#include "text/chat/text_edit.h"
#include "text/chat/text_tools.h"

namespace linnet::text::chat {
namespace {

Status length(Evaluator& evaluator, const Arguments& arguments, Value* result) noexcept {
  const Value& value = arguments.self;
  size_t size = 0;
  switch (value.kind) {
    case Kind::undefined:
      break;
    case Kind::string:
      LINNET_TRY(evaluator.spend_bytes(value.string->size));
      size = count_characters(value.text());
      break;
    case Kind::list:
      if (value.list->kind == ListKind::generator) return evaluator.fail("a generator has no length; the filter 'list' makes a list of it");
      size = value.list->size;
      break;
    case Kind::dict:
      size = value.dict->size;
      break;
    case Kind::range:
      size = value.range->size;
      break;
    default:
      return evaluator.fail("a value of type %s has no length", type_name(value));
  }
  *result = Value::of_integer(static_cast<int64_t>(size));
  return {};
}

Status first(Evaluator& evaluator, const Arguments& arguments, Value* result) noexcept {
  Items items;
  LINNET_TRY(evaluator.items_of(arguments.self, &items));
  if (items.size == 0) return evaluator.undefined("first", type_name(arguments.self), result);
  *result = items.at(0);
  return {};
}

Status last(Evaluator& evaluator, const Arguments& arguments, Value* result) noexcept {
  if (arguments.self.is(Kind::list) && arguments.self.list->kind == ListKind::generator)
    return evaluator.fail("a generator has no last item; the filter 'list' makes a list of it");
  Items items;
  LINNET_TRY(evaluator.items_of(arguments.self, &items));
  if (items.size == 0) return evaluator.undefined("last", type_name(arguments.self), result);
  *result = items.at(items.size - 1);
  return {};
}

Status join_filter(Evaluator& evaluator, const Arguments& arguments, Value* result) noexcept {
  const String* between;
  const Value empty = Value::of_string(&kNoText);
  Items items;
  LINNET_TRY(evaluator.text_of(arguments.bound[0] ? *arguments.bound[0] : empty, &between));
  LINNET_TRY(evaluator.items_of(arguments.self, &items));
  if (arguments.bound[1] && !arguments.bound[1]->is(Kind::none)) {
    Value values;
    LINNET_TRY(evaluator.new_list(ListKind::list, items.size, false, &values));
    for (size_t i = 0; i < items.size; ++i)
      LINNET_TRY(follow_path(evaluator, items.at(i), *arguments.bound[1], nullptr, &values.list->items[i]));
    items = {values.list->items, nullptr, items.size};
  }
  return join(evaluator, items, *between, result);
}

Status copy(Evaluator& evaluator, const Items& items, ListKind kind, bool backwards, bool data, Value* result) {
  LINNET_TRY(evaluator.new_list(kind, items.size, data, result));
  for (size_t i = 0; i < items.size; ++i) result->list->items[i] = items.at(backwards ? items.size - 1 - i : i);
  return {};
}

Status to_list(Evaluator& evaluator, const Arguments& arguments, Value* result) noexcept {
  Items items;
  LINNET_TRY(evaluator.items_of(arguments.self, &items));
  return copy(evaluator, items, ListKind::list, false, arguments.self.data, result);
}

Status reverse(Evaluator& evaluator, const Arguments& arguments, Value* result) noexcept {
  if (arguments.self.is(Kind::string))
    return evaluator.slice(arguments.self, {Value::none(), Value::none(), Value::of_integer(-1)}, result);
  Items items;
  LINNET_TRY(evaluator.items_of(arguments.self, &items));
  return copy(evaluator, items, ListKind::generator, true, arguments.self.data, result);
}

Status items(Evaluator& evaluator, const Arguments& arguments, Value* result) noexcept {
  if (arguments.self.is(Kind::undefined)) return evaluator.new_list(ListKind::generator, 0, false, result);
  if (!arguments.self.is(Kind::dict))
    return evaluator.fail("the filter 'items' is for dicts, not for a value of type %s", type_name(arguments.self));
  return list_pairs(evaluator, *arguments.self.dict, ListKind::generator, arguments.self.data, result);
}

// Lists of `size` items; the last may be filled up.
Status batch(Evaluator& evaluator, const Arguments& arguments, Value* result) noexcept {
  Items items;
  int64_t size;
  LINNET_TRY(evaluator.integer_argument(arguments, 0, 0, &size));
  if (size < 1) return evaluator.fail("'batch' needs the size of its lists, at least 1");
  LINNET_TRY(evaluator.items_of(arguments.self, &items));
  const auto most = static_cast<uint64_t>(size);
  const bool fills = arguments.bound[1] && !arguments.bound[1]->is(Kind::none);
  LINNET_TRY(evaluator.new_list(ListKind::generator, items.size / most + (items.size % most != 0), false, result));
  for (size_t i = 0, begin = 0; begin < items.size; ++i, begin += most) {
    const size_t left = items.size - begin, count = left < most ? left : most;
    Value& part = result->list->items[i];
    LINNET_TRY(evaluator.new_list(ListKind::list, fills ? most : count, false, &part));
    for (size_t k = 0; k < part.list->size; ++k) part.list->items[k] = k < count ? items.at(begin + k) : *arguments.bound[1];
  }
  return {};
}

// So many lists, the first of them with one item more where it does not come out even; the others may be filled up.
Status slice(Evaluator& evaluator, const Arguments& arguments, Value* result) noexcept {
  Items items;
  int64_t number;
  LINNET_TRY(evaluator.integer_argument(arguments, 0, 0, &number));
  if (number < 1) return evaluator.fail("'slice' needs the number of its lists, at least 1");
  LINNET_TRY(evaluator.items_of(arguments.self, &items));
  const auto count = static_cast<uint64_t>(number);
  const bool fills = arguments.bound[1] && !arguments.bound[1]->is(Kind::none);
  LINNET_TRY(evaluator.new_list(ListKind::generator, count, false, result));
  for (size_t i = 0, at = 0; i < count; ++i) {
    const bool longer = i < items.size % count;
    const size_t size = items.size / count + longer;
    Value& part = result->list->items[i];
    LINNET_TRY(evaluator.new_list(ListKind::list, size + (fills && !longer), false, &part));
    for (size_t k = 0; k < part.list->size; ++k) part.list->items[k] = k < size ? items.at(at + k) : *arguments.bound[1];
    at += size;
  }
  return {};
}

Status sum(Evaluator& evaluator, const Arguments& arguments, Value* result) noexcept {
  Items items;
  LINNET_TRY(evaluator.items_of(arguments.self, &items));
  Value total = arguments.bound[1] ? *arguments.bound[1] : Value::of_integer(0);
  for (size_t i = 0; i < items.size; ++i) {
    Value value = items.at(i);
    if (arguments.bound[0] && !arguments.bound[0]->is(Kind::none))
      LINNET_TRY(follow_path(evaluator, items.at(i), *arguments.bound[0], nullptr, &value));
    LINNET_TRY(evaluator.operate(Operator::add, total, value, result));
    total = *result;
  }
  *result = total;
  return {};
}

constexpr Builtin kFilters[] = {
    {"length", "", length},
    {"count", "", length},
    {"first", "", first},
    {"last", "", last},
    {"join", "d attribute", join_filter},
    {"list", "", to_list},
    {"reverse", "", reverse},
    {"items", "", items},
    {"batch", "linecount fill_with", batch},
    {"slice", "slices fill_with", slice},
    {"sum", "attribute start", sum},
};

}  // namespace

std::span<const Builtin> list_filters() noexcept { return kFilters; }

}  // namespace linnet::text::chat
