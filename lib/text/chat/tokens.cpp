#include "text/chat/tokens.h"

#include <algorithm>

#include "core/try.h"
#include "text/chat/text_tools.h"

namespace linnet::text::chat {
namespace {

constexpr std::string_view kSigns[] = {"//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[",
                                       "]",  "(",  ")",  "{",  "}",  ">",  "<", "=", ".", ":", "|", ",", ";"};

class Reader {
 public:
  Reader(std::string_view source, core::Array<Token>* tokens) noexcept : source_(source), tokens_(*tokens) {}

  Status read() noexcept {
    while (at_ < source_.size()) {
      const size_t tag = next_tag();
      if (tag == source_.size()) {
        LINNET_TRY(push_text(at_, tag));
        break;
      }
      const char kind = source_[tag + 1], sign = char_at(tag + 2);
      LINNET_TRY(push_text(at_, end_of_text(tag, sign, kind == '{')));
      at_ = tag + (sign == '-' || sign == '+' ? 3 : 2);
      if (kind == '#')
        LINNET_TRY(skip_comment());
      else if (kind == '%' && begins_raw())
        LINNET_TRY(read_raw());
      else
        LINNET_TRY(read_tag(kind == '{'));
    }
    return tokens_.push({TokenKind::end, line_at(source_.size()), {}});
  }

 private:
  char char_at(size_t at) const { return at < source_.size() ? source_[at] : '\0'; }
  bool stands(size_t at, std::string_view word) const { return cut(source_, at, source_.size()).starts_with(word); }

  // Lines are counted from where the last question was.
  uint32_t line_at(size_t at) {
    for (; counted_ < at; ++counted_) line_ += source_[counted_] == '\n';
    return line_;
  }
  static Status fail(uint32_t line, const char* what) { return Status::error(Code::corrupt, "chat template, line %u: %s", line, what); }

  size_t next_tag() const {
    for (size_t at = at_; (at = source_.find('{', at)) != source_.npos && at + 1 < source_.size(); ++at)
      if (source_[at + 1] == '{' || source_[at + 1] == '%' || source_[at + 1] == '#') return at;
    return source_.size();
  }

  // Where the text before a tag ends: white space goes with "-", and on the line of a block unless "+" keeps it.
  size_t end_of_text(size_t tag, char sign, bool prints) const {
    const std::string_view text = cut(source_, at_, tag);
    if (sign == '-') return at_ + trimmed_end(text);
    if (sign == '+' || prints) return tag;
    const size_t newline = text.rfind('\n');
    const size_t line = newline == text.npos ? 0 : newline + 1;
    if (line == 0 && !at_line_start_) return tag;
    return trimmed_end(cut(text, line, text.size())) == 0 ? at_ + line : tag;
  }

  Status push_text(size_t begin, size_t end) {
    if (begin == end) return {};
    return tokens_.push({TokenKind::text, line_at(begin), cut(source_, begin, end)});
  }
  Status push(TokenKind kind, size_t end) {
    const Token token{kind, line_at(at_), cut(source_, at_, end)};
    at_ = end;
    return tokens_.push(token);
  }

  // The length of a tag's end at `at`, with the white space that it takes; 0: there is none.
  size_t tag_end(size_t at, std::string_view end, bool takes_newline) const {
    const char sign = char_at(at);
    if (sign == '-' && stands(at + 1, end)) {
      const size_t after = at + 1 + end.size();
      return after + trimmed_begin(cut(source_, after, source_.size())) - at;
    }
    if (sign == '+' && takes_newline && stands(at + 1, end)) return 1 + end.size();
    if (!stands(at, end)) return 0;
    return end.size() + (takes_newline && char_at(at + end.size()) == '\n' ? 1 : 0);
  }
  void leave_tag(size_t end) {
    at_ = end;
    at_line_start_ = end > 0 && source_[end - 1] == '\n';
  }

  Status skip_comment() {
    const uint32_t line = line_at(at_);
    for (size_t at = at_; at < source_.size(); ++at)
      if (const size_t length = tag_end(at, "#}", true)) {
        leave_tag(at + length);
        return {};
      }
    return fail(line, "a comment {# is never closed with #}");
  }

  size_t skip_space(size_t at) const { return at + trimmed_begin(cut(source_, at, source_.size())); }

