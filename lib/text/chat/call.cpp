// Calls of macros, loops and builtins.
#include "text/chat/evaluator.h"
#include "text/chat/text_tools.h"

namespace linnet::text::chat {

Status Evaluator::make_macro(uint32_t index, Value* result) noexcept {
  Macro* macro;
  LINNET_TRY(arena_.make(1, &macro));
  *macro = {index, scope_, {}};
  *result = Value::of(Kind::macro);
  result->macro = macro;
  return {};
}

Status Evaluator::call(const Value& callee, std::span<const Value> values, std::span<const NamedValue> named, Value* result) noexcept {
  switch (callee.kind) {
    case Kind::macro:
      return call_macro(*callee.macro, values, named, result);
    case Kind::function:
      return call_builtin(*callee.function, {}, values, named, result);
    case Kind::method:
      if (callee.method->method) return call_builtin(*callee.method->method, callee.method->self, values, named, result);
      return Status::error(Code::unsupported, "chat template, line %u: the method '%.*s' is not supported", line_,
                           static_cast<int>(callee.method->name.size()), callee.method->name.data());
    case Kind::loop:
      return call_loop(*callee.loop, values, result);
    case Kind::undefined:
      return fail_undefined(callee);
    default:
      return fail("a call of what cannot be called");
  }
}

Status Evaluator::call_macro(const Macro& macro, std::span<const Value> values, std::span<const NamedValue> named, Value* result) noexcept {
  const Node& definition = node(macro.node);
  Scope *outer = scope_, *inner;
  LINNET_TRY(new_scope(macro.scope, &inner));
  if (!macro.caller.is(Kind::undefined)) LINNET_TRY(set(inner, caller_name_, macro.caller));
  scope_ = inner;
  size_t place = 0, used = 0;
  uint32_t child = definition.first;
  for (; node(child).next; child = node(child).next, ++place) {
    const std::string_view name = syntax_.names[node(child).name];
    const Value* given = place < values.size() ? &values[place] : nullptr;
    for (const NamedValue& keyword : named)
      if (keyword.name == name && !given) given = &keyword.value, ++used;
    Value value;
    if (given)
      value = *given;
    else if (node(child).first)
      LINNET_TRY(evaluate(node(child).first, &value));
    else
      LINNET_TRY(undefined(name, nullptr, &value));
    LINNET_TRY(set(inner, node(child).name, value));
  }
  if (values.size() > place || used < named.size())
    return fail("the macro '%.*s' has no parameter for an argument", static_cast<int>(syntax_.names[definition.name].size()),
                syntax_.names[definition.name].data());
  const size_t begin = sink_.size();
  Flow flow = Flow::on;
  LINNET_TRY(execute(child, &flow));
  scope_ = outer;
  return take_string(begin, result);
}

// loop(items) in a recursive for: the same for over other items.
Status Evaluator::call_loop(const Loop& loop, std::span<const Value> values, Value* result) noexcept {
  if (!node(loop.node).flag || values.size() != 1) return fail("a loop is called that is not recursive, or without its one argument");
  Items items;
  LINNET_TRY(items_of(values[0], &items));
  const size_t begin = sink_.size();
  Flow flow = Flow::on;
  LINNET_TRY(run_loop(loop.node, items, loop.scope, loop.depth + 1, &flow));
  return take_string(begin, result);
}

Status Evaluator::call_builtin(const Builtin& builtin, const Value& self, std::span<const Value> values, std::span<const NamedValue> named,
                               Value* result) noexcept {
  Arguments arguments{self, values, named, {}, builtin.name};
  LINNET_TRY(enter());
  std::string_view parameters = builtin.parameters;
  if (parameters != "?") {
    size_t place = 0, used = 0;
    for (; !parameters.empty(); ++place) {
      const size_t end = parameters.find(' ') == parameters.npos ? parameters.size() : parameters.find(' ');
      const std::string_view name = cut(parameters, 0, end);
      parameters = cut(parameters, end == parameters.size() ? end : end + 1, parameters.size());
      if (place < values.size()) arguments.bound[place] = &values[place];
      for (const NamedValue& keyword : named)
        if (keyword.name == name && !arguments.bound[place]) arguments.bound[place] = &keyword.value, ++used;
    }
    if (values.size() > place || used < named.size())
      return fail("'%.*s' has no parameter for an argument", static_cast<int>(builtin.name.size()), builtin.name.data());
  }
  Status done = builtin.run(*this, arguments, result);
  leave();
  return done;
}

Status Evaluator::string_argument(const Arguments& arguments, size_t place, std::string_view fallback, String* result) noexcept {
  const Value* given = arguments.bound[place];
  *result = {fallback.data(), nullptr, fallback.size(), nullptr, false};
  if (!given) return {};
  if (given->is(Kind::undefined)) return fail_undefined(*given);
  if (!given->is(Kind::string))
    return fail("'%.*s' needs a string as an argument", static_cast<int>(arguments.name.size()), arguments.name.data());
  *result = *given->string;
  return {};
}

Status Evaluator::integer_argument(const Arguments& arguments, size_t place, int64_t fallback, int64_t* result) noexcept {
  const Value* given = arguments.bound[place];
  *result = fallback;
  if (!given) return {};
  if (given->is(Kind::undefined)) return fail_undefined(*given);
  if (!given->is(Kind::integer) && !given->is(Kind::boolean))
    return fail("'%.*s' needs a whole number as an argument", static_cast<int>(arguments.name.size()), arguments.name.data());
  *result = given->as_integer();
  return {};
}

}  // namespace linnet::text::chat
