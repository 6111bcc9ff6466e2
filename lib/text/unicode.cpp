#include "text/unicode.h"

#include <utf8proc.h>

namespace linnet::text {
namespace {

constexpr bool between(char32_t code, char32_t first, char32_t last) { return code >= first && code <= last; }

constexpr bool white_space(char32_t c) {
  return between(c, 9, 13) || c == 0x20 || c == 0x85 || c == 0xA0 || c == 0x1680 || between(c, 0x2000, 0x200A) || c == 0x2028 || c == 0x2029 ||
         c == 0x202F || c == 0x205F || c == 0x3000;
}

// Alphabetic characters that are neither letters, marks nor letter numbers.
constexpr bool alphabetic_symbol(char32_t c) {
  return between(c, 0x24B6, 0x24E9) || between(c, 0x1F130, 0x1F149) || between(c, 0x1F150, 0x1F169) || between(c, 0x1F170, 0x1F189);
}

constexpr uint16_t category_class(int category) {
  switch (category) {
    case UTF8PROC_CATEGORY_LU: case UTF8PROC_CATEGORY_LT: return kUpper | kWord;
    case UTF8PROC_CATEGORY_LL: return kLower | kWord;
    case UTF8PROC_CATEGORY_LM: case UTF8PROC_CATEGORY_LO: return kOtherLetter | kWord;
    case UTF8PROC_CATEGORY_MN: return kNonSpacing | kWord;
    case UTF8PROC_CATEGORY_MC: case UTF8PROC_CATEGORY_ME: return kOtherMark | kWord;
    case UTF8PROC_CATEGORY_ND: case UTF8PROC_CATEGORY_NL: return kNumber | kWord;
    case UTF8PROC_CATEGORY_NO: return kNumber;
    case UTF8PROC_CATEGORY_PC: return kPunctuation | kWord;
    case UTF8PROC_CATEGORY_PD: case UTF8PROC_CATEGORY_PS: case UTF8PROC_CATEGORY_PE: case UTF8PROC_CATEGORY_PI: case UTF8PROC_CATEGORY_PF:
    case UTF8PROC_CATEGORY_PO: return kPunctuation;
    case UTF8PROC_CATEGORY_SM: case UTF8PROC_CATEGORY_SC: case UTF8PROC_CATEGORY_SK: case UTF8PROC_CATEGORY_SO: return kSymbol;
    case UTF8PROC_CATEGORY_CC: case UTF8PROC_CATEGORY_CF: case UTF8PROC_CATEGORY_CO: return kControl;
    default: return kOther;
  }
}

}  // namespace

Point decode_long(const char* at, const char* end) noexcept {
  const auto* bytes = reinterpret_cast<const uint8_t*>(at);
  const auto left = static_cast<size_t>(end - at);
  const uint8_t lead = bytes[0];
  if (lead < 0x80) return {lead, 1, true};
  if (lead < 0xC2 || lead > 0xF4) return {kReplacement, 1, false};
  const uint32_t length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  // The second byte's range keeps out overlong forms, surrogates and what is above U+10FFFF.
  const uint8_t low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80, high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  char32_t code = lead & (0x7F >> length);
  for (uint32_t i = 1; i < length; ++i) {
    if (i >= left || bytes[i] < (i == 1 ? low : 0x80) || bytes[i] > (i == 1 ? high : 0xBF)) return {kReplacement, i, false};
    code = code << 6 | (bytes[i] & 0x3F);
  }
  return {code, length, true};
}

uint32_t encode(char32_t code, char* out) noexcept {
  if (code < 0x80) {
    out[0] = static_cast<char>(code);
    return 1;
  }
  const uint32_t length = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  for (uint32_t i = length - 1; i > 0; --i, code >>= 6) out[i] = static_cast<char>(0x80 | (code & 0x3F));
  constexpr uint8_t kLead[] = {0, 0, 0xC0, 0xE0, 0xF0};
  out[0] = static_cast<char>(kLead[length] | code);
  return length;
}

// Written out so that the ASCII path touches one small table.
#define C kControl
#define S kControl | kSpace
#define P kPunctuation
#define M kSymbol
#define N kNumber | kWord
#define U kUpper | kWord
#define L kLower | kWord
const uint16_t kAsciiClasses[128] = {
    C, C, C, C, C, C, C, C, C, S, S, S, S, S, C, C,                   //
    C, C, C, C, C, C, C, C, C, C, C, C, C, C, C, C,                   //
    kOther | kSpace, P, P, P, M, P, P, P, P, P, P, M, P, P, P, P,     //
    N, N, N, N, N, N, N, N, N, N, P, P, M, M, M, P,                   //
    P, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U,                   //
    U, U, U, U, U, U, U, U, U, U, U, P, P, P, M, kPunctuation | kWord, //
    M, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L,                   //
    L, L, L, L, L, L, L, L, L, L, L, P, M, P, M, C,
};
#undef C
#undef S
#undef P
#undef M
#undef N
#undef U
#undef L

uint16_t classes_long(char32_t code) noexcept {
  uint16_t found = category_class(utf8proc_category(static_cast<utf8proc_int32_t>(code)));
  if (white_space(code)) found |= kSpace;
  if (alphabetic_symbol(code) || code == 0x200C || code == 0x200D) found |= kWord;
  return found;
}

uint32_t lower(char32_t code, char32_t out[2]) noexcept {
  if (code < 128) {
    out[0] = code >= 'A' && code <= 'Z' ? code + 32 : code;
    return 1;
  }
  if (code == 0x130) {   // the only letter whose lower case is two characters: i and a dot above
    out[0] = 'i';
    out[1] = 0x307;
    return 2;
  }
  out[0] = static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(code)));
  return 1;
}

