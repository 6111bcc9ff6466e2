// What stands behind "is".
#include "text/chat/evaluator.h"
#include "text/chat/text_tools.h"

namespace linnet::text::chat {
namespace {

template <bool (*holds)(const Value& value)>
Status of_kind(Evaluator&, const Arguments& arguments, Value* result) noexcept {
  *result = Value::of_bool(holds(arguments.self));
  return {};
}

bool is_defined(const Value& value) { return !value.is(Kind::undefined); }
bool is_undefined(const Value& value) { return value.is(Kind::undefined); }
bool is_none(const Value& value) { return value.is(Kind::none); }
bool is_string(const Value& value) { return value.is(Kind::string); }
bool is_mapping(const Value& value) { return value.is(Kind::dict); }
bool is_number(const Value& value) { return value.is_number(); }
bool is_integer(const Value& value) { return value.is(Kind::integer); }
bool is_real(const Value& value) { return value.is(Kind::real); }
bool is_boolean(const Value& value) { return value.is(Kind::boolean); }
bool is_true(const Value& value) { return value.is(Kind::boolean) && value.boolean; }
bool is_false(const Value& value) { return value.is(Kind::boolean) && !value.boolean; }
bool is_callable(const Value& value) {
  return value.is(Kind::macro) || value.is(Kind::function) || value.is(Kind::method) || value.is(Kind::loop) || value.is(Kind::undefined);
}
bool is_iterable(const Value& value) {
  return value.is(Kind::undefined) || value.is(Kind::string) || value.is(Kind::list) || value.is(Kind::dict) || value.is(Kind::range);
}
bool is_sequence(const Value& value) { return is_iterable(value) && !(value.is(Kind::list) && value.list->kind > ListKind::tuple); }
bool is_never(const Value&) { return false; }

// All letters of one case, and at least one of them.
template <uint16_t wanted, uint16_t unwanted>
Status in_case(Evaluator& evaluator, const Arguments& arguments, Value* result) noexcept {
  const String* text;
  LINNET_TRY(evaluator.text_of(arguments.self, &text));
  LINNET_TRY(evaluator.spend_bytes(text->size));
  bool some = false, none = true;
  for (size_t at = 0; at < text->size;) {
    const Point point = decode(text->view(), at);
    some |= (classes(point.code) & wanted) != 0;
    none &= (classes(point.code) & unwanted) == 0;
    at += point.length;
  }
  *result = Value::of_bool(some && none);
  return {};
}

template <Operator op>
Status compared(Evaluator& evaluator, const Arguments& arguments, Value* result) noexcept {
  if (!arguments.bound[0])
    return evaluator.fail("the test '%.*s' needs a value", static_cast<int>(arguments.name.size()), arguments.name.data());
  bool holds;
  LINNET_TRY(evaluator.compare(op, arguments.self, *arguments.bound[0], &holds));
  *result = Value::of_bool(holds);
  return {};
}

Status same_as(Evaluator& evaluator, const Arguments& arguments, Value* result) noexcept {
  if (!arguments.bound[0]) return evaluator.fail("the test 'sameas' needs a value");
  const Value& other = *arguments.bound[0];
  bool same = arguments.self.kind == other.kind;
  if (same && (other.is(Kind::list) || other.is(Kind::dict)))
    same = arguments.self.list == other.list && arguments.self.dict == other.dict;
  else if (same)
    LINNET_TRY(evaluator.equal(arguments.self, other, &same));
  *result = Value::of_bool(same);
  return {};
}

Status divisible(Evaluator& evaluator, const Value& value, const Value& by, int64_t rest, Value* result) {
  Value modulo;
  bool same;
  LINNET_TRY(evaluator.operate(Operator::modulo, value, by, &modulo));
  LINNET_TRY(evaluator.equal(modulo, Value::of_integer(rest), &same));
  *result = Value::of_bool(same);
  return {};
}

template <int64_t rest>
Status parity(Evaluator& evaluator, const Arguments& arguments, Value* result) noexcept {
  return divisible(evaluator, arguments.self, Value::of_integer(2), rest, result);
}

Status divisible_by(Evaluator& evaluator, const Arguments& arguments, Value* result) noexcept {
  if (!arguments.bound[0]) return evaluator.fail("the test 'divisibleby' needs a number");
  return divisible(evaluator, arguments.self, *arguments.bound[0], 0, result);
}

Status names_filter(Evaluator&, const Arguments& arguments, Value* result) noexcept {
  *result = Value::of_bool(find_filter(arguments.self.text()) != nullptr);
  return {};
}

Status names_test(Evaluator&, const Arguments& arguments, Value* result) noexcept {
  *result = Value::of_bool(find_test(arguments.self.text()) != nullptr);
  return {};
}

constexpr Builtin kTests[] = {
    {"defined", "", of_kind<is_defined>},
    {"undefined", "", of_kind<is_undefined>},
    {"none", "", of_kind<is_none>},
    {"string", "", of_kind<is_string>},
    {"mapping", "", of_kind<is_mapping>},
    {"iterable", "", of_kind<is_iterable>},
    {"sequence", "", of_kind<is_sequence>},
    {"number", "", of_kind<is_number>},
    {"integer", "", of_kind<is_integer>},
    {"float", "", of_kind<is_real>},
    {"boolean", "", of_kind<is_boolean>},
    {"true", "", of_kind<is_true>},
    {"false", "", of_kind<is_false>},
    {"callable", "", of_kind<is_callable>},
    {"escaped", "", of_kind<is_never>},
    {"upper", "", in_case<kUpper, kLower>},
    {"lower", "", in_case<kLower, kUpper>},
    {"equalto", "other", compared<Operator::equal>},
    {"eq", "other", compared<Operator::equal>},
    {"ne", "other", compared<Operator::unequal>},
    {"lt", "other", compared<Operator::less>},
    {"lessthan", "other", compared<Operator::less>},
    {"le", "other", compared<Operator::less_equal>},
    {"gt", "other", compared<Operator::greater>},
    {"greaterthan", "other", compared<Operator::greater>},
    {"ge", "other", compared<Operator::greater_equal>},
    {"==", "other", compared<Operator::equal>},
    {"!=", "other", compared<Operator::unequal>},
    {"<", "other", compared<Operator::less>},
    {"<=", "other", compared<Operator::less_equal>},
    {">", "other", compared<Operator::greater>},
    {">=", "other", compared<Operator::greater_equal>},
    {"in", "seq", compared<Operator::in>},
    {"sameas", "other", same_as},
    {"even", "", parity<0>},
    {"odd", "", parity<1>},
    {"divisibleby", "num", divisible_by},
    {"filter", "", names_filter},
    {"test", "", names_test},
};

}  // namespace

const Builtin* find_test(std::string_view name) noexcept { return find_builtin(kTests, name); }

}  // namespace linnet::text::chat
