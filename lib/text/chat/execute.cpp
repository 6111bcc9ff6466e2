// Statements.
#include "text/chat/evaluator.h"

namespace linnet::text::chat {

Status Evaluator::define(std::string_view name, Value value) noexcept {
  const uint32_t index = name_of(name);
  return index == UINT32_MAX ? Status() : set(&root_, index, value);
}

Status Evaluator::run() noexcept {
  Flow flow = Flow::on;
  return execute(0, &flow);
}

Status Evaluator::execute(uint32_t index, Flow* flow) noexcept {
  const Node& statement = node(index);
  if (statement.kind == NodeKind::text) {
    const String& text = *syntax_.constants[statement.constant].string;
    LINNET_TRY(spend_bytes(text.size));
    return sink_.append(text);
  }
  line_ = statement.line;
  LINNET_TRY(spend(1));
  LINNET_TRY(enter());
  Status done = statement.kind == NodeKind::loop ? execute_loop(index, flow) : execute_within(statement, flow);
  leave();
  return done;
}

Status Evaluator::execute_within(const Node& statement, Flow* flow) noexcept {
  Value value;
  switch (statement.kind) {
    case NodeKind::sequence:
      return execute_sequence(statement, flow);
    case NodeKind::print:
      LINNET_TRY(evaluate(statement.first, &value));
      return print(value);
    case NodeKind::branch:
      return execute_branch(statement, flow);
    case NodeKind::assign:
      LINNET_TRY(evaluate(node(statement.first).next, &value));
      return assign(statement.first, value);
    case NodeKind::capture:
      return execute_capture(statement);
    case NodeKind::filtered:
      return execute_filtered(statement);
    case NodeKind::with:
      return execute_with(statement, flow);
    case NodeKind::macro:
      LINNET_TRY(make_macro(static_cast<uint32_t>(&statement - syntax_.nodes.data()), &value));
      return set(scope_, statement.name, value);
    case NodeKind::call_block:
      return execute_call_block(statement);
    case NodeKind::scoped:
      return execute_scoped(statement.first, flow);
    case NodeKind::leave:
      *flow = Flow::leave;
      return {};
    case NodeKind::skip:
      *flow = Flow::skip;
      return {};
    default:
      return fail("a statement is missing");
  }
}

Status Evaluator::execute_sequence(const Node& statement, Flow* flow) noexcept {
  for (uint32_t child = statement.first; child && *flow == Flow::on; child = node(child).next) LINNET_TRY(execute(child, flow));
  return {};
}

Status Evaluator::execute_branch(const Node& statement, Flow* flow) noexcept {
  uint32_t child = statement.first;
  while (node(child).next) {
    Value condition;
    LINNET_TRY(evaluate(child, &condition));
    if (truth(condition)) return execute(node(child).next, flow);
    child = node(node(child).next).next;
  }
  return node(child).kind == NodeKind::absent ? Status() : execute(child, flow);
}

Status Evaluator::execute_loop(uint32_t index, Flow* flow) noexcept {
  Value iterable;
  Items items;
  LINNET_TRY(evaluate(node(node(index).first).next, &iterable));
  LINNET_TRY(items_of(iterable, &items));
  return run_loop(index, items, scope_, 1, flow);
}

// The items for which the loop's condition holds.
Status Evaluator::select_items(const Node& statement, Items* items) noexcept {
  const uint32_t target = statement.first, condition = node(node(target).next).next;
  if (node(condition).kind == NodeKind::absent) return {};
  Scope* outer = scope_;
  LINNET_TRY(new_scope(outer, &scope_));
  Value* kept;
  LINNET_TRY(arena_.make(items->size, &kept));
  size_t count = 0;
  for (size_t i = 0; i < items->size; ++i) {
    Value holds;
    scope_->size = 0;
    LINNET_TRY(assign(target, items->at(i)));
    LINNET_TRY(evaluate(condition, &holds));
    if (truth(holds)) kept[count++] = items->at(i);
  }
  scope_ = outer;
  *items = {kept, nullptr, count};
  return {};
}

Status Evaluator::run_loop(uint32_t index, Items items, Scope* outer, uint32_t depth, Flow* flow) noexcept {
  const Node& statement = node(index);
  Scope* caller = scope_;
  scope_ = outer;
  LINNET_TRY(select_items(statement, &items));
  const uint32_t target = statement.first, body = node(node(node(target).next).next).next, otherwise = node(body).next;
  LINNET_TRY(new_scope(outer, &scope_));
  if (items.size == 0 && node(otherwise).kind != NodeKind::absent) LINNET_TRY(execute(otherwise, flow));
  Value loop = Value::of(Kind::loop);
  LINNET_TRY(arena_.make(1, &loop.loop));
  loop.loop->items = items;
  loop.loop->depth = depth;
  loop.loop->node = index;
  loop.loop->scope = outer;
  for (size_t i = 0; i < items.size; ++i) {
    Flow inner = Flow::on;
    loop.loop->index = i;
    scope_->size = 0;
    LINNET_TRY(assign(target, items.at(i)));
    if (loop_name_ != UINT32_MAX) LINNET_TRY(set(scope_, loop_name_, loop));
    LINNET_TRY(execute(body, &inner));
    if (inner == Flow::leave) break;
  }
  scope_ = caller;
  return {};
}

// What the body prints, through the filters.
Status Evaluator::capture(uint32_t body, uint32_t filters, Value* result) noexcept {
  const size_t begin = sink_.size();
  Flow flow = Flow::on;
  LINNET_TRY(execute_scoped(body, &flow));
  Value text;
  LINNET_TRY(take_string(begin, &text));
  *result = text;
  if (node(filters).kind == NodeKind::absent) return {};
  const Value* outer = piped_;
  piped_ = &text;
  Status done = evaluate(filters, result);
  piped_ = outer;
  return done;
}

Status Evaluator::execute_capture(const Node& statement) noexcept {
  const uint32_t filters = node(statement.first).next;
  Value text;
  LINNET_TRY(capture(node(filters).next, filters, &text));
  return assign(statement.first, text);
}

Status Evaluator::execute_filtered(const Node& statement) noexcept {
  Value text;
  LINNET_TRY(capture(node(statement.first).next, statement.first, &text));
  return print(text);
}

Status Evaluator::execute_with(const Node& statement, Flow* flow) noexcept {
  Scope *outer = scope_, *inner;
  LINNET_TRY(new_scope(outer, &inner));
  uint32_t child = statement.first;
  for (; node(child).next; child = node(node(child).next).next) {
    Value value;
    LINNET_TRY(evaluate(node(child).next, &value));
    scope_ = inner;
    LINNET_TRY(assign(child, value));
    scope_ = outer;
  }
  scope_ = inner;
  LINNET_TRY(execute(child, flow));
  scope_ = outer;
  return {};
}

Status Evaluator::execute_scoped(uint32_t body, Flow* flow) noexcept {
  Scope* outer = scope_;
  LINNET_TRY(new_scope(outer, &scope_));
  LINNET_TRY(execute(body, flow));
  scope_ = outer;
  return {};
}

Status Evaluator::execute_call_block(const Node& statement) noexcept {
  const Node& expression = node(statement.first);
  Value callee, text;
  LINNET_TRY(evaluate(expression.first, &callee));
  if (!callee.is(Kind::macro)) return fail("a call block calls what is no macro");
  std::span<const Value> values;
  std::span<const NamedValue> named;
  LINNET_TRY(evaluate_arguments(node(expression.first).next, &values, &named));
  Macro called = *callee.macro;
  LINNET_TRY(make_macro(node(statement.first).next, &called.caller));
  LINNET_TRY(call_macro(called, values, named, &text));
  return print(text);
}

Status Evaluator::assign(uint32_t target, const Value& value) noexcept {
  const Node& to = node(target);
  if (to.kind == NodeKind::name) return set(scope_, to.name, value);
  if (to.kind == NodeKind::attribute) {
    Value object, name;
    LINNET_TRY(evaluate(to.first, &object));
    if (!object.is(Kind::space)) return fail("an attribute can be set of a namespace only");
    LINNET_TRY(new_string({syntax_.names[to.name].data(), nullptr, syntax_.names[to.name].size(), nullptr, false}, &name));
    return insert(object.dict, name, value);
  }
  Items items;
  LINNET_TRY(items_of(value, &items));
  size_t count = 0;
  for (uint32_t child = to.first; child; child = node(child).next, ++count)
    if (count < items.size) LINNET_TRY(assign(child, items.at(count)));
  return count == items.size ? Status() : fail("%zu values for %zu variables", items.size, count);
}

Status Evaluator::set(Scope* scope, uint32_t name, const Value& value) noexcept {
  for (uint32_t i = 0; i < scope->size; ++i)
    if (scope->bindings[i].name == name) {
      scope->bindings[i].value = value;
      return {};
    }
  LINNET_TRY(spend(1 + scope->size / 8));
  if (scope->size == scope->capacity) {
    Binding* grown;
    LINNET_TRY(arena_.make(scope->capacity ? size_t{scope->capacity} * 2 : 4, &grown));
    for (uint32_t i = 0; i < scope->size; ++i) grown[i] = scope->bindings[i];
    scope->bindings = grown;
    scope->capacity = scope->capacity ? scope->capacity * 2 : 4;
  }
  scope->bindings[scope->size++] = {name, value};
  return {};
}

Status Evaluator::new_scope(Scope* parent, Scope** scope) noexcept {
  Scope* made;
  LINNET_TRY(arena_.make(1, &made));
  made->parent = parent;
  *scope = made;
  return {};
}

}  // namespace linnet::text::chat
