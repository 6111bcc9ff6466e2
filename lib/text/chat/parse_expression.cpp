// Operators, filters and tests, and the order in which they bind.
#include "text/chat/builtins.h"
#include "text/chat/parser.h"

namespace linnet::text::chat {
namespace {

// From the weakest binding to the strongest; each is a row of operands with operators between them.
enum Level { kOr, kAnd, kNot, kCompare, kAdd, kJoin, kMultiply, kPower, kUnary };

constexpr NodeKind kKinds[] = {NodeKind::disjunction, NodeKind::conjunction, NodeKind::inverse,    NodeKind::compare,
                               NodeKind::arithmetic,  NodeKind::join,        NodeKind::arithmetic, NodeKind::arithmetic};

struct Sign {
  std::string_view sign;
  Level level;
  Operator op;
};
constexpr Sign kSigns[] = {
    {"==", kCompare, Operator::equal},  {"!=", kCompare, Operator::unequal},
    {"<", kCompare, Operator::less},    {"<=", kCompare, Operator::less_equal},
    {">", kCompare, Operator::greater}, {">=", kCompare, Operator::greater_equal},
    {"+", kAdd, Operator::add},         {"-", kAdd, Operator::subtract},
    {"~", kJoin, Operator::add},        {"*", kMultiply, Operator::multiply},
    {"/", kMultiply, Operator::divide}, {"//", kMultiply, Operator::floor_divide},
    {"%", kMultiply, Operator::modulo}, {"**", kPower, Operator::power},
};

}  // namespace

// value [if condition [else other]]
Status Parser::parse_expression(uint32_t* result) noexcept {
  const Nested nested(this);
  LINNET_TRY(check_depth());
  LINNET_TRY(parse_level(kOr, result));
  while (take_name("if")) {
    Children children{};
    const uint32_t value = *result;
    uint32_t condition;
    LINNET_TRY(add(NodeKind::conditional, result));
    children.parent = *result;
    LINNET_TRY(parse_level(kOr, &condition));
    append(&children, condition);
    append(&children, value);
    if (!take_name("else")) {
      LINNET_TRY(add_absent(&children));
      continue;
    }
    uint32_t other;
    LINNET_TRY(parse_expression(&other));
    append(&children, other);
  }
  return {};
}

// Expressions with commas between them, or one alone.
Status Parser::parse_tuple(bool conditional, uint32_t* result) noexcept {
  Children children{};
  for (bool first = true;; first = false) {
    const Token& token = peek();
    const bool ends = token.kind == TokenKind::block_end || token.kind == TokenKind::print_end || token.is(")") || token.is_name("in") ||
                      token.is_name("recursive");
    if (ends && !first) return {};
    uint32_t element;
    LINNET_TRY(conditional ? parse_expression(&element) : parse_level(kOr, &element));
    if (first) {
      *result = element;
      if (!peek().is(",")) return {};
      LINNET_TRY(add(NodeKind::tuple, result));
      children.parent = *result;
    }
    append(&children, element);
    if (!take_sign(",")) return {};
  }
}

bool Parser::take_operator(int level, Operator* op) noexcept {
  if (level == kOr) return take_name("or");
  if (level == kAnd) return take_name("and");
  if (level == kCompare && (peek().is_name("in") || (peek().is_name("not") && peek(1).is_name("in")))) {
    *op = take().is_name("in") ? Operator::in : Operator::not_in;
    if (*op == Operator::not_in) take();
    return true;
  }
  for (const Sign& sign : kSigns)
    if (sign.level == level && take_sign(sign.sign)) {
      *op = sign.op;
      return true;
    }
  return false;
}

Status Parser::parse_level(int level, uint32_t* result) noexcept {
  if (level == kUnary) return parse_unary(true, result);
  if (level == kNot && peek().is_name("not")) return parse_inverse(result);
  const int inner = level + 1;
  LINNET_TRY(parse_level(inner, result));
  if (level == kNot) return {};
  Children children{};
  for (Operator op{}; take_operator(level, &op);) {
    if (children.parent == 0) {
      const uint32_t first = *result;
      LINNET_TRY(add(kKinds[level], result));
      children.parent = *result;
      append(&children, first);
    }
    uint32_t operand;
    LINNET_TRY(parse_level(inner, &operand));
    if (level >= kCompare && level != kJoin) {
      uint32_t holder;
      LINNET_TRY(add(NodeKind::operand, &holder));
      node(holder).op = op;
      node(holder).first = operand;
      operand = holder;
    }
    append(&children, operand);
  }
  return {};
}

Status Parser::parse_inverse(uint32_t* result) noexcept {
  const Nested nested(this);
  LINNET_TRY(check_depth());
  take();
  uint32_t operand;
  LINNET_TRY(add(NodeKind::inverse, result));
  LINNET_TRY(parse_level(kNot, &operand));
  node(*result).first = operand;
  return {};
}

// A sign binds more than what follows a value, except filters and tests.
Status Parser::parse_unary(bool with_filters, uint32_t* result) noexcept {
  if (peek().is("-") || peek().is("+")) {
    const Nested nested(this);
    LINNET_TRY(check_depth());
    LINNET_TRY(add(peek().is("-") ? NodeKind::negative : NodeKind::positive, result));
    take();
    uint32_t operand;
    LINNET_TRY(parse_unary(false, &operand));
    node(*result).first = operand;
  } else {
    LINNET_TRY(parse_primary(result));
  }
  LINNET_TRY(parse_postfix(result));
  return with_filters ? parse_filters(true, result) : Status();
}

Status Parser::parse_filters(bool with_tests, uint32_t* expression) noexcept {
  while (true) {
    if (peek().is("|")) {
      take();
      if (peek().kind != TokenKind::name) return fail_expected("a filter's name");
      const Builtin* filter = find_filter(peek().text);
      if (!filter) return fail_unsupported("the filter", peek().text);
      Children children{};
      LINNET_TRY(add(NodeKind::filter, &children.parent));
      node(children.parent).builtin = filter;
      take();
      if (*expression != 0)
        append(&children, *expression);
      else
        LINNET_TRY(add_absent(&children));
      *expression = children.parent;
      if (peek().is("(")) LINNET_TRY(parse_arguments(&children));
    } else if (with_tests && peek().is_name("is")) {
      LINNET_TRY(parse_test(expression));
    } else if (with_tests && peek().is("(")) {
      LINNET_TRY(parse_call(expression));
    } else {
      return {};
    }
  }
}

// is [not] name, with one argument behind it or any in parentheses
Status Parser::parse_test(uint32_t* expression) noexcept {
  take();
  const bool inverse = take_name("not");
  if (peek().kind != TokenKind::name) return fail_expected("a test's name");
  const Builtin* test = find_test(peek().text);
  if (!test) return fail_unsupported("the test", peek().text);
  Children children{};
  LINNET_TRY(add(NodeKind::test, &children.parent));
  node(children.parent).builtin = test;
  take();
  append(&children, *expression);
  const Token& next = peek();
  const bool value = next.kind == TokenKind::string || next.kind == TokenKind::integer || next.kind == TokenKind::real || next.is("[") ||
                     next.is("{") || (next.kind == TokenKind::name && next.text != "else" && next.text != "or" && next.text != "and");
  if (next.is("(")) {
    LINNET_TRY(parse_arguments(&children));
  } else if (value && next.is_name("is")) {
    return fail_expected("one test at a time");
  } else if (value) {
    uint32_t argument;
    LINNET_TRY(parse_primary(&argument));
    LINNET_TRY(parse_postfix(&argument));
    append(&children, argument);
  }
  *expression = children.parent;
  if (!inverse) return {};
  LINNET_TRY(add(NodeKind::inverse, expression));
  node(*expression).first = children.parent;
  return {};
}

}  // namespace linnet::text::chat
