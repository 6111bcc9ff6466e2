// map, select and reject: filters that apply other filters and tests to every item.
#include "text/chat/attribute_path.h"
#include "text/chat/text_edit.h"

namespace linnet::text::chat {
namespace {

Status fail_unknown(const char* kind, std::string_view name) {
  return Status::error(Code::unsupported, "chat template: the %s '%.*s' is not supported", kind,
                       static_cast<int>(name.size() < 60 ? name.size() : 60), name.data());
}

const Value* named(const Arguments& arguments, std::string_view name) {
  for (const NamedValue& value : arguments.named)
    if (value.name == name) return &value.value;
  return nullptr;
}

// map('upper'), map('join', ', '), map(attribute='role', default='')
Status map(Evaluator& evaluator, const Arguments& arguments, Value* result) noexcept {
  Items items;
  LINNET_TRY(evaluator.items_of(arguments.self, &items));
  LINNET_TRY(evaluator.new_list(ListKind::generator, items.size, arguments.self.data, result));
  if (arguments.values.empty()) {
    const Value *attribute = named(arguments, "attribute"), *fallback = named(arguments, "default");
    if (!attribute) return evaluator.fail("'map' needs a filter or an attribute");
    for (size_t i = 0; i < items.size; ++i) LINNET_TRY(follow_path(evaluator, items.at(i), *attribute, fallback, &result->list->items[i]));
    return {};
  }
  const std::string_view name = arguments.values[0].text();
  const Builtin* filter = find_filter(name);
  if (!filter) return fail_unknown("filter", name);
  for (size_t i = 0; i < items.size; ++i)
    LINNET_TRY(evaluator.call_builtin(*filter, items.at(i), arguments.values.subspan(1), arguments.named, &result->list->items[i]));
  return {};
}

// select('defined'), selectattr('role', 'equalto', 'user')
template <bool by_attribute, bool keeps>
Status select(Evaluator& evaluator, const Arguments& arguments, Value* result) noexcept {
  constexpr size_t kName = by_attribute ? 1 : 0;
  if (arguments.values.size() < kName) return evaluator.fail("'%s' needs an attribute", keeps ? "selectattr" : "rejectattr");
  const Builtin* test = nullptr;
  std::span<const Value> rest;
  if (arguments.values.size() > kName) {
    const std::string_view name = arguments.values[kName].text();
    test = find_test(name);
    if (!test) return fail_unknown("test", name);
    rest = arguments.values.subspan(kName + 1);
  }
  Items items;
  LINNET_TRY(evaluator.items_of(arguments.self, &items));
  ListBuilder kept;
  for (size_t i = 0; i < items.size; ++i) {
    Value value = items.at(i), holds;
    LINNET_TRY(evaluator.spend(1));
    if (by_attribute) LINNET_TRY(follow_path(evaluator, items.at(i), arguments.values[0], nullptr, &value));
    if (test)
      LINNET_TRY(evaluator.call_builtin(*test, value, rest, arguments.named, &holds));
    else
      holds = value;
    if (Evaluator::truth(holds) == keeps) LINNET_TRY(kept.add(items.at(i)));
  }
  return kept.finish(evaluator, ListKind::generator, arguments.self.data, result);
}

constexpr Builtin kFilters[] = {
    {"map", "?", map},
    {"select", "?", select<false, true>},
    {"reject", "?", select<false, false>},
    {"selectattr", "?", select<true, true>},
    {"rejectattr", "?", select<true, false>},
};

}  // namespace

std::span<const Builtin> select_filters() noexcept { return kFilters; }

}  // namespace linnet::text::chat
