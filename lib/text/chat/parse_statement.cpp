#include "text/chat/builtins.h"
#include "text/chat/parser.h"
#include "text/chat/text_tools.h"

namespace linnet::text::chat {
Status Parser::parse_template() noexcept {
  uint32_t root;
  return parse_sequence(nullptr, "", &root);
}

Status Parser::parse_sequence(const char* opener, const char* ends, uint32_t* result) noexcept {
  const Nested nested(this);
  LINNET_TRY(check_depth());
  const uint32_t line = peek().line;
  LINNET_TRY(add(NodeKind::sequence, result));
  Children children{*result};
  while (peek().kind != TokenKind::end) {
    uint32_t statement;
    if (peek().kind == TokenKind::text) {
      LINNET_TRY(add_string(peek().text, &statement));
      node(statement).kind = NodeKind::text;
      take();
    } else if (peek().kind == TokenKind::print_begin) {
      LINNET_TRY(parse_print(&statement));
    } else {
      take();
      if (peek().kind != TokenKind::name) return fail_expected("a statement");
      if (is_among(peek().text, ends)) return {};
      LINNET_TRY(parse_block(&statement));
    }
    append(&children, statement);
  }
  if (!opener) return {};
  return Status::error(Code::corrupt, "chat template, line %u: {%% %s %%} is never closed", line, opener);
}

Status Parser::parse_print(uint32_t* result) noexcept {
  take();
  LINNET_TRY(add(NodeKind::print, result));
  uint32_t expression;
  LINNET_TRY(parse_tuple(true, &expression));
  node(*result).first = expression;
  if (peek().kind != TokenKind::print_end) return fail_expected("}}");
  take();
  return {};
}

Status Parser::parse_block(uint32_t* result) noexcept {
  const std::string_view name = peek().text;
  if (name == "for") return parse_for(result);
  if (name == "if") return parse_if(result);
  if (name == "set") return parse_set(result);
  if (name == "with") return parse_with(result);
  if (name == "macro") return parse_macro(result);
  if (name == "call") return parse_call_block(result);
  if (name == "filter") return parse_filter_block(result);
  if (name == "generation") return parse_generation(result);
  if (name == "break") return parse_control(NodeKind::leave, result);
  if (name == "continue") return parse_control(NodeKind::skip, result);
  if (name.starts_with("end") || name == "else" || name == "elif")
    return Status::error(Code::corrupt, "chat template, line %u: '%.*s' closes what is not open", peek().line,
                         static_cast<int>(name.size() < 60 ? name.size() : 60), name.data());
  return fail_unsupported("the statement", name);
}

// The end of the opening tag, what stands in it, and the closing tag.
Status Parser::parse_body(const char* opener, const char* end, Children* parent) noexcept {
  LINNET_TRY(expect_block_end());
  uint32_t body;
  LINNET_TRY(parse_sequence(opener, end, &body));
  append(parent, body);
  take();
  return expect_block_end();
}

Status Parser::parse_for(uint32_t* result) noexcept {
  LINNET_TRY(add(NodeKind::loop, result));
  Children children{*result};
  take();
  uint32_t part;
  LINNET_TRY(parse_target(false, &part));
  append(&children, part);
  LINNET_TRY(expect_name("in"));
  LINNET_TRY(parse_tuple(false, &part));
  append(&children, part);
  if (take_name("if")) {
    LINNET_TRY(parse_expression(&part));
    append(&children, part);
  } else {
    LINNET_TRY(add_absent(&children));
  }
  node(*result).flag = take_name("recursive");
  LINNET_TRY(expect_block_end());
  ++loops_;
  LINNET_TRY(parse_sequence("for", "else endfor", &part));
  --loops_;
  append(&children, part);
  if (!take().is_name("else")) {
    LINNET_TRY(add_absent(&children));
    return expect_block_end();
  }
  return parse_body("for", "endfor", &children);
}

Status Parser::parse_if(uint32_t* result) noexcept {
  LINNET_TRY(add(NodeKind::branch, result));
  Children children{*result};
  uint32_t part;
  do {
    take();
    LINNET_TRY(parse_tuple(false, &part));
    append(&children, part);
    LINNET_TRY(expect_block_end());
    LINNET_TRY(parse_sequence("if", "elif else endif", &part));
    append(&children, part);
  } while (peek().is_name("elif"));
  if (take().is_name("else")) return parse_body("if", "endif", &children);
  LINNET_TRY(add_absent(&children));
  return expect_block_end();
}

Status Parser::parse_set(uint32_t* result) noexcept {
  LINNET_TRY(add(NodeKind::assign, result));
  Children children{*result};
  take();
  uint32_t part;
  LINNET_TRY(parse_target(true, &part));
  append(&children, part);
  if (take_sign("=")) {
    LINNET_TRY(parse_tuple(true, &part));
    append(&children, part);
    return expect_block_end();
  }
  node(*result).kind = NodeKind::capture;
  uint32_t filters = 0;
  LINNET_TRY(parse_filters(false, &filters));
  if (filters)
    append(&children, filters);
  else
    LINNET_TRY(add_absent(&children));
  return parse_body("set", "endset", &children);
}

Status Parser::parse_with(uint32_t* result) noexcept {
  LINNET_TRY(add(NodeKind::with, result));
  Children children{*result};
  take();
  while (peek().kind != TokenKind::block_end) {
    if (children.last) LINNET_TRY(expect_sign(","));
    uint32_t part;
    LINNET_TRY(parse_one_target(false, &part));
    append(&children, part);
    LINNET_TRY(expect_sign("="));
    LINNET_TRY(parse_expression(&part));
    append(&children, part);
  }
  return parse_body("with", "endwith", &children);
}

Status Parser::parse_filter_block(uint32_t* result) noexcept {
  LINNET_TRY(add(NodeKind::filtered, result));
  Children children{*result};
  take();
  if (peek().kind != TokenKind::name) return fail_expected("a filter's name");
  // The first filter is written without its sign.
  const Builtin* filter = find_filter(peek().text);
  if (!filter) return fail_unsupported("the filter", peek().text);
  uint32_t first;
  LINNET_TRY(add(NodeKind::filter, &first));
  node(first).builtin = filter;
  take();
  Children arguments{first};
  LINNET_TRY(add_absent(&arguments));
  if (peek().is("(")) LINNET_TRY(parse_arguments(&arguments));
  LINNET_TRY(parse_filters(false, &first));
  append(&children, first);
  return parse_body("filter", "endfilter", &children);
}

Status Parser::parse_generation(uint32_t* result) noexcept {
  LINNET_TRY(add(NodeKind::scoped, result));
  Children children{*result};
  take();
  return parse_body("generation", "endgeneration", &children);
}

Status Parser::parse_control(NodeKind kind, uint32_t* result) noexcept {
  if (loops_ == 0)
    return Status::error(Code::corrupt, "chat template, line %u: '%.*s' outside of a loop", peek().line,
                         static_cast<int>(peek().text.size()), peek().text.data());
  take();
  LINNET_TRY(add(kind, result));
  return expect_block_end();
}

// A name, or several with commas between them; an attribute of a namespace where that may be set.
Status Parser::parse_target(bool with_attribute, uint32_t* result) noexcept {
  LINNET_TRY(parse_one_target(with_attribute, result));
  if (!peek().is(",")) return {};
  const uint32_t first = *result;
  LINNET_TRY(add(NodeKind::tuple, result));
  Children children{*result};
  append(&children, first);
  while (take_sign(",")) {
    if (peek().is_name("in") || peek().is("=")) break;
    uint32_t next;
    LINNET_TRY(parse_one_target(with_attribute, &next));
    append(&children, next);
  }
  return {};
}

Status Parser::parse_one_target(bool with_attribute, uint32_t* result) noexcept {
  const Nested nested(this);
  LINNET_TRY(check_depth());
  if (take_sign("(")) {
    LINNET_TRY(parse_target(with_attribute, result));
    return expect_sign(")");
  }
  if (peek().kind != TokenKind::name) return fail_expected("a variable's name");
  LINNET_TRY(parse_name(result));
  if (node(*result).kind != NodeKind::name) return fail_expected("a variable");
  if (with_attribute && peek().is(".")) LINNET_TRY(parse_attribute(result));
  return {};
}

}  // namespace linnet::text::chat
