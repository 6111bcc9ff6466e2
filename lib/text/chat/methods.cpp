// Methods of dicts, lists and loops. What the reference's types have besides is known by name: asking for it is no access to a key.
#include "text/chat/attribute_path.h"
#include "text/chat/text_tools.h"

namespace linnet::text::chat {
namespace {

Status get(Evaluator& evaluator, const Arguments& arguments, Value* result) noexcept {
  if (!arguments.bound[0]) return evaluator.fail("'get' without a key");
  Value* found;
  LINNET_TRY(evaluator.find(*arguments.self.dict, *arguments.bound[0], &found));
  *result = found ? *found : arguments.bound[1] ? *arguments.bound[1] : Value::none();
  return {};
}

template <ListKind kind>
Status view(Evaluator& evaluator, const Arguments& arguments, Value* result) noexcept {
  const Dict& dict = *arguments.self.dict;
  if (kind == ListKind::items) return list_pairs(evaluator, dict, kind, arguments.self.data, result);
  LINNET_TRY(evaluator.new_list(kind, dict.size, arguments.self.data, result));
  for (size_t i = 0; i < dict.size; ++i) result->list->items[i] = kind == ListKind::keys ? dict.entries[i].key : dict.entries[i].value;
  return {};
}

Status copy_dict(Evaluator& evaluator, const Arguments& arguments, Value* result) noexcept {
  const Dict& dict = *arguments.self.dict;
  LINNET_TRY(evaluator.spend(1 + dict.size / 8));
  LINNET_TRY(evaluator.new_dict(dict.size, arguments.self.data, Kind::dict, result));
  for (size_t i = 0; i < dict.size; ++i) result->dict->entries[i] = dict.entries[i];
  result->dict->size = dict.size;
  return {};
}

Status copy_list(Evaluator& evaluator, const Arguments& arguments, Value* result) noexcept {
  const List& list = *arguments.self.list;
  LINNET_TRY(evaluator.new_list(list.kind, list.size, arguments.self.data, result));
  for (size_t i = 0; i < list.size; ++i) result->list->items[i] = list.items[i];
  return {};
}

Status index_of(Evaluator& evaluator, const Arguments& arguments, Value* result) noexcept {
  if (!arguments.bound[0]) return evaluator.fail("'index' without a value");
  for (size_t i = 0; i < arguments.self.list->size; ++i) {
    bool same;
    LINNET_TRY(evaluator.equal(arguments.self.list->items[i], *arguments.bound[0], &same));
    if (!same) continue;
    *result = Value::of_integer(static_cast<int64_t>(i));
    return {};
  }
  return evaluator.fail("'index' of a value that is not in the list");
}

Status count_of(Evaluator& evaluator, const Arguments& arguments, Value* result) noexcept {
  if (!arguments.bound[0]) return evaluator.fail("'count' without a value");
  int64_t count = 0;
  for (size_t i = 0; i < arguments.self.list->size; ++i) {
    bool same;
    LINNET_TRY(evaluator.equal(arguments.self.list->items[i], *arguments.bound[0], &same));
    count += same;
  }
  *result = Value::of_integer(count);
  return {};
}

Status cycle(Evaluator& evaluator, const Arguments& arguments, Value* result) noexcept {
  if (arguments.values.empty()) return evaluator.fail("'cycle' without values");
  *result = arguments.values[arguments.self.loop->index % arguments.values.size()];
  return {};
}

// Whether the values are others than in the last call.
Status changed(Evaluator& evaluator, const Arguments& arguments, Value* result) noexcept {
  Loop& loop = *arguments.self.loop;
  Value values;
  LINNET_TRY(evaluator.new_list(ListKind::tuple, arguments.values.size(), false, &values));
  for (size_t i = 0; i < arguments.values.size(); ++i) values.list->items[i] = arguments.values[i];
  bool same = false;
  if (loop.has_changed) LINNET_TRY(evaluator.equal(values, loop.changed, &same));
  loop.changed = values;
  loop.has_changed = true;
  *result = Value::of_bool(!same);
  return {};
}

constexpr Builtin kDict[] = {
    {"get", "key default", get},
    {"keys", "", view<ListKind::keys>},
    {"values", "", view<ListKind::values>},
    {"items", "", view<ListKind::items>},
    {"copy", "", copy_dict},
};
constexpr Builtin kList[] = {{"index", "value", index_of}, {"count", "value", count_of}, {"copy", "", copy_list}};
constexpr Builtin kLoop[] = {{"cycle", "?", cycle}, {"changed", "?", changed}};

}  // namespace

const Builtin* find_dict_method(std::string_view name, bool* known) noexcept {
  const Builtin* found = find_builtin(kDict, name);
  *known = found || is_among(name, "clear fromkeys pop popitem setdefault update");
  return found;
}

const Builtin* find_list_method(std::string_view name, bool* known) noexcept {
  const Builtin* found = find_builtin(kList, name);
  *known = found || is_among(name, "append clear extend insert pop remove reverse sort");
  return found;
}

const Builtin* find_loop_method(std::string_view name, bool* known) noexcept {
  const Builtin* found = find_builtin(kLoop, name);
  *known = found != nullptr;
  return found;
}

}  // namespace linnet::text::chat
