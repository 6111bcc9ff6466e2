#include "text/chat/attribute_path.h"

#include "text/chat/numbers.h"
#include "text/chat/text_tools.h"

namespace linnet::text::chat {

Status follow_path(Evaluator& evaluator, const Value& value, const Value& path, const Value* fallback, Value* result) noexcept {
  if (!path.is(Kind::string)) return evaluator.item(value, path, result);
  std::string_view rest = path.text();
  Value at = value;
  for (bool more = true; more;) {
    const size_t point = rest.find('.');
    more = point != rest.npos;
    const std::string_view name = cut(rest, 0, more ? point : rest.size());
    Value index, next;
    int64_t number;
    const bool whole = !name.empty() && name.find_first_not_of("0123456789") == name.npos && integer_from(name, 10, &number);
    if (whole)
      index = Value::of_integer(number);
    else
      LINNET_TRY(evaluator.new_string({name.data(), nullptr, name.size(), nullptr, false}, &index));
    LINNET_TRY(evaluator.item(at, index, &next));
    at = next.is(Kind::undefined) && fallback ? *fallback : next;
    rest = cut(rest, more ? point + 1 : rest.size(), rest.size());
  }
  *result = at;
  return {};
}

Status list_pairs(Evaluator& evaluator, const Dict& dict, ListKind kind, bool data, Value* result) noexcept {
  LINNET_TRY(evaluator.new_list(kind, dict.size, data, result));
  for (size_t i = 0; i < dict.size; ++i) {
    LINNET_TRY(evaluator.new_list(ListKind::tuple, 2, data, &result->list->items[i]));
    result->list->items[i].list->items[0] = dict.entries[i].key;
    result->list->items[i].list->items[1] = dict.entries[i].value;
  }
  return {};
}

}  // namespace linnet::text::chat
