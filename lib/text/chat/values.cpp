// Making values, and going through them.
#include <cstring>

#include "core/limits.h"
#include "text/chat/evaluator.h"
#include "text/chat/text_tools.h"

namespace linnet::text::chat {

Status Evaluator::new_string(const String& string, Value* result) noexcept {
  String* made;
  LINNET_TRY(arena_.make(1, &made));
  *made = string;
  *result = Value::of_string(made);
  return {};
}

Status Evaluator::take_string(size_t begin, Value* result) noexcept {
  const std::string_view text = cut(sink_.text(), begin, sink_.size()), marks = cut(sink_.marks(), begin, sink_.size());
  LINNET_TRY(spend_bytes(text.size()));
  String string;
  char* copy;
  LINNET_TRY(arena_.make(text.size(), &copy));
  if (!text.empty()) std::memcpy(copy, text.data(), text.size());
  string.text = copy;
  string.size = text.size();
  string.data = !marks.empty() && marks[0] != 0;
  // Most texts come from one side alone.
  if (marks.find(string.data ? '\0' : '\1') != marks.npos) {
    uint8_t* kept;
    LINNET_TRY(arena_.make(marks.size(), &kept));
    std::memcpy(kept, marks.data(), marks.size());
    string.marks = kept;
  }
  sink_.shorten(begin);
  return new_string(string, result);
}

Status Evaluator::new_list(ListKind kind, size_t size, bool data, Value* result) noexcept {
  LINNET_TRY(spend(1 + size / 8));
  List* list;
  LINNET_TRY(arena_.make(1, &list));
  list->kind = kind;
  LINNET_TRY(arena_.make(size, &list->items));
  list->size = size;
  *result = Value::of(Kind::list, data);
  result->list = list;
  return {};
}

Status Evaluator::new_dict(size_t capacity, bool data, Kind kind, Value* result) noexcept {
  Dict* dict;
  LINNET_TRY(arena_.make(1, &dict));
  LINNET_TRY(arena_.make(capacity, &dict->entries));
  dict->capacity = capacity;
  *result = Value::of(kind, data);
  result->dict = dict;
  return {};
}

Status Evaluator::from_json(const core::JsonValue& json, Value* result) noexcept {
  switch (json.kind()) {
    case core::JsonKind::null:
      *result = Value::of(Kind::none, true);
      return {};
    case core::JsonKind::boolean:
      *result = Value::of_bool(json.boolean(), true);
      return {};
    case core::JsonKind::integer:
      *result = Value::of_integer(json.integer(), true);
      return {};
    case core::JsonKind::number:
      *result = Value::of_real(json.number(), true);
      return {};
    case core::JsonKind::string:
      return new_string({json.text().data(), nullptr, json.text().size(), nullptr, true}, result);
    case core::JsonKind::array: {
      LINNET_TRY(new_list(ListKind::list, json.size(), true, result));
      Value* item = result->list->items;
      for (const core::JsonValue& child : json) LINNET_TRY(from_json(child, item++));
      return {};
    }
    case core::JsonKind::object:
      break;
  }
  LINNET_TRY(new_dict(json.size(), true, Kind::dict, result));
  for (const core::JsonValue& member : json) {
    Entry& entry = result->dict->entries[result->dict->size++];
    LINNET_TRY(new_string({member.key().data(), nullptr, member.key().size(), nullptr, true}, &entry.key));
    LINNET_TRY(from_json(member, &entry.value));
  }
  return {};
}

Status Evaluator::undefined(std::string_view name, const char* owner, Value* result) noexcept {
  Missing* missing;
  LINNET_TRY(arena_.make(1, &missing));
  *missing = {name, owner};
  *result = Value::of(Kind::undefined);
  result->missing = missing;
  return {};
}

Status Evaluator::fail_undefined(const Value& value) noexcept {
  if (!value.missing) return fail("a value is undefined");
  const auto length = static_cast<int>(value.missing->name.size() < 100 ? value.missing->name.size() : 100);
  if (!value.missing->owner) return fail("'%.*s' is undefined", length, value.missing->name.data());
  return fail("a %s has no attribute '%.*s'", value.missing->owner, length, value.missing->name.data());
}

Status Evaluator::find(const Dict& dict, const Value& key, Value** found) noexcept {
  *found = nullptr;
  LINNET_TRY(spend(1 + dict.size / 8));
  for (size_t i = 0; i < dict.size; ++i) {
    Entry& entry = dict.entries[i];
    bool same;
    LINNET_TRY(equal(key, entry.key, &same));
    if (!same) continue;
    *found = &entry.value;
    return {};
  }
  return {};
}

Status Evaluator::insert(Dict* dict, const Value& key, const Value& value) noexcept {
  if (key.is(Kind::dict) || (key.is(Kind::list) && key.list->kind != ListKind::tuple)) return fail("a list or dict cannot be a key");
  Value* found;
  LINNET_TRY(find(*dict, key, &found));
  if (found) {
    *found = value;
    return {};
  }
  if (dict->size == dict->capacity) {
    Entry* grown;
    const size_t capacity = dict->capacity ? dict->capacity * 2 : 4;
    LINNET_TRY(arena_.make(capacity, &grown));
    for (size_t i = 0; i < dict->size; ++i) grown[i] = dict->entries[i];
    dict->entries = grown;
    dict->capacity = capacity;
  }
  dict->entries[dict->size++] = {key, value};
  return {};
}

Status Evaluator::items_of(const Value& value, Items* items) noexcept {
  *items = {};
  switch (value.kind) {
    case Kind::undefined:
      return {};
    case Kind::list:
      *items = {value.list->items, nullptr, value.list->size};
      if (value.list->kind == ListKind::generator) value.list->size = 0;  // gone through once
      return {};
    case Kind::range:
      *items = {nullptr, value.range, value.range->size};
      return {};
    case Kind::dict: {
      Value* keys;
      LINNET_TRY(spend(1 + value.dict->size / 8));
      LINNET_TRY(arena_.make(value.dict->size, &keys));
      for (size_t i = 0; i < value.dict->size; ++i) keys[i] = value.dict->entries[i].key;
      *items = {keys, nullptr, value.dict->size};
      return {};
    }
    case Kind::string: {
      const String& string = *value.string;
      const size_t count = count_characters(string.view());
      Value* characters;
      LINNET_TRY(spend(1 + count / 4));
      LINNET_TRY(arena_.make(count, &characters));
      for (size_t at = 0, i = 0; i < count; ++i) {
        const size_t end = at + decode(string.view(), at).length;
        LINNET_TRY(new_string(string.part(at, end), &characters[i]));
        at = end;
      }
      *items = {characters, nullptr, count};
      return {};
    }
    default:
      return fail("a value of type %s cannot be gone through", type_name(value));
  }
}

Status Evaluator::concat(const String& first, const String& second, Value* result) noexcept {
  if (second.size == 0) return new_string(first, result);
  if (first.size == 0) return new_string(second, result);
  LINNET_TRY(spend_bytes(second.size));
  TextBlock* block = first.block;
  const bool grows = block && first.text + first.size == block->text + block->used && block->capacity - block->used >= second.size;
  if (!grows) {
    // A text that grows for the second time will go on growing.
    const size_t size = first.size + second.size;
    LINNET_TRY(spend_bytes(first.size));
    LINNET_TRY(arena_.make(1, &block));
    block->capacity = first.block ? size * 2 : size + 64;
    LINNET_TRY(arena_.make(block->capacity, &block->text));
    LINNET_TRY(arena_.make(block->capacity, &block->marks));
    std::memcpy(block->text, first.text, first.size);
    for (size_t i = 0; i < first.size; ++i) block->marks[i] = first.is_data(i);
    block->used = first.size;
  }
  const size_t begin = block->used - first.size;
  std::memcpy(block->text + block->used, second.text, second.size);
  for (size_t i = 0; i < second.size; ++i) block->marks[block->used + i] = second.is_data(i);
  block->used += second.size;
  return new_string({block->text + begin, block->marks + begin, first.size + second.size, block, false}, result);
}

Status Evaluator::search(std::string_view text, std::string_view what, size_t from, size_t* found) noexcept {
  *found = std::string_view::npos;
  if (what.size() > text.size() || from > text.size() - what.size()) return {};
  if (what.empty()) {
    *found = from;
    return {};
  }
  size_t at = from, compared = 0;
  for (const size_t last = text.size() - what.size(); at <= last; ++at) {
    const void* next = std::memchr(text.data() + at, what[0], last - at + 1);
    if (!next) break;
    at = static_cast<size_t>(static_cast<const char*>(next) - text.data());
    size_t same = 1;
    while (same < what.size() && text[at + same] == what[same]) ++same;
    if (same == what.size()) {
      *found = at;
      break;
    }
    // Texts that are alike for long would take long: that is counted while it happens.
    compared += same;
    if (compared > 4096) {
      LINNET_TRY(spend_bytes(compared));
      compared = 0;
    }
  }
  return spend_bytes(compared + (*found == std::string_view::npos ? text.size() : *found) - from);
}

const char* type_name(const Value& value) noexcept {
  constexpr const char* kNames[] = {"undefined value", "none",      "bool", "int",   "float",    "str",   "list", "dict",
                                    "range",           "namespace", "loop", "macro", "function", "method"};
  constexpr const char* kLists[] = {"list", "tuple", "generator", "dict_keys", "dict_values", "dict_items"};
  return value.is(Kind::list) ? kLists[static_cast<size_t>(value.list->kind)] : kNames[static_cast<size_t>(value.kind)];
}

}  // namespace linnet::text::chat
