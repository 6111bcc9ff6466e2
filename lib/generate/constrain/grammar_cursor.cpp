#include "generate/constrain/grammar_cursor.h"

#include <algorithm>

#include "core/try.h"
#include "text/unicode.h"

namespace linnet::constrain {
namespace {

int32_t hex_digit(char c) {
  return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

}  // namespace

void GrammarCursor::skip(bool lines) noexcept {
  for (; at_ < text_.size(); ++at_) {
    const char c = text_[at_];
    if (c == '#')
      while (at_ + 1 < text_.size() && text_[at_ + 1] != '\n') ++at_;
    else if (c == '\n' || c == '\r') {
      if (!lines) return;
    } else if (c != ' ' && c != '\t') {
      return;
    }
  }
}

Status GrammarCursor::expected(const char* what) const noexcept {
  const std::string_view before = text_.substr(0, std::min(at_, text_.size()));
  const auto line = static_cast<size_t>(std::count(before.begin(), before.end(), '\n')) + 1;
  const size_t column = before.size() - (before.rfind('\n') + 1) + 1;  // npos + 1 is 0
  return Status::error(Code::invalid_argument, "the grammar's line %zu, column %zu: expected %s", line, column, what);
}

Result<char32_t> GrammarCursor::character(const char* end) noexcept {
  if (at_ == text_.size() || next_is('\n')) return expected(end);
  if (take('\\')) return escape();
  const text::Point point = text::decode(text_, at_);
  if (!point.valid) return expected("valid UTF-8");
  at_ += point.length;
  return point.code;
}

Result<char32_t> GrammarCursor::escape() noexcept {
  if (at_ == text_.size()) return expected("an escaped character");
  switch (const char c = text_[at_++]) {
    case 'n':
      return U'\n';
    case 'r':
      return U'\r';
    case 't':
      return U'\t';
    case 'x':
      return hex(2);
    case 'u':
      return hex(4);
    case 'U':
      return hex(8);
    case '\\':
    case '"':
    case '[':
    case ']':
    case '^':
    case '-':
    case '/':
      return static_cast<char32_t>(c);
    default:
      --at_;
      return expected("one of the escapes \\n \\r \\t \\x \\u \\U \\\\ \\\" \\[ \\] \\^ \\-");
  }
}

Result<char32_t> GrammarCursor::hex(int digits) noexcept {
  char32_t code = 0;
  for (int i = 0; i < digits; ++i, ++at_) {
    const int32_t digit = at_ < text_.size() ? hex_digit(text_[at_]) : -1;
    if (digit < 0) return expected("a hexadecimal digit");
    code = code << 4 | static_cast<char32_t>(digit);
  }
  if (code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) return expected("a character");
  return code;
}

}  // namespace linnet::constrain
