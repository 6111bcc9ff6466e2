// Attributes, items and slices.
#include "text/chat/evaluator.h"
#include "text/chat/text_tools.h"

namespace linnet::text::chat {
namespace {

// The place that an index means, counted from the end where negative; false outside.
bool place_of(int64_t index, size_t size, size_t* place) {
  if (index < 0) index += static_cast<int64_t>(size);
  *place = static_cast<size_t>(index);
  return index >= 0 && *place < size;
}

// Bounds as Python's slice.indices gives them.
struct Bounds {
  int64_t start, stop, step;
  size_t count() const {
    if (step > 0) return start < stop ? static_cast<size_t>((stop - start - 1) / step + 1) : 0;
    return start > stop ? static_cast<size_t>((start - stop - 1) / -step + 1) : 0;
  }
};

int64_t clamped(int64_t bound, int64_t size, int64_t least, int64_t most) {
  if (bound < 0) bound += size;  // cannot overflow: size >= 0
  return bound < least ? least : bound > most ? most : bound;
}

}  // namespace

// A method or attribute of the value's type counts before a key of that name.
Status Evaluator::attribute(const Value& object, std::string_view name, Value* result) noexcept {
  if (object.is(Kind::undefined)) return fail_undefined(object);
  bool known = false;
  LINNET_TRY(method_of(object, name, &known, result));
  if (known) return {};
  if (object.is(Kind::loop)) return loop_attribute(object, name, result);
  if (object.is(Kind::list) && object.list->is_group && (name == "grouper" || name == "list")) {
    *result = object.list->items[name == "grouper" ? 0 : 1];
    return {};
  }
  if (object.is(Kind::dict) || object.is(Kind::space)) {
    const String text{name.data(), nullptr, name.size(), nullptr, false};
    Value* found;
    LINNET_TRY(find(*object.dict, Value::of_string(&text), &found));
    if (found) {
      *result = *found;
      return {};
    }
  }
  return undefined(name, type_name(object), result);
}

Status Evaluator::method_of(const Value& object, std::string_view name, bool* known, Value* result) noexcept {
  const Builtin* builtin = object.is(Kind::string)                                         ? find_string_method(name, known)
                           : object.is(Kind::dict)                                         ? find_dict_method(name, known)
                           : object.is(Kind::list) && object.list->kind <= ListKind::tuple ? find_list_method(name, known)
                           : object.is(Kind::loop)                                         ? find_loop_method(name, known)
                                                                                           : nullptr;
  if (!*known) return {};
  Method* method;
  LINNET_TRY(arena_.make(1, &method));
  *method = {object, builtin, name};
  *result = Value::of(Kind::method);
  result->method = method;
  return {};
}

// An item counts before an attribute of that name.
Status Evaluator::item(const Value& object, const Value& index, Value* result) noexcept {
  if (object.is(Kind::undefined)) return fail_undefined(object);
  const bool whole = index.is(Kind::integer) || index.is(Kind::boolean);
  size_t place;
  if (object.is(Kind::dict)) {
    Value* found;
    LINNET_TRY(find(*object.dict, index, &found));
    if (found) {
      *result = *found;
      return {};
    }
  } else if (whole && object.is(Kind::list) && object.list->kind <= ListKind::tuple) {
    if (place_of(index.as_integer(), object.list->size, &place)) {
      *result = object.list->items[place];
      return {};
    }
  } else if (whole && object.is(Kind::range)) {
    if (place_of(index.as_integer(), object.range->size, &place)) {
      *result = object.range->at(place);
      return {};
    }
  } else if (whole && object.is(Kind::string)) {
    LINNET_TRY(spend_bytes(object.string->size));
    if (place_of(index.as_integer(), count_characters(object.text()), &place)) {
      const size_t begin = advance(object.text(), 0, place);
      return new_string(object.string->part(begin, advance(object.text(), begin, 1)), result);
    }
  }
  if (index.is(Kind::string)) {
    if (!object.is(Kind::dict)) return attribute(object, index.text(), result);
    bool known = false;
    LINNET_TRY(method_of(object, index.text(), &known, result));
    return known ? Status() : undefined(index.text(), type_name(object), result);
  }
  const String* text;
  LINNET_TRY(text_of(index, &text));
  return undefined(text->view(), type_name(object), result);
}

Status Evaluator::slice(const Value& object, const Value (&given)[3], Value* result) noexcept {
  if (object.is(Kind::undefined)) return fail_undefined(object);
  const bool sliced = object.is(Kind::string) || object.is(Kind::range) || (object.is(Kind::list) && object.list->kind <= ListKind::tuple);
  if (!sliced) return fail("a value of type %s cannot be sliced", type_name(object));
  for (const Value& bound : given)
    if (!bound.is(Kind::none) && !bound.is(Kind::integer) && !bound.is(Kind::boolean))
      return bound.is(Kind::undefined) ? fail_undefined(bound) : fail("a slice with a bound that is no whole number");
  const bool is_string = object.is(Kind::string);
  if (is_string) LINNET_TRY(spend_bytes(object.string->size * 2));
  const auto size = static_cast<int64_t>(is_string                ? count_characters(object.text())
                                         : object.is(Kind::range) ? object.range->size
                                                                  : object.list->size);
  Bounds bounds{0, 0, given[2].is(Kind::none) ? 1 : given[2].as_integer()};
  if (bounds.step == 0) return fail("a slice with step 0");
  if (bounds.step == INT64_MIN) ++bounds.step;
  const bool forward = bounds.step > 0;
  const int64_t least = forward ? 0 : -1, most = forward ? size : size - 1;
  bounds.start = given[0].is(Kind::none) ? (forward ? 0 : most) : clamped(given[0].as_integer(), size, least, most);
  bounds.stop = given[1].is(Kind::none) ? (forward ? size : -1) : clamped(given[1].as_integer(), size, least, most);
  const size_t count = bounds.count();
  if (is_string) return slice_string(*object.string, bounds.start, bounds.step, count, result);
  if (object.is(Kind::range)) return slice_range(*object.range, bounds.start, bounds.stop, bounds.step, count, result);
  LINNET_TRY(new_list(object.list->kind, count, object.data, result));
  for (size_t i = 0; i < count; ++i)
    result->list->items[i] = object.list->items[static_cast<size_t>(bounds.start + bounds.step * static_cast<int64_t>(i))];
  return {};
}

// A part of a range is a range, with the ends that Python gives it.
Status Evaluator::slice_range(const Range& range, int64_t start, int64_t stop, int64_t step, size_t count, Value* result) noexcept {
  Range part{0, 0, 0, count};
  const auto place = [&](int64_t at, int64_t* value) {
    return !__builtin_mul_overflow(range.step, at, value) && !__builtin_add_overflow(range.start, *value, value);
  };
  if (!place(start, &part.start) || !place(stop, &part.stop) || __builtin_mul_overflow(range.step, step, &part.step))
    return fail("a whole number does not fit into 64 bits");
  Range* made;
  LINNET_TRY(arena_.make(1, &made));
  *made = part;
  *result = Value::of(Kind::range);
  result->range = made;
  return {};
}

Status Evaluator::slice_string(const String& string, int64_t start, int64_t step, size_t count, Value* result) noexcept {
  const std::string_view text = string.view();
  if (count == 0) return new_string({}, result);
  size_t at = advance(text, 0, static_cast<size_t>(start));
  if (step == 1) return new_string(string.part(at, advance(text, at, count)), result);
  const size_t begin = sink_.size();
  while (true) {
    LINNET_TRY(sink_.append(string.part(at, at + decode(text, at).length)));
    if (--count == 0) break;
    if (step > 0)
      at = advance(text, at, static_cast<size_t>(step));
    else
      for (int64_t back = step; back < 0; ++back) at = previous(text, at);
  }
  return take_string(begin, result);
}

Status Evaluator::loop_attribute(const Value& value, std::string_view name, Value* result) noexcept {
  const Loop& loop = *value.loop;
  const auto index = static_cast<int64_t>(loop.index), length = static_cast<int64_t>(loop.items.size);
  const struct {
    std::string_view name;
    int64_t number;
  } numbers[] = {{"index", index + 1}, {"index0", index},     {"revindex", length - index},       {"revindex0", length - index - 1},
                 {"length", length},   {"depth", loop.depth}, {"depth0", int64_t{loop.depth} - 1}};
  for (const auto& number : numbers)
    if (number.name == name) {
      *result = Value::of_integer(number.number);
      return {};
    }
  if (name == "first" || name == "last") {
    *result = Value::of_bool(name == "first" ? index == 0 : index + 1 == length);
    return {};
  }
  if (name == "previtem" && index > 0) {
    *result = loop.items.at(loop.index - 1);
    return {};
  }
  if (name == "nextitem" && index + 1 < length) {
    *result = loop.items.at(loop.index + 1);
    return {};
  }
  return undefined(name, "loop", result);
}

}  // namespace linnet::text::chat
