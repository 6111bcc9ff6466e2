// Small functions on text that the parser and the filters share. Indices of `cut` must lie within the text.
#pragma once

#include <cstdint>
#include <string_view>

#include "text/unicode.h"

namespace linnet::text::chat {

inline std::string_view cut(std::string_view text, size_t begin, size_t end) noexcept {
  return {text.data() + begin, end > begin ? end - begin : 0};
}

/// Whether `name` is one of the words of `all`, which have spaces between them.
inline bool is_among(std::string_view name, std::string_view all) noexcept {
  while (!all.empty()) {
    const size_t end = all.find(' ') == all.npos ? all.size() : all.find(' ');
    if (cut(all, 0, end) == name) return true;
    all = cut(all, end == all.size() ? end : end + 1, all.size());
  }
  return false;
}

/// White space as str.strip takes it away.
inline bool is_white(char32_t code) noexcept { return (classes(code) & kSpace) != 0 || (code >= 0x1C && code <= 0x1F); }

/// Bytes of white space at the begin, and what is left without that at the end.
inline size_t trimmed_begin(std::string_view text) noexcept {
  size_t at = 0;
  while (at < text.size()) {
    const Point point = decode(text, at);
    if (!is_white(point.code)) break;
    at += point.length;
  }
  return at;
}
inline size_t trimmed_end(std::string_view text) noexcept {
  size_t at = text.size();
  while (at > 0) {
    const size_t before = previous(text, at);
    if (!is_white(decode(text, before).code)) break;
    at = before;
  }
  return at;
}

/// Characters of valid UTF-8.
inline size_t count_characters(std::string_view text) noexcept {
  size_t count = 0;
  for (char c : text) count += (static_cast<uint8_t>(c) & 0xC0) != 0x80;
  return count;
}

/// The byte that lies so many characters of valid UTF-8 behind `at`.
inline size_t advance(std::string_view text, size_t at, size_t characters) noexcept {
  for (; at < text.size(); ++at)
    if ((static_cast<uint8_t>(text[at]) & 0xC0) != 0x80 && characters-- == 0) break;
  return at;
}

}  // namespace linnet::text::chat
