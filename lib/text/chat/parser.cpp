#include "text/chat/parser.h"

#include "core/limits.h"
#include "text/chat/text_tools.h"

namespace linnet::text::chat {
namespace {

using core::limits::kTemplateBytes;

// Line ends become "\n", and one at the very end is dropped. Invalid UTF-8 is refused.
Status read_source(std::string_view source, core::Array<char>* text) {
  if (source.size() > kTemplateBytes)
    return Status::error(Code::unsupported, "chat template of %zu bytes, expected at most %u", source.size(), kTemplateBytes);
  LINNET_TRY(text->reserve(source.size() * 2 + 1));
  uint32_t line = 1;
  for (size_t at = 0; at < source.size();) {
    const Point point = decode(source, at);
    if (!point.valid) return Status::error(Code::corrupt, "chat template, line %u: the text is not valid UTF-8", line);
    if (source[at] == '\r') {
      LINNET_TRY(text->push('\n'));
      ++line;
      at += at + 1 < source.size() && source[at + 1] == '\n' ? 2 : 1;
      continue;
    }
    line += source[at] == '\n';
    for (uint32_t i = 0; i < point.length; ++i) LINNET_TRY(text->push(source[at + i]));
    at += point.length;
  }
  if (!text->empty() && text->back() == '\n') text->pop();
  return {};
}

}  // namespace

Status parse(std::string_view source, Syntax* syntax) noexcept {
  LINNET_TRY(read_source(source, &syntax->text));
  core::Array<Token> tokens;
  LINNET_TRY(read_tokens({syntax->text.data(), syntax->text.size()}, &tokens));
  LINNET_TRY(Parser(tokens, syntax).parse_template());
  for (Value& constant : syntax->constants)
    if (constant.is(Kind::string)) constant.string = &syntax->strings[static_cast<size_t>(constant.integer)];
  return {};
}

bool Parser::take_sign(std::string_view sign) noexcept {
  if (!peek().is(sign)) return false;
  take();
  return true;
}

bool Parser::take_name(std::string_view name) noexcept {
  if (!peek().is_name(name)) return false;
  take();
  return true;
}

Status Parser::expect_sign(const char* sign) noexcept { return take_sign(sign) ? Status() : fail_expected(sign); }
Status Parser::expect_name(const char* name) noexcept { return take_name(name) ? Status() : fail_expected(name); }

Status Parser::expect_block_end() noexcept {
  if (peek().kind != TokenKind::block_end) return fail_expected("%}");
  take();
  return {};
}

Status Parser::fail_expected(const char* expected) const noexcept {
  const Token& token = peek();
  if (token.kind == TokenKind::end)
    return Status::error(Code::corrupt, "chat template, line %u: expected %s, found the end", token.line, expected);
  const size_t length = token.text.size() < 40 ? token.text.size() : 40;
  return Status::error(Code::corrupt, "chat template, line %u: expected %s, found '%.*s'", token.line, expected, static_cast<int>(length),
                       token.text.data());
}

Status Parser::fail_unsupported(const char* kind, std::string_view name) const noexcept {
  return Status::error(Code::unsupported, "chat template, line %u: %s '%.*s' is not supported", peek().line, kind,
                       static_cast<int>(name.size() < 60 ? name.size() : 60), name.data());
}

Status Parser::check_depth() const noexcept {
  if (depth_ <= core::limits::kTemplateNesting) return {};
  return Status::error(Code::unsupported, "chat template, line %u: nested deeper than %u", peek().line, core::limits::kTemplateNesting);
}

Status Parser::add(NodeKind kind, uint32_t* index) noexcept {
  *index = 0;
  if (syntax_.nodes.size() >= core::limits::kTemplateNodes)
    return Status::error(Code::unsupported, "chat template, line %u: more than %u parts", peek().line, core::limits::kTemplateNodes);
  *index = static_cast<uint32_t>(syntax_.nodes.size());
  Node made;
  made.kind = kind;
  made.line = peek().line;
  return syntax_.nodes.push(made);
}

void Parser::append(Children* children, uint32_t child) noexcept {
  (children->last ? node(children->last).next : node(children->parent).first) = child;
  children->last = child;
}

Status Parser::add_absent(Children* children) noexcept {
  uint32_t child;
  LINNET_TRY(add(NodeKind::absent, &child));
  append(children, child);
  return {};
}

Status Parser::add_constant(Value value, uint32_t* index) noexcept {
  LINNET_TRY(add(NodeKind::constant, index));
  node(*index).constant = syntax_.constants.size();
  return syntax_.constants.push(value);
}

Status Parser::add_string(std::string_view text, uint32_t* index) noexcept {
  Value value = Value::of(Kind::string);
  value.integer = static_cast<int64_t>(syntax_.strings.size());  // until all are there
  LINNET_TRY(syntax_.strings.push({text.data(), nullptr, text.size(), nullptr, false}));
  return add_constant(value, index);
}

Status Parser::intern(std::string_view name, uint32_t* index) noexcept {
  for (*index = 0; *index < syntax_.names.size(); ++*index)
    if (syntax_.names[*index] == name) return {};
  if (*index == core::limits::kTemplateNames)
    return Status::error(Code::unsupported, "chat template, line %u: more than %u names", peek().line, core::limits::kTemplateNames);
  return syntax_.names.push(name);
}

}  // namespace linnet::text::chat
