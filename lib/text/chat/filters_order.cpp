// Filters that compare the items of a list: order, the same only once, the least and the largest, groups.
#include <algorithm>

#include "text/chat/attribute_path.h"
#include "text/chat/text_edit.h"

namespace linnet::text::chat {
namespace {

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

// What values are ordered or told apart by: an attribute of theirs, without difference of case unless that is asked for.
struct KeyRule {
  const Value* attribute;  // null: the value itself
  bool case_sensitive;
  const Value* fallback = nullptr;  // for attributes that are undefined
  bool several = false;             // of names with commas between them, a list of all
};

bool is_given(const Value* value) { return value && !value->is(Kind::none); }

Status key_of(Evaluator& evaluator, const Value& value, const KeyRule& rule, const Value& attribute, Value* key) {
  LINNET_TRY(follow_path(evaluator, value, attribute, rule.fallback, key));
  if (key->is(Kind::string) && !rule.case_sensitive) return change_case(evaluator, *key->string, Case::lower, key);
  return {};
}

Status key_of(Evaluator& evaluator, const Value& value, const KeyRule& rule, Value* key) {
  if (!is_given(rule.attribute)) {
    *key = value;
    return key->is(Kind::string) && !rule.case_sensitive ? change_case(evaluator, *key->string, Case::lower, key) : Status();
  }
  if (!rule.several) return key_of(evaluator, value, rule, *rule.attribute, key);
  const std::string_view names = rule.attribute->text();
  LINNET_TRY(evaluator.new_list(ListKind::list, 1 + static_cast<size_t>(std::count(names.begin(), names.end(), ',')), false, key));
  for (size_t i = 0, begin = 0; i < key->list->size; ++i) {
    Value name = *rule.attribute;
    const size_t end = std::min(names.find(',', begin), names.size());
    if (name.is(Kind::string)) LINNET_TRY(evaluator.new_string(name.string->part(begin, end), &name));
    LINNET_TRY(key_of(evaluator, value, rule, name, &key->list->items[i]));
    begin = end + 1;
  }
  return {};
}

Status keyed_items(Evaluator& evaluator, const Items& items, const KeyRule& rule, Keyed** keyed) {
  LINNET_TRY(evaluator.arena().make(items.size, keyed));
  for (size_t i = 0; i < items.size; ++i) {
    (*keyed)[i].value = items.at(i);
    LINNET_TRY(key_of(evaluator, items.at(i), rule, &(*keyed)[i].key));
  }
  return {};
}

Status sort(Evaluator& evaluator, const Arguments& arguments, Value* result) noexcept {
  Items items;
  Keyed* keyed;
  LINNET_TRY(evaluator.items_of(arguments.self, &items));
  LINNET_TRY(keyed_items(evaluator, items, {arguments.bound[2], is_true(arguments.bound[1]), nullptr, true}, &keyed));
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
  LINNET_TRY(keyed_items(evaluator, {pairs.list->items, nullptr, pairs.list->size}, {&place, is_true(arguments.bound[0])}, &keyed));
  LINNET_TRY(sort_keyed(evaluator, &keyed, pairs.list->size, is_true(arguments.bound[2])));
  for (size_t i = 0; i < pairs.list->size; ++i) pairs.list->items[i] = keyed[i].value;
  *result = pairs;
  return {};
}

Status unique(Evaluator& evaluator, const Arguments& arguments, Value* result) noexcept {
  Items items;
  Keyed* keyed;
  LINNET_TRY(evaluator.items_of(arguments.self, &items));
  LINNET_TRY(keyed_items(evaluator, items, {arguments.bound[1], is_true(arguments.bound[0])}, &keyed));
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
  LINNET_TRY(keyed_items(evaluator, items, {arguments.bound[1], is_true(arguments.bound[0])}, &keyed));
  size_t best = 0;
  for (size_t i = 1; i < items.size; ++i) {
    bool better;
    LINNET_TRY(largest ? evaluator.less(keyed[best].key, keyed[i].key, &better) : evaluator.less(keyed[i].key, keyed[best].key, &better));
    if (better) best = i;
  }
  *result = keyed[best].value;
  return {};
}

// Pairs of a key and the list of those that have it, in the order of the keys. They are also read as .grouper and .list.
Status group_by(Evaluator& evaluator, const Arguments& arguments, Value* result) noexcept {
  if (!is_given(arguments.bound[0])) return evaluator.fail("'groupby' needs an attribute");
  const KeyRule rule{arguments.bound[0], is_true(arguments.bound[2]), is_given(arguments.bound[1]) ? arguments.bound[1] : nullptr};
  Items items;
  Keyed* keyed;
  LINNET_TRY(evaluator.items_of(arguments.self, &items));
  LINNET_TRY(keyed_items(evaluator, items, rule, &keyed));
  LINNET_TRY(sort_keyed(evaluator, &keyed, items.size, false));
  ListBuilder groups;
  for (size_t begin = 0, end; begin < items.size; begin = end) {
    bool same = true;
    for (end = begin + 1; end < items.size; ++end) {
      LINNET_TRY(evaluator.equal(keyed[begin].key, keyed[end].key, &same));
      if (!same) break;
    }
    Value group, members;
    LINNET_TRY(evaluator.new_list(ListKind::list, end - begin, arguments.self.data, &members));
    for (size_t i = begin; i < end; ++i) members.list->items[i - begin] = keyed[i].value;
    LINNET_TRY(evaluator.new_list(ListKind::tuple, 2, arguments.self.data, &group));
    group.list->is_group = true;
    // The key as the first of them writes it.
    LINNET_TRY(follow_path(evaluator, keyed[begin].value, *rule.attribute, rule.fallback, &group.list->items[0]));
    group.list->items[1] = members;
    LINNET_TRY(groups.add(group));
  }
  return groups.finish(evaluator, ListKind::list, arguments.self.data, result);
}

constexpr Builtin kFilters[] = {
    {"sort", "reverse case_sensitive attribute", sort}, {"dictsort", "case_sensitive by reverse", dict_sort},
    {"unique", "case_sensitive attribute", unique},     {"min", "case_sensitive attribute", extreme<false>},
    {"max", "case_sensitive attribute", extreme<true>}, {"groupby", "attribute default case_sensitive", group_by},
};

}  // namespace

std::span<const Builtin> order_filters() noexcept { return kFilters; }

}  // namespace linnet::text::chat
