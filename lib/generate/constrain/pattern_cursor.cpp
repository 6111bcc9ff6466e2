#include "generate/constrain/pattern_cursor.h"

#include <algorithm>

#include "core/limits.h"
#include "core/try.h"
#include "text/unicode.h"

namespace linnet::constrain {

Status PatternCursor::invalid(const char* what) const noexcept {
  return Status::error(Code::invalid_argument, "the schema's pattern '%.*s' has %s at byte %zu", shown(), text_.data(), what, at_);
}
Status PatternCursor::unsupported(const char* what) const noexcept {
  return Status::error(Code::unsupported, "the schema's pattern '%.*s' has %s, which is not supported", shown(), text_.data(), what);
}
int PatternCursor::shown() const noexcept { return static_cast<int>(std::min<size_t>(text_.size(), 100)); }

Status PatternCursor::number(uint32_t* value) noexcept {
  if (at_ == text_.size() || text_[at_] < '0' || text_[at_] > '9') return invalid("no number");
  for (*value = 0; at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9'; ++at_) {
    *value = *value * 10 + static_cast<uint32_t>(text_[at_] - '0');
    if (*value > core::limits::kGrammarRepeat) return invalid("a repetition of more than 1000000 times");
  }
  return {};
}

Status PatternCursor::character(core::Array<CharacterRange>* ranges, bool* single, bool* shorthand) noexcept {
  if (at_ == text_.size()) return invalid("no end of a class or escape");
  *single = true;
  if (take('\\')) return escape(ranges, single, shorthand);
  const text::Point point = text::decode(text_, at_);
  at_ += point.length;
  return ranges->push({point.code, point.code});
}

Status PatternCursor::escape(core::Array<CharacterRange>* ranges, bool* single, bool* shorthand) noexcept {
  static constexpr CharacterRange kDigits[] = {{'0', '9'}}, kWord[] = {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}},
                                  kSpace[] = {{'\t', '\r'}, {' ', ' '}}, kNoDigits[] = {{' ', '/'}, {':', '~'}},
                                  kNoWord[] = {{' ', '/'}, {':', '@'}, {'[', '^'}, {'`', '`'}, {'{', '~'}}, kNoSpace[] = {{'!', '~'}};
  if (at_ == text_.size()) return invalid("an escape without a character");
  const auto add = [&](std::span<const CharacterRange> all) -> Status {
    *single = false;
    *shorthand = true;
    for (const CharacterRange& range : all) LINNET_TRY(ranges->push(range));
    return {};
  };
  const char c = text_[at_++];
  char32_t code = static_cast<uint8_t>(c);
  switch (c) {
    case 'd':
      return add(kDigits);
    case 'D':
      return add(kNoDigits);
    case 'w':
      return add(kWord);
    case 'W':
      return add(kNoWord);
    case 's':
      return add(kSpace);
    case 'S':
      return add(kNoSpace);
    case 'n':
      code = '\n';
      break;
    case 'r':
      code = '\r';
      break;
    case 't':
      code = '\t';
      break;
    case 'f':
      code = '\f';
      break;
    case 'v':
      code = '\v';
      break;
    case 'x':
      LINNET_TRY(hex(2, &code));
      break;
    case 'u':
      LINNET_TRY(hex(4, &code));
      break;
    default:
      if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) return unsupported("an escape of a letter or digit");
      if (code >= 0x80) return invalid("an escape of a character outside of ASCII");
  }
  return ranges->push({code, code});
}

Status PatternCursor::hex(int digits, char32_t* code) noexcept {
  *code = 0;
  for (int i = 0; i < digits; ++i, ++at_) {
    const char c = at_ < text_.size() ? text_[at_] : ' ';
    const int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
    if (digit < 0) return invalid("no hexadecimal digit");
    *code = *code << 4 | static_cast<char32_t>(digit);
  }
  return *code >= 0xD800 && *code < 0xE000 ? unsupported("half of a surrogate pair") : Status();
}

}  // namespace linnet::constrain
