// Macros, and the calls that hand one a body.
#include "text/chat/parser.h"

namespace linnet::text::chat {

Status Parser::parse_macro(uint32_t* result) noexcept {
  LINNET_TRY(add(NodeKind::macro, result));
  Children children{*result};
  take();
  if (peek().kind != TokenKind::name) return fail_expected("the macro's name");
  uint32_t name;
  LINNET_TRY(intern(take().text, &name));
  node(*result).name = name;
  if (!peek().is("(")) return fail_expected("(");
  LINNET_TRY(parse_parameters(&children));
  const uint32_t loops = loops_;
  loops_ = 0;
  ++macros_;
  LINNET_TRY(parse_body("macro", "endmacro", &children));
  --macros_;
  loops_ = loops;
  return {};
}

// In parentheses: names, each with its default.
Status Parser::parse_parameters(Children* macro) noexcept {
  take();
  bool defaults = false;
  for (bool first = true; !peek().is(")"); first = false) {
    if (!first) LINNET_TRY(expect_sign(","));
    if (peek().is(")")) break;
    if (peek().kind != TokenKind::name) return fail_expected("a parameter's name");
    uint32_t parameter, name, value;
    LINNET_TRY(add(NodeKind::parameter, &parameter));
    LINNET_TRY(intern(take().text, &name));
    node(parameter).name = name;
    if (take_sign("=")) {
      defaults = true;
      LINNET_TRY(parse_expression(&value));
      node(parameter).first = value;
    } else if (defaults) {
      return fail_expected("a default");
    }
    append(macro, parameter);
  }
  return expect_sign(")");
}

// {% call [(parameters)] macro(arguments) %}: its body is a macro that is called "caller".
Status Parser::parse_call_block(uint32_t* result) noexcept {
  LINNET_TRY(add(NodeKind::call_block, result));
  Children children{*result};
  take();
  uint32_t body, call = 0;
  LINNET_TRY(add(NodeKind::macro, &body));
  Children macro{body};
  uint32_t name;
  LINNET_TRY(intern("caller", &name));
  node(body).name = name;
  if (peek().is("(")) LINNET_TRY(parse_parameters(&macro));
  LINNET_TRY(parse_unary(true, &call));
  if (node(call).kind != NodeKind::call) return fail_expected("a call");
  append(&children, call);
  append(&children, body);
  const uint32_t loops = loops_;
  loops_ = 0;
  LINNET_TRY(parse_body("call", "endcall", &macro));
  loops_ = loops;
  return {};
}

}  // namespace linnet::text::chat
