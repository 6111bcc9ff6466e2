// Filters over lists: length, order, parts, joining.
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

// By keys that were taken from the values; equal ones keep their order.
struct Keyed {
  Value key, value;
};

Status merge(Evaluator& evaluator, const Keyed* from, size_t begin, size_t middle, size_t end, bool backwards, Keyed* to) {
  size_t left = begin, right = middle;
  for (size_t at = begin; at < end; ++at) {
    bool takes_right = left == middle;
    if (left < middle && right < end)
      LINNET_TRY(backwards ? evaluator.less(from[left].key, from[right].key, &takes_right)
                           : evaluator.less(from[right].key, from[left].key, &takes_right));
    to[at] = takes_right ? from[right++] : from[left++];
  }
  return {};
}

Status sort_keyed(Evaluator& evaluator, Keyed** values, size_t size, bool backwards) {
  Keyed* other;
  LINNET_TRY(evaluator.arena().make(size, &other));
  for (size_t width = 1; width < size; width *= 2) {
    for (size_t begin = 0; begin < size; begin += width * 2) {
      const size_t middle = begin + width < size ? begin + width : size, end = middle + width < size ? middle + width : size;
      LINNET_TRY(merge(evaluator, *values, begin, middle, end, backwards, other));
    }
    std::swap(*values, other);
  }
  return {};
}

bool is_true(const Value* value) { return value && Evaluator::truth(*value); }

// The key by which a value is ordered or told apart: an attribute of it, without difference of case unless that is asked for.
Status key_of(Evaluator& evaluator, const Value& value, const Value* attribute, bool case_sensitive, Value* key) {
  *key = value;
  if (attribute && !attribute->is(Kind::none)) LINNET_TRY(follow_path(evaluator, value, *attribute, nullptr, key));
  if (key->is(Kind::string) && !case_sensitive) return change_case(evaluator, *key->string, Case::lower, key);
  return {};
}

Status keyed_items(Evaluator& evaluator, const Items& items, const Value* attribute, bool case_sensitive, Keyed** keyed) {
  LINNET_TRY(evaluator.arena().make(items.size, keyed));
  for (size_t i = 0; i < items.size; ++i) {
    (*keyed)[i].value = items.at(i);
    LINNET_TRY(key_of(evaluator, items.at(i), attribute, case_sensitive, &(*keyed)[i].key));
  }
  return {};
}

Status sort(Evaluator& evaluator, const Arguments& arguments, Value* result) noexcept {
  Items items;
  Keyed* keyed;
  LINNET_TRY(evaluator.items_of(arguments.self, &items));
  LINNET_TRY(keyed_items(evaluator, items, arguments.bound[2], is_true(arguments.bound[1]), &keyed));
  LINNET_TRY(sort_keyed(evaluator, &keyed, items.size, is_true(arguments.bound[0])));
  LINNET_TRY(evaluator.new_list(ListKind::list, items.size, arguments.self.data, result));
  for (size_t i = 0; i < items.size; ++i) result->list->items[i] = keyed[i].value;
  return {};
}

Status dict_sort(Evaluator& evaluator, const Arguments& arguments, Value* result) noexcept {
  if (!arguments.self.is(Kind::dict))
    return evaluator.fail("the filter 'dictsort' is for dicts, not for a value of type %s", type_name(arguments.self));
  String by;
  LINNET_TRY(evaluator.string_argument(arguments, 1, "key", &by));
  if (by.view() != "key" && by.view() != "value") return evaluator.fail("'dictsort' sorts by 'key' or by 'value'");
  Value pairs;
  LINNET_TRY(list_pairs(evaluator, *arguments.self.dict, ListKind::list, arguments.self.data, &pairs));
  const Value place = Value::of_integer(by.view() == "value");
  Keyed* keyed;
  LINNET_TRY(keyed_items(evaluator, {pairs.list->items, nullptr, pairs.list->size}, &place, is_true(arguments.bound[0]), &keyed));
  LINNET_TRY(sort_keyed(evaluator, &keyed, pairs.list->size, is_true(arguments.bound[2])));
  for (size_t i = 0; i < pairs.list->size; ++i) pairs.list->items[i] = keyed[i].value;
  *result = pairs;
  return {};
}

Status unique(Evaluator& evaluator, const Arguments& arguments, Value* result) noexcept {
  Items items;
  Keyed* keyed;
  LINNET_TRY(evaluator.items_of(arguments.self, &items));
  LINNET_TRY(keyed_items(evaluator, items, arguments.bound[1], is_true(arguments.bound[0]), &keyed));
  LINNET_TRY(evaluator.new_list(ListKind::generator, items.size, arguments.self.data, result));
  size_t count = 0;
  for (size_t i = 0; i < items.size; ++i) {
    bool seen = false;
    for (size_t j = 0; j < count && !seen; ++j) LINNET_TRY(evaluator.equal(keyed[i].key, keyed[j].key, &seen));
    if (seen) continue;
    result->list->items[count] = keyed[i].value;
    keyed[count++].key = keyed[i].key;
  }
  result->list->size = count;
  return {};
}

template <bool largest>
Status extreme(Evaluator& evaluator, const Arguments& arguments, Value* result) noexcept {
  Items items;
  Keyed* keyed;
  LINNET_TRY(evaluator.items_of(arguments.self, &items));
  if (items.size == 0) return evaluator.undefined(arguments.name, type_name(arguments.self), result);
  LINNET_TRY(keyed_items(evaluator, items, arguments.bound[1], is_true(arguments.bound[0]), &keyed));
  size_t best = 0;
  for (size_t i = 1; i < items.size; ++i) {
    bool better;
    LINNET_TRY(largest ? evaluator.less(keyed[best].key, keyed[i].key, &better) : evaluator.less(keyed[i].key, keyed[best].key, &better));
    if (better) best = i;
  }
  *result = keyed[best].value;
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
    {"sort", "reverse case_sensitive attribute", sort},
    {"dictsort", "case_sensitive by reverse", dict_sort},
    {"unique", "case_sensitive attribute", unique},
    {"min", "case_sensitive attribute", extreme<false>},
    {"max", "case_sensitive attribute", extreme<true>},
    {"sum", "attribute start", sum},
};

}  // namespace

std::span<const Builtin> list_filters() noexcept { return kFilters; }

}  // namespace linnet::text::chat
