// What operators stand between: names, literals, brackets, and the attributes, items and calls that follow them.
#include "text/chat/parser.h"

namespace linnet::text::chat {

Status Parser::parse_primary(uint32_t* result) noexcept {
  const Token& token = peek();
  if (token.kind == TokenKind::name) return parse_name(result);
  if (token.kind == TokenKind::string) return parse_string(result);
  if (token.kind == TokenKind::integer || token.kind == TokenKind::real) return parse_number(result);
  if (token.is("(")) return parse_brackets(result);
  if (token.is("[")) return parse_list(result);
  if (token.is("{")) return parse_dict(result);
  return fail_expected("a value");
}

Status Parser::parse_name(uint32_t* result) noexcept {
  const std::string_view name = peek().text;
  if (macros_ > 0 && (name == "varargs" || name == "kwargs")) return fail_unsupported("the variable", name);
  if (name == "true" || name == "True" || name == "false" || name == "False") {
    take();
    return add_constant(Value::of_bool((name[0] | 0x20) == 't'), result);
  }
  if (name == "none" || name == "None") {
    take();
    return add_constant(Value::none(), result);
  }
  uint32_t index;
  LINNET_TRY(intern(name, &index));
  LINNET_TRY(add(NodeKind::name, result));
  node(*result).name = index;
  take();
  return {};
}

Status Parser::parse_brackets(uint32_t* result) noexcept {
  take();
  if (take_sign(")")) return add(NodeKind::tuple, result);
  LINNET_TRY(parse_tuple(true, result));
  return expect_sign(")");
}

Status Parser::parse_list(uint32_t* result) noexcept {
  LINNET_TRY(add(NodeKind::list, result));
  Children children{*result};
  take();
  while (!peek().is("]")) {
    if (children.last) LINNET_TRY(expect_sign(","));
    if (peek().is("]")) break;
    uint32_t element;
    LINNET_TRY(parse_expression(&element));
    append(&children, element);
  }
  return expect_sign("]");
}

Status Parser::parse_dict(uint32_t* result) noexcept {
  LINNET_TRY(add(NodeKind::dict, result));
  Children children{*result};
  take();
  while (!peek().is("}")) {
    if (children.last) LINNET_TRY(expect_sign(","));
    if (peek().is("}")) break;
    uint32_t key, value;
    LINNET_TRY(parse_expression(&key));
    LINNET_TRY(expect_sign(":"));
    LINNET_TRY(parse_expression(&value));
    append(&children, key);
    append(&children, value);
  }
  return expect_sign("}");
}

Status Parser::parse_postfix(uint32_t* expression) noexcept {
  while (true) {
    if (peek().is("."))
      LINNET_TRY(parse_attribute(expression));
    else if (peek().is("["))
      LINNET_TRY(parse_item(expression));
    else if (peek().is("("))
      LINNET_TRY(parse_call(expression));
    else
      return {};
  }
}

Status Parser::parse_attribute(uint32_t* expression) noexcept {
  take();
  Children children{};
  if (peek().kind == TokenKind::integer) {
    uint32_t index;
    LINNET_TRY(add(NodeKind::item, &children.parent));
    LINNET_TRY(parse_number(&index));
    append(&children, *expression);
    append(&children, index);
    *expression = children.parent;
    return {};
  }
  if (peek().kind != TokenKind::name) return fail_expected("an attribute's name");
  uint32_t name;
  LINNET_TRY(intern(peek().text, &name));
  LINNET_TRY(add(NodeKind::attribute, &children.parent));
  node(children.parent).name = name;
  take();
  append(&children, *expression);
  *expression = children.parent;
  return {};
}

Status Parser::parse_item(uint32_t* expression) noexcept {
  Children children{};
  LINNET_TRY(add(NodeKind::item, &children.parent));
  take();
  uint32_t index;
  LINNET_TRY(parse_index(&index));
  if (peek().is(",")) return fail_unsupported("an index with", ",");
  append(&children, *expression);
  append(&children, index);
  *expression = children.parent;
  return expect_sign("]");
}

// An expression, or start:stop:step with any of them left out.
Status Parser::parse_index(uint32_t* result) noexcept {
  uint32_t start = 0;
  if (!peek().is(":")) {
    LINNET_TRY(parse_expression(&start));
    *result = start;
    if (!peek().is(":")) return {};
  }
  Children children{};
  LINNET_TRY(add(NodeKind::slice, &children.parent));
  *result = children.parent;
  if (start != 0)
    append(&children, start);
  else
    LINNET_TRY(add_absent(&children));
  for (int part = 1; part < 3; ++part) {
    const bool given = take_sign(":") && !peek().is(":") && !peek().is("]") && !peek().is(",");
    if (!given) {
      LINNET_TRY(add_absent(&children));
      continue;
    }
    uint32_t bound;
    LINNET_TRY(parse_expression(&bound));
    append(&children, bound);
  }
  return {};
}

Status Parser::parse_call(uint32_t* expression) noexcept {
  Children children{};
  LINNET_TRY(add(NodeKind::call, &children.parent));
  append(&children, *expression);
  LINNET_TRY(parse_arguments(&children));
  *expression = children.parent;
  return {};
}

// In parentheses; keyword arguments after the others.
Status Parser::parse_arguments(Children* call) noexcept {
  take();
  bool first = true, keywords = false;
  while (!peek().is(")")) {
    if (!first) LINNET_TRY(expect_sign(","));
    if (peek().is(")")) break;
    first = false;
    if (peek().is("*") || peek().is("**")) return fail_unsupported("an argument list with", peek().text);
    uint32_t argument, value;
    if (peek().kind == TokenKind::name && peek(1).is("=")) {
      keywords = true;
      LINNET_TRY(add(NodeKind::keyword, &argument));
      uint32_t name;
      LINNET_TRY(intern(take().text, &name));
      node(argument).name = name;
      take();
      LINNET_TRY(parse_expression(&value));
      node(argument).first = value;
    } else {
      if (keywords) return fail_expected("a keyword argument");
      LINNET_TRY(parse_expression(&argument));
    }
    append(call, argument);
  }
  return expect_sign(")");
}

}  // namespace linnet::text::chat
