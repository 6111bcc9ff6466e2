// Expressions of one class of characters.
#include <algorithm>

#include "text/scanners.h"

namespace linnet::text {
namespace {

size_t scan_some(std::string_view text, size_t at, uint16_t wanted, size_t most) {
  Cursor cursor(text, at);
  for (size_t i = 0; i < most && cursor.is(wanted); ++i) cursor.next();
  return cursor.length();
}

// \s?X+
size_t scan_spaced(std::string_view text, size_t at, uint16_t wanted) {
  Cursor cursor(text, at);
  if (cursor.is(kSpace)) cursor.next();
  return cursor.skip(wanted) > 0 ? cursor.length() : 0;
}

size_t scan_marks_and(std::string_view text, size_t at, std::u32string_view symbols) {
  Cursor cursor(text, at);
  while (!cursor.done() && (cursor.is(kPunctuation) || symbols.find(cursor.code()) != symbols.npos)) cursor.next();
  return cursor.length();
}

}  // namespace

size_t scan_number(std::string_view text, size_t at) noexcept { return scan_some(text, at, kNumber, 1); }
size_t scan_numbers(std::string_view text, size_t at) noexcept { return scan_some(text, at, kNumber, SIZE_MAX); }
size_t scan_numbers_1_3(std::string_view text, size_t at) noexcept { return scan_some(text, at, kNumber, 3); }

size_t scan_three_digits(std::string_view text, size_t at) noexcept {
  if (text.size() - at < 3) return 0;
  for (size_t i = at; i < at + 3; ++i)
    if (text[i] < '0' || text[i] > '9') return 0;
  return 3;
}

size_t scan_line_end(std::string_view text, size_t at) noexcept { return text[at] == '\r' || text[at] == '\n' ? 1 : 0; }
size_t scan_spaced_letters(std::string_view text, size_t at) noexcept { return scan_spaced(text, at, kLetter); }
size_t scan_spaced_punctuation(std::string_view text, size_t at) noexcept { return scan_spaced(text, at, kPunctuation); }

// A run is looked at once, from its first character: had it gone to the end, the match would have begun there.
size_t scan_trailing_spaces(std::string_view text, size_t at) noexcept {
  if (at > 0 && (classes(decode(text, previous(text, at)).code) & kSpace) != 0) return 0;
  Cursor cursor(text, at);
  cursor.skip(kSpace);
  return cursor.done() ? cursor.length() : 0;
}

size_t scan_marks_backquote(std::string_view text, size_t at) noexcept { return scan_marks_and(text, at, U"$+<=>^~|`"); }
size_t scan_marks(std::string_view text, size_t at) noexcept { return scan_marks_and(text, at, U"$+<=>^~|"); }

size_t scan_words(std::string_view text, size_t at) noexcept {
  Cursor cursor(text, at);
  if (cursor.skip(kWord) == 0)
    while (!cursor.done() && !cursor.is(kWord | kSpace)) cursor.next();
  return cursor.length();
}

size_t scan_white_space(std::string_view text, size_t at) noexcept { return scan_some(text, at, kSpace, 1); }
size_t scan_white_space_run(std::string_view text, size_t at) noexcept { return scan_some(text, at, kSpace, SIZE_MAX); }

size_t scan_two_spaces(std::string_view text, size_t at) noexcept {
  size_t end = at;
  while (end < text.size() && text[end] == ' ') ++end;
  return end - at >= 2 ? end - at : 0;
}

size_t scan_spaced_words(std::string_view text, size_t at) noexcept {
  constexpr std::string_view kSpace = "\xE2\x96\x81";
  size_t end = at;
  while (text.substr(end, kSpace.size()) == kSpace) end += kSpace.size();
  return std::min(text.find(kSpace, end), text.size()) - at;
}

size_t scan_punctuation(std::string_view text, size_t at) noexcept {
  const Point point = decode(text, at);
  const uint16_t wanted = point.code < 0x80 ? kPunctuation | kSymbol : kPunctuation;
  return (classes(point.code) & wanted) != 0 ? point.length : 0;
}

}  // namespace linnet::text