  // {% raw %}: at_ is behind the sign.
  bool begins_raw() const {
    const size_t name = skip_space(at_);
    if (!stands(name, "raw")) return false;
    const size_t end = skip_space(name + 3);
    return stands(end, "-%}") || stands(end, "%}");
  }
  Status read_raw() {
    const uint32_t line = line_at(at_);
    const size_t end = skip_space(skip_space(at_) + 3);
    at_ = end + tag_end(end, "%}", false);
    at_line_start_ = source_[at_ - 1] == '\n';
    for (size_t at = at_; (at = source_.find("{%", at)) != source_.npos; ++at) {
      const char sign = char_at(at + 2);
      const size_t name = skip_space(at + (sign == '-' || sign == '+' ? 3 : 2));
      if (!stands(name, "endraw")) continue;
      const size_t close = skip_space(name + 6);
      const size_t length = tag_end(close, "%}", true);
      if (length == 0) continue;
      LINNET_TRY(push_text(at_, end_of_text(at, sign, false)));
      leave_tag(close + length);
      return {};
    }
    return fail(line, "{% raw %} is never closed with {% endraw %}");
  }

  Status read_tag(bool prints) {
    const uint32_t line = line_at(at_);
    LINNET_TRY(push(prints ? TokenKind::print_begin : TokenKind::block_begin, at_));
    depth_ = 0;
    while (at_ < source_.size()) {
      const size_t length = depth_ == 0 ? tag_end(at_, prints ? "}}" : "%}", !prints) : 0;
      if (length > 0) {
        LINNET_TRY(push(prints ? TokenKind::print_end : TokenKind::block_end, at_ + length));
        leave_tag(at_);
        return {};
      }
      const size_t space = trimmed_begin(cut(source_, at_, source_.size()));
      if (space > 0)
        at_ += space;
      else
        LINNET_TRY(read_word());
    }
    return fail(line, prints ? "{{ is never closed with }}" : "{% is never closed with %}");
  }

  Status read_word() {
    const char c = source_[at_];
    if (is_digit(c)) return read_number();
    if (is_name(c)) {
      size_t end = at_;
      while (is_name(char_at(end))) ++end;
      return push(TokenKind::name, end);
    }
    if (c == '\'' || c == '"') {
      size_t end = at_ + 1;
      while (end < source_.size() && source_[end] != c) end += source_[end] == '\\' ? 2 : 1;
      if (end >= source_.size()) return fail(line_at(at_), "a string is never closed");
      return push(TokenKind::string, end + 1);
    }
    for (std::string_view sign : kSigns)
      if (stands(at_, sign)) {
        LINNET_TRY(count_brackets(sign[0]));
        return push(TokenKind::sign, at_ + sign.size());
      }
    return fail(line_at(at_), "a character that no expression has");
  }

  Status count_brackets(char sign) {
    const char opens = sign == ')' ? '(' : sign == ']' ? '[' : sign == '}' ? '{' : '\0';
    if (sign == '(' || sign == '[' || sign == '{') {
      if (depth_ == sizeof brackets_) return fail(line_at(at_), "brackets are nested too deep");
      brackets_[depth_++] = sign;
    } else if (opens != '\0' && (depth_ == 0 || brackets_[--depth_] != opens)) {
      return fail(line_at(at_), "a bracket closes what is not open");
    }
    return {};
  }

  static bool is_digit(char c) { return c >= '0' && c <= '9'; }
  static bool is_name(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_' || (static_cast<uint8_t>(c) & 0x80) != 0;
  }
  // Digits with single underscores between them.
  size_t digits(size_t at) const {
    while (is_digit(char_at(at)) || (char_at(at) == '_' && is_digit(char_at(at + 1)))) ++at;
    return at;
  }

  Status read_number() {
    const bool after_point = at_ > 0 && source_[at_ - 1] == '.';
    size_t end = digits(at_);
    TokenKind kind = TokenKind::integer;
    if (!after_point && char_at(end) == '.' && is_digit(char_at(end + 1))) {
      kind = TokenKind::real;
      end = digits(end + 1);
    }
    if (!after_point && (char_at(end) | 0x20) == 'e') {
      const size_t exponent = end + (char_at(end + 1) == '+' || char_at(end + 1) == '-' ? 2 : 1);
      if (is_digit(char_at(exponent))) {
        kind = TokenKind::real;
        end = digits(exponent);
      }
    }
    if (end == at_ + 1 && source_[at_] == '0' && is_name(char_at(end)))
      while (is_name(char_at(end))) ++end;  // 0x1f, 0b11, 0o17
    return push(kind, end);
  }

  std::string_view source_;
  core::Array<Token>& tokens_;
  size_t at_ = 0, counted_ = 0;
  uint32_t line_ = 1, depth_ = 0;
  bool at_line_start_ = true;
  char brackets_[128];
};

}  // namespace

Status read_tokens(std::string_view source, core::Array<Token>* tokens) noexcept { return Reader(source, tokens).read(); }

}  // namespace linnet::text::chat
