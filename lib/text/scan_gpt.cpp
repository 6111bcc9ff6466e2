// GPT-2's expression and those that grew from it.
#include "text/scanners.h"

namespace linnet::text {
namespace {

constexpr uint16_t kMarksAndRest = kMark | kPunctuation | kSymbol | kControl | kOther;  // neither letters nor numbers; white space apart

bool is_rest(const Cursor& cursor) { return cursor.is(kMarksAndRest) && !cursor.is(kSpace); }

size_t skip_rest(Cursor* cursor) {
  size_t count = 0;
  for (; is_rest(*cursor); cursor->next()) ++count;
  return count;
}

char32_t folded(char32_t c, bool any_case) {
  if (!any_case) return c;
  if (c == 0x17F) return 's';  // the long s folds to s
  return c >= 'A' && c <= 'Z' ? c + 32 : c;
}

// [^\s\p{L}\p{N}]+[\r\n]* behind an optional space.
size_t scan_rest_and_lines(std::string_view text, size_t at) {
  Cursor cursor(text, at);
  if (cursor.code() == ' ') cursor.next();
  if (skip_rest(&cursor) == 0) return 0;
  cursor.skip_line_ends();
  return cursor.length();
}

size_t scan_by_line(std::string_view text, size_t at, size_t most_numbers) {
  if (const size_t length = scan_contraction(text, at, true)) return length;
  Cursor cursor(text, at);
  if (!cursor.is(kLetter | kNumber) && !cursor.is_line_end()) cursor.next();
  if (cursor.skip(kLetter) > 0) return cursor.length();
  cursor.go(at);
  for (size_t i = 0; i < most_numbers && cursor.is(kNumber); ++i) cursor.next();
  if (cursor.length() > 0) return cursor.length();
  if (const size_t length = scan_rest_and_lines(text, at)) return length;
  return scan_spaces_by_line(text, at);
}

}  // namespace

size_t scan_contraction(std::string_view text, size_t at, bool any_case) noexcept {
  if (text[at] != '\'') return 0;
  Cursor cursor(text, at + 1);
  const char32_t first = folded(cursor.code(), any_case);
  if (first == 's' || first == 't' || first == 'm' || first == 'd') {
    cursor.next();
    return 1 + cursor.length();
  }
  if (first != 'r' && first != 'v' && first != 'l') return 0;
  cursor.next();
  if (folded(cursor.code(), any_case) != (first == 'l' ? 'l' : 'e')) return 0;
  cursor.next();
  return 1 + cursor.length();
}

size_t scan_spaces(std::string_view text, size_t at) noexcept {
  Cursor cursor(text, at);
  size_t last = at;
  for (; cursor.is(kSpace); cursor.next()) last = cursor.at();
  if (!cursor.done() && last > at) return last - at;  // the last one goes with what follows
  return cursor.length();
}

size_t scan_spaces_by_line(std::string_view text, size_t at) noexcept {
  Cursor cursor(text, at);
  size_t behind_line_end = at;
  while (cursor.is(kSpace)) {
    const bool line_end = cursor.is_line_end();
    cursor.next();
    if (line_end) behind_line_end = cursor.at();
  }
  if (behind_line_end > at) return behind_line_end - at;
  return scan_spaces(text, at);
}

size_t scan_gpt2(std::string_view text, size_t at) noexcept {
  if (const size_t length = scan_contraction(text, at, false)) return length;
  Cursor cursor(text, at);
  if (cursor.code() == ' ') cursor.next();
  if (cursor.is(kLetter))
    cursor.skip(kLetter);
  else if (cursor.is(kNumber))
    cursor.skip(kNumber);
  else if (skip_rest(&cursor) == 0)
    return scan_spaces(text, at);
  return cursor.length();
}

size_t scan_llama3(std::string_view text, size_t at) noexcept { return scan_by_line(text, at, 3); }

size_t scan_qwen2(std::string_view text, size_t at) noexcept { return scan_by_line(text, at, 1); }

size_t scan_clip(std::string_view text, size_t at) noexcept {
  if (const size_t length = scan_contraction(text, at, false)) return length;
  Cursor cursor(text, at);
  if (cursor.is(kNumber)) {
    cursor.next();
    return cursor.length();
  }
  if (cursor.skip(kLetter) == 0) skip_rest(&cursor);
  return cursor.length();
}

size_t scan_bloom(std::string_view text, size_t at) noexcept {
  constexpr std::u32string_view kEnds = U"(|.,!?)\u2026\u3002\uFF0C\u3001\u0964\u06D4\u060C";
  Cursor cursor(text, at);
  if (cursor.code() == ' ') cursor.next();
  const size_t begin = cursor.at();
  while (!cursor.done() && !cursor.is(kSpace) && kEnds.find(cursor.code()) == kEnds.npos) cursor.next();
  return cursor.at() > begin ? cursor.length() : 0;
}

}  // namespace linnet::text
