// Expressions.
#include <cstdarg>
#include <cstdio>

#include "core/limits.h"
#include "text/chat/evaluator.h"

namespace linnet::text::chat {

Evaluator::Evaluator(const Syntax& syntax, const DateTime* time) noexcept
    : syntax_(syntax), time_(time), arena_(core::limits::kTemplateMemory), steps_(core::limits::kTemplateSteps) {
  loop_name_ = name_of("loop");
  caller_name_ = name_of("caller");
}

// UINT32_MAX where the template does not say the name.
uint32_t Evaluator::name_of(std::string_view name) const noexcept {
  for (uint32_t i = 0; i < syntax_.names.size(); ++i)
    if (syntax_.names[i] == name) return i;
  return UINT32_MAX;
}

Status Evaluator::fail(const char* format, ...) noexcept {
  char sentence[400];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(sentence, sizeof sentence, format, arguments);
  va_end(arguments);
  return Status::error(Code::invalid_argument, "chat template, line %u: %s", line_, sentence);
}

Status Evaluator::fail_steps() noexcept { return fail("it needs more than %u steps", core::limits::kTemplateSteps); }

Status Evaluator::enter() noexcept {
  if (depth_ >= core::limits::kTemplateDepth) return fail("its macros or values are nested deeper than %u", core::limits::kTemplateDepth);
  ++depth_;
  return {};
}

Status Evaluator::evaluate(uint32_t index, Value* result) noexcept {
  const Node& expression = node(index);
  // The kinds that contain no others need no depth.
  if (expression.kind == NodeKind::constant) {
    *result = syntax_.constants[expression.constant];
    return spend(1);
  }
  line_ = expression.line;
  if (expression.kind == NodeKind::name) return evaluate_name(expression, result);
  LINNET_TRY(spend(1));
  LINNET_TRY(enter());
  Status done = evaluate_within(expression, result);
  leave();
  return done;
}

Status Evaluator::evaluate_within(const Node& expression, Value* result) noexcept {
  switch (expression.kind) {
    case NodeKind::list:
      return evaluate_list(expression, ListKind::list, result);
    case NodeKind::tuple:
      return evaluate_list(expression, ListKind::tuple, result);
    case NodeKind::dict:
      return evaluate_dict(expression, result);
    case NodeKind::attribute: {
      Value object;
      LINNET_TRY(evaluate(expression.first, &object));
      return attribute(object, syntax_.names[expression.name], result);
    }
    case NodeKind::item:
      return evaluate_item(expression, result);
    case NodeKind::call:
      return evaluate_call(expression, result);
    case NodeKind::filter:
    case NodeKind::test:
      return evaluate_builtin(expression, result);
    case NodeKind::negative:
    case NodeKind::positive:
      return evaluate_sign(expression, result);
    case NodeKind::inverse: {
      Value operand;
      LINNET_TRY(evaluate(expression.first, &operand));
      *result = Value::of_bool(!truth(operand));
      return {};
    }
    case NodeKind::arithmetic:
      return evaluate_arithmetic(expression, result);
    case NodeKind::join:
      return evaluate_join(expression, result);
    case NodeKind::compare:
      return evaluate_compare(expression, result);
    case NodeKind::conjunction:
      return evaluate_logic(expression, false, result);
    case NodeKind::disjunction:
      return evaluate_logic(expression, true, result);
    case NodeKind::conditional:
      return evaluate_conditional(expression, result);
    default:
      return fail("an expression is missing");
  }
}

Status Evaluator::evaluate_name(const Node& expression, Value* result) noexcept {
  size_t looked_at = 0;
  for (const Scope* scope = scope_; scope; scope = scope->parent) {
    looked_at += 1 + scope->size;
    for (uint32_t i = 0; i < scope->size; ++i)
      if (scope->bindings[i].name == expression.name) {
        *result = scope->bindings[i].value;
        return spend(1 + looked_at / 8);
      }
  }
  LINNET_TRY(spend(1 + looked_at / 8));
  const std::string_view name = syntax_.names[expression.name];
  if (const Builtin* function = find_function(name)) {
    *result = Value::of(Kind::function);
    result->function = function;
    return {};
  }
  if (name == "cycler" || name == "joiner" || name == "lipsum")
    return Status::error(Code::unsupported, "chat template, line %u: the function '%.*s' is not supported", line_,
                         static_cast<int>(name.size()), name.data());
  return undefined(name, nullptr, result);
}

Status Evaluator::evaluate_list(const Node& expression, ListKind kind, Value* result) noexcept {
  size_t size = 0;
  for (uint32_t child = expression.first; child; child = node(child).next) ++size;
  LINNET_TRY(new_list(kind, size, false, result));
  Value* items = result->list->items;
  for (uint32_t child = expression.first; child; child = node(child).next) LINNET_TRY(evaluate(child, items++));
  return {};
}

Status Evaluator::evaluate_dict(const Node& expression, Value* result) noexcept {
  size_t size = 0;
  for (uint32_t child = expression.first; child; child = node(child).next) ++size;
  LINNET_TRY(new_dict(size / 2, false, Kind::dict, result));
  for (uint32_t child = expression.first; child; child = node(node(child).next).next) {
    Value key, value;
    LINNET_TRY(evaluate(child, &key));
    LINNET_TRY(evaluate(node(child).next, &value));
    LINNET_TRY(insert(result->dict, key, value));
  }
  return {};
}

Status Evaluator::evaluate_item(const Node& expression, Value* result) noexcept {
  Value object;
  LINNET_TRY(evaluate(expression.first, &object));
  const Node& index = node(node(expression.first).next);
  if (index.kind != NodeKind::slice) {
    Value value;
    LINNET_TRY(evaluate(node(expression.first).next, &value));
    return item(object, value, result);
  }
  Value bounds[3];
  size_t place = 0;
  for (uint32_t child = index.first; child; child = node(child).next, ++place) {
    bounds[place] = Value::none();
    if (node(child).kind != NodeKind::absent) LINNET_TRY(evaluate(child, &bounds[place]));
  }
  return slice(object, bounds, result);
}

Status Evaluator::evaluate_sign(const Node& expression, Value* result) noexcept {
  Value operand;
  LINNET_TRY(evaluate(expression.first, &operand));
  if (operand.is(Kind::undefined)) return fail_undefined(operand);
  const bool negative = expression.kind == NodeKind::negative;
  if (!operand.is_number()) return fail("a sign before what is no number");
  if (operand.is(Kind::real)) {
    *result = Value::of_real(negative ? -operand.real : operand.real, operand.data);
    return {};
  }
  return operate(negative ? Operator::subtract : Operator::add, Value::of_integer(0), operand, result);
}

Status Evaluator::evaluate_arithmetic(const Node& expression, Value* result) noexcept {
  Value sum, operand, next;
  LINNET_TRY(evaluate(expression.first, &sum));
  for (uint32_t child = node(expression.first).next; child; child = node(child).next) {
    LINNET_TRY(evaluate(node(child).first, &operand));
    LINNET_TRY(operate(node(child).op, sum, operand, &next));
    sum = next;
  }
  *result = sum;
  return {};
}

Status Evaluator::evaluate_join(const Node& expression, Value* result) noexcept {
  Value joined;
  const String* text = nullptr;
  for (uint32_t child = expression.first; child; child = node(child).next) {
    Value operand;
    LINNET_TRY(evaluate(child, &operand));
    LINNET_TRY(text_of(operand, &text));
    if (child == expression.first)
      joined = Value::of_string(text);
    else
      LINNET_TRY(concat(*joined.string, *text, &joined));
  }
  *result = joined;
  return {};
}

// a < b < c is a < b and b < c.
Status Evaluator::evaluate_compare(const Node& expression, Value* result) noexcept {
  Value left, right;
  LINNET_TRY(evaluate(expression.first, &left));
  bool holds = true;
  for (uint32_t child = node(expression.first).next; child && holds; child = node(child).next) {
    LINNET_TRY(evaluate(node(child).first, &right));
    LINNET_TRY(compare(node(child).op, left, right, &holds));
    left = right;
  }
  *result = Value::of_bool(holds);
  return {};
}

// The first operand that decides, or the last.
Status Evaluator::evaluate_logic(const Node& expression, bool ends_on, Value* result) noexcept {
  for (uint32_t child = expression.first; child; child = node(child).next) {
    LINNET_TRY(evaluate(child, result));
    if (truth(*result) == ends_on) return {};
  }
  return {};
}

Status Evaluator::evaluate_conditional(const Node& expression, Value* result) noexcept {
  Value condition;
  LINNET_TRY(evaluate(expression.first, &condition));
  const uint32_t value = node(expression.first).next, other = node(value).next;
  if (truth(condition)) return evaluate(value, result);
  if (node(other).kind != NodeKind::absent) return evaluate(other, result);
  return undefined("the value of an 'if' without 'else'", nullptr, result);
}

Status Evaluator::evaluate_builtin(const Node& expression, Value* result) noexcept {
  Value self;
  if (node(expression.first).kind != NodeKind::absent)
    LINNET_TRY(evaluate(expression.first, &self));
  else if (piped_)
    self = *piped_;
  std::span<const Value> values;
  std::span<const NamedValue> named;
  LINNET_TRY(evaluate_arguments(node(expression.first).next, &values, &named));
  return call_builtin(*expression.builtin, self, values, named, result);
}

Status Evaluator::evaluate_call(const Node& expression, Value* result) noexcept {
  Value callee;
  LINNET_TRY(evaluate(expression.first, &callee));
  std::span<const Value> values;
  std::span<const NamedValue> named;
  LINNET_TRY(evaluate_arguments(node(expression.first).next, &values, &named));
  line_ = expression.line;
  return call(callee, values, named, result);
}

Status Evaluator::evaluate_arguments(uint32_t first, std::span<const Value>* values, std::span<const NamedValue>* named) noexcept {
  size_t value_count = 0, named_count = 0;
  for (uint32_t child = first; child; child = node(child).next) ++(node(child).kind == NodeKind::keyword ? named_count : value_count);
  Value* value = nullptr;
  NamedValue* keyword = nullptr;
  if (value_count > 0) LINNET_TRY(arena_.make(value_count, &value));
  if (named_count > 0) LINNET_TRY(arena_.make(named_count, &keyword));
  *values = {value, value_count};
  *named = {keyword, named_count};
  for (uint32_t child = first; child; child = node(child).next) {
    if (node(child).kind != NodeKind::keyword) {
      LINNET_TRY(evaluate(child, value++));
      continue;
    }
    keyword->name = syntax_.names[node(child).name];
    LINNET_TRY(evaluate(node(child).first, &keyword++->value));
  }
  return {};
}

}  // namespace linnet::text::chat