namespace {

// Whether a character is of either case, and whether it is passed over when the surroundings of a letter are asked for their case.
bool cased(char32_t code) {
  return (classes(code) & (kUpper | kLower)) != 0 || alphabetic_symbol(code) || between(code, 0x2160, 0x217F) || code == 0xAA || code == 0xBA;
}

bool case_ignorable(char32_t code) {
  // Marks of punctuation that stand within words.
  constexpr char32_t kWithin[] = {0x27,   0x2E,   0x3A,   0xB7,   0x387,  0x55F,  0x5F4,  0x2018, 0x2019,
                                  0x2024, 0x2027, 0xFE13, 0xFE52, 0xFE55, 0xFF07, 0xFF0E, 0xFF1A};
  switch (utf8proc_category(static_cast<utf8proc_int32_t>(code))) {
    case UTF8PROC_CATEGORY_MN: case UTF8PROC_CATEGORY_ME: case UTF8PROC_CATEGORY_CF: case UTF8PROC_CATEGORY_LM: case UTF8PROC_CATEGORY_SK:
      return true;
    default:
      for (char32_t mark : kWithin)
        if (code == mark) return true;
      return false;
  }
}

}  // namespace

bool is_final_sigma(std::string_view text, size_t at) noexcept {
  bool follows = false;
  for (size_t before = at; before > 0 && !follows;) {
    before = previous(text, before);
    const char32_t code = decode(text, before).code;
    if (case_ignorable(code)) continue;
    if (!cased(code)) return false;
    follows = true;
  }
  if (!follows) return false;
  for (at += decode(text, at).length; at < text.size(); at += decode(text, at).length)
    if (const char32_t code = decode(text, at).code; !case_ignorable(code)) return !cased(code);
  return true;
}

uint32_t upper(char32_t code, char32_t out[3]) noexcept {
  // Letters whose upper case is several; ligatures of f and s.
  constexpr char32_t kSeveral[][4] = {{0xDF, 'S', 'S'},        {0x149, 0x2BC, 'N'},     {0x1F0, 'J', 0x30C},     {0xFB00, 'F', 'F'},
                                      {0xFB01, 'F', 'I'},      {0xFB02, 'F', 'L'},      {0xFB03, 'F', 'F', 'I'}, {0xFB04, 'F', 'F', 'L'},
                                      {0xFB05, 'S', 'T'},      {0xFB06, 'S', 'T'}};
  for (const auto& letter : kSeveral) {
    if (letter[0] != code) continue;
    for (uint32_t i = 0; i < 3; ++i) out[i] = letter[i + 1];
    return out[2] ? 3 : 2;
  }
  out[0] = static_cast<char32_t>(utf8proc_toupper(static_cast<utf8proc_int32_t>(code)));
  return 1;
}

char32_t title(char32_t code) noexcept { return static_cast<char32_t>(utf8proc_totitle(static_cast<utf8proc_int32_t>(code))); }

bool cluster_break(char32_t before, char32_t after, int32_t* state) noexcept {
  return utf8proc_grapheme_break_stateful(static_cast<utf8proc_int32_t>(before), static_cast<utf8proc_int32_t>(after), state);
}

}  // namespace linnet::text
