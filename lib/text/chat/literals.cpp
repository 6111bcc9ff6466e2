// Numbers and strings as they are written in templates.
#include <charconv>

#include "text/chat/parser.h"
#include "text/chat/text_tools.h"

namespace linnet::text::chat {
namespace {

int digit_of(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  return (c | 0x20) >= 'a' && (c | 0x20) <= 'z' ? (c | 0x20) - 'a' + 10 : 99;
}

// False when it has digits of another base, or does not fit.
bool read_integer(std::string_view text, int64_t* value) {
  int base = 10;
  size_t at = 0;
  if (text.size() > 2 && text[0] == '0' && digit_of(text[1]) >= 10) {
    const char letter = static_cast<char>(text[1] | 0x20);
    base = letter == 'x' ? 16 : letter == 'o' ? 8 : letter == 'b' ? 2 : 0;
    at = 2;
  }
  *value = 0;
  for (; at < text.size(); ++at) {
    if (text[at] == '_') continue;
    if (digit_of(text[at]) >= base) return false;
    if (__builtin_mul_overflow(*value, base, value) || __builtin_add_overflow(*value, digit_of(text[at]), value)) return false;
  }
  // 007 is no number.
  return base != 10 || text[0] != '0' || *value == 0;
}

}  // namespace

Status Parser::parse_number(uint32_t* result) noexcept {
  const Token& token = peek();
  Value value;
  if (token.kind == TokenKind::integer) {
    int64_t integer;
    if (!read_integer(token.text, &integer)) return fail_expected("a number below 2^63");
    value = Value::of_integer(integer);
  } else {
    char digits[64];
    size_t count = 0;
    for (char c : token.text)
      if (c != '_' && count < sizeof digits) digits[count++] = c;
    double real = 0;
    if (count == sizeof digits || std::from_chars(digits, digits + count, real).ec != std::errc())
      return fail_expected("a number of ordinary size");
    value = Value::of_real(real);
  }
  take();
  return add_constant(value, result);
}

Status Parser::parse_string(uint32_t* result) noexcept {
  const size_t begin = syntax_.text.size();
  while (peek().kind == TokenKind::string) LINNET_TRY(append_literal(take()));  // neighbours are one string
  return add_string({syntax_.text.data() + begin, syntax_.text.size() - begin}, result);
}

// The text pool has room for all literals: none grows when it is read.
Status Parser::append_literal(const Token& token) noexcept {
  const std::string_view inside = cut(token.text, 1, token.text.size() - 1);
  for (size_t at = 0; at < inside.size();) {
    if (inside[at] == '\\' && at + 1 < inside.size())
      LINNET_TRY(append_escape(inside, &at, token.line));
    else
      LINNET_TRY(syntax_.text.push(inside[at++]));
  }
  return {};
}

Status Parser::append_escape(std::string_view inside, size_t* at, uint32_t line) noexcept {
  const char kind = inside[*at + 1];
  *at += 2;
  if (kind == '\n') return {};
  constexpr std::string_view kNames = "\\'\"abfnrtv", kMeanings = "\\'\"\a\b\f\n\r\t\v";
  if (const size_t which = kNames.find(kind); which != kNames.npos) return syntax_.text.push(kMeanings[which]);
  const bool octal = digit_of(kind) < 8;
  const size_t digits = octal ? 3 : kind == 'x' ? 2 : kind == 'u' ? 4 : kind == 'U' ? 8 : 0;
  if (digits == 0) {
    if (kind == 'N') return Status::error(Code::unsupported, "chat template, line %u: characters by name (\\N) are not supported", line);
    LINNET_TRY(syntax_.text.push('\\'));
    --*at;  // what follows stands for itself
    return {};
  }
  if (octal) --*at;
  uint32_t code = 0;
  size_t count = 0;
  for (; count < digits && *at < inside.size() && digit_of(inside[*at]) < (octal ? 8 : 16); ++count, ++*at)
    code = code * (octal ? 8 : 16) + static_cast<uint32_t>(digit_of(inside[*at]));
  if ((!octal && count < digits) || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000))
    return Status::error(Code::corrupt, "chat template, line %u: an escape in a string is no character", line);
  char bytes[4];
  const uint32_t length = encode(code, bytes);
  for (uint32_t i = 0; i < length; ++i) LINNET_TRY(syntax_.text.push(bytes[i]));
  return {};
}

}  // namespace linnet::text::chat
