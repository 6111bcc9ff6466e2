// What the text rooms know of Unicode: UTF-8, classes of characters, lower case, normal forms, clusters. The tables are utf8proc's, used
// in unicode.cpp and normal_form.cpp alone and only through functions that do not allocate.
#pragma once

#include <cstdint>
#include <string_view>

namespace linnet::text {

constexpr char32_t kReplacement = 0xFFFD;
constexpr std::string_view kReplacementBytes = "\xEF\xBF\xBD";

struct Point {
  char32_t code;
  uint32_t length;   // bytes; at least 1
  bool valid;        // otherwise code is kReplacement and length the maximal part that could have begun a character
};

Point decode_long(const char* at, const char* end) noexcept;

/// The character at `at`, which is before `end`. Any bytes are allowed.
inline Point decode(const char* at, const char* end) noexcept {
  const auto byte = static_cast<uint8_t>(*at);
  if (byte < 0x80) return {byte, 1, true};
  return decode_long(at, end);
}
inline Point decode(std::string_view text, size_t at) noexcept { return decode(text.data() + at, text.data() + text.size()); }

/// Writes 1 to 4 bytes; `code` is a character.
uint32_t encode(char32_t code, char* out) noexcept;

/// The start of the character that ends at `at` (`at` > 0).
inline size_t previous(std::string_view text, size_t at) noexcept {
  size_t begin = at - 1;
  for (int i = 0; i < 3 && begin > 0 && (static_cast<uint8_t>(text[begin]) & 0xC0) == 0x80; ++i) --begin;
  return begin;
}

/// A character is in exactly one of the categories' classes; kSpace and kWord come on top.
enum Class : uint16_t {
  kUpper = 1 << 0,           // Lu, Lt
  kLower = 1 << 1,           // Ll
  kOtherLetter = 1 << 2,     // Lm, Lo
  kNonSpacing = 1 << 3,      // Mn
  kOtherMark = 1 << 4,       // Mc, Me
  kNumber = 1 << 5,          // N*
  kPunctuation = 1 << 6,     // P*
  kSymbol = 1 << 7,          // S*
  kControl = 1 << 8,         // Cc, Cf, Co
  kOther = 1 << 9,           // Z*, Cs, Cn
  kSpace = 1 << 10,          // White_Space
  kWord = 1 << 11,           // \w: alphabetic, marks, decimal digits, connectors, joiners
  kLetter = kUpper | kLower | kOtherLetter,
  kMark = kNonSpacing | kOtherMark,
};

uint16_t classes_long(char32_t code) noexcept;
extern const uint16_t kAsciiClasses[128];
inline uint16_t classes(char32_t code) noexcept { return code < 128 ? kAsciiClasses[code] : classes_long(code); }

/// The full mapping of one character without its context: 1 or 2 characters.
uint32_t lower(char32_t code, char32_t out[2]) noexcept;
/// The same for upper case: 1 to 3 characters. Title case is that of a word's first letter, and one character.
uint32_t upper(char32_t code, char32_t out[3]) noexcept;
char32_t title(char32_t code) noexcept;

/// Whether the capital sigma at `at` is the last letter of a word and not its only one: its lower case is then the final sigma.
constexpr char32_t kSigma = 0x3A3, kFinalSigma = 0x3C2;
bool is_final_sigma(std::string_view text, size_t at) noexcept;

/// Whether a cluster may end between two characters; `state` is 0 at the start of the text.
bool cluster_break(char32_t before, char32_t after, int32_t* state) noexcept;

}  // namespace linnet::text
