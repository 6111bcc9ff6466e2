// Expressions that cut words where lower case ends: o200k and Mistral's Tekken. With U the capitals, title letters, letters without case
// and marks, and W the small letters, letters without case and marks:
//   [^\r\n\p{L}\p{N}]?U*W+C?|[^\r\n\p{L}\p{N}]?U+W*C?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+
#include "text/scanners.h"

namespace linnet::text {
namespace {

constexpr uint16_t kU = kUpper | kOtherLetter | kMark, kW = kLower | kOtherLetter | kMark;

// U*W+ from `at`: U* gives back as much as W+ needs.
size_t scan_small(std::string_view text, size_t at) {
  Cursor cursor(text, at);
  size_t behind_both = 0;  // the end of the last character that is in U and in W
  while (cursor.is(kU)) {
    const bool both = cursor.is(kW);
    cursor.next();
    if (both) behind_both = cursor.length();
  }
  if (cursor.skip(kW) > 0) return cursor.length();
  return behind_both;
}

// U+W*
size_t scan_capital(std::string_view text, size_t at) {
  Cursor cursor(text, at);
  if (cursor.skip(kU) == 0) return 0;
  cursor.skip(kW);
  return cursor.length();
}

template <size_t (*word)(std::string_view, size_t)>
size_t scan_word(std::string_view text, size_t at) {
  Cursor cursor(text, at);
  if (!cursor.done() && !cursor.is(kLetter | kNumber) && !cursor.is_line_end()) {
    cursor.next();
    if (const size_t length = word(text, cursor.at())) return cursor.length() + length;
  }
  return word(text, at);
}

size_t scan_rest(std::string_view text, size_t at) {
  Cursor cursor(text, at);
  if (cursor.code() == ' ') cursor.next();
  const size_t begin = cursor.at();
  while (!cursor.done() && !cursor.is(kSpace | kLetter | kNumber)) cursor.next();
  if (cursor.at() == begin) return 0;
  while (cursor.is_line_end() || cursor.code() == '/') cursor.next();
  return cursor.length();
}

size_t scan_by_case(std::string_view text, size_t at, size_t most_numbers, bool contractions) {
  size_t length = scan_word<scan_small>(text, at);
  if (length == 0) length = scan_word<scan_capital>(text, at);
  if (length > 0) return contractions && at + length < text.size() ? length + scan_contraction(text, at + length, true) : length;
  Cursor cursor(text, at);
  for (size_t i = 0; i < most_numbers && cursor.is(kNumber); ++i) cursor.next();
  if (cursor.length() > 0) return cursor.length();
  if ((length = scan_rest(text, at)) > 0) return length;
  return scan_spaces_by_line(text, at);
}

}  // namespace

size_t scan_o200k(std::string_view text, size_t at) noexcept { return scan_by_case(text, at, 3, true); }

size_t scan_tekken(std::string_view text, size_t at) noexcept { return scan_by_case(text, at, 1, false); }

}  // namespace linnet::text
