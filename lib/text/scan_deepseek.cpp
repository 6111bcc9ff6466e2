// The expressions of DeepSeek's tokenizers, which cut a text several times over.
#include <algorithm>
#include <iterator>

#include "text/scanners.h"

namespace linnet::text {
namespace {

struct Range {
  char32_t first, last;
};

// Letters with case, as the published expression lists them.
constexpr Range kCased[] = {
    {0x41, 0x5A},       {0x61, 0x7A},       {0xB5, 0xB5},       {0xC0, 0xD6},       {0xD8, 0xF6},       {0xF8, 0x1BA},
    {0x1BC, 0x1BF},     {0x1C4, 0x293},     {0x295, 0x2AF},     {0x370, 0x373},     {0x376, 0x376},     {0x377, 0x377},
    {0x37B, 0x37D},     {0x37F, 0x37F},     {0x386, 0x386},     {0x388, 0x38A},     {0x38C, 0x38C},     {0x38E, 0x3A1},
    {0x3A3, 0x3F5},     {0x3F7, 0x481},     {0x48A, 0x52F},     {0x531, 0x556},     {0x10A0, 0x10C5},   {0x13A0, 0x13F5},
    {0x13F8, 0x13FD},   {0x1C90, 0x1CBA},   {0x1CBD, 0x1CBF},   {0x1D00, 0x1D2B},   {0x1D6B, 0x1D77},   {0x1D79, 0x1D9A},
    {0x1E00, 0x1F15},   {0x1F18, 0x1F1D},   {0x1F20, 0x1F45},   {0x1F48, 0x1F4D},   {0x1F50, 0x1F57},   {0x1F59, 0x1F59},
    {0x1F5B, 0x1F5B},   {0x1F5D, 0x1F5D},   {0x1F5F, 0x1F7D},   {0x1F80, 0x1FB4},   {0x1FB6, 0x1FBC},   {0x1FBE, 0x1FBE},
    {0x1FC2, 0x1FC4},   {0x1FC6, 0x1FCC},   {0x1FD0, 0x1FD3},   {0x1FD6, 0x1FDB},   {0x1FE0, 0x1FEC},   {0x1FF2, 0x1FF4},
    {0x1FF6, 0x1FFC},   {0x2102, 0x2102},   {0x2107, 0x2107},   {0x210A, 0x2113},   {0x2115, 0x2115},   {0x2119, 0x211D},
    {0x2124, 0x2124},   {0x2126, 0x2126},   {0x2128, 0x2128},   {0x212A, 0x212D},   {0x212F, 0x2134},   {0x2139, 0x2139},
    {0x213C, 0x213F},   {0x2145, 0x2149},   {0x214E, 0x214E},   {0x2183, 0x2183},   {0x2184, 0x2184},   {0x2C00, 0x2C7B},
    {0x2C7E, 0x2CE4},   {0x2CEB, 0x2CEE},   {0x2CF2, 0x2CF2},   {0x2CF3, 0x2CF3},   {0xA640, 0xA66D},   {0xA680, 0xA69B},
    {0xA722, 0xA76F},   {0xA771, 0xA787},   {0xA78B, 0xA78E},   {0xAB70, 0xABBF},   {0xFB00, 0xFB06},   {0xFB13, 0xFB17},
    {0xFF21, 0xFF3A},   {0xFF41, 0xFF5A},   {0x10400, 0x1044F}, {0x104B0, 0x104D3}, {0x104D8, 0x104FB}, {0x10C80, 0x10CB2},
    {0x10CC0, 0x10CF2}, {0x118A0, 0x118DF}, {0x1E900, 0x1E943},
};

bool is_cased(char32_t code) {
  const Range* found =
      std::upper_bound(std::begin(kCased), std::end(kCased), code, [](char32_t c, const Range& range) { return c < range.first; });
  return found != std::begin(kCased) && code <= found[-1].last;
}

constexpr bool between(char32_t code, char32_t first, char32_t last) { return code >= first && code <= last; }

bool is_mark(char32_t c) {  // [!-/:-~！-／：-～‘-‟　-。]
  return between(c, '!', '/') || between(c, ':', '~') || between(c, 0xFF01, 0xFF0F) || between(c, 0xFF1A, 0xFF5E) ||
         between(c, 0x2018, 0x201F) || between(c, 0x3000, 0x3002);
}

bool is_ideograph(char32_t c) { return between(c, 0x800, 0x9FA5) || between(c, 0xAC00, 0xD7FF); }

bool is_ideograph_or_kana(char32_t c) { return between(c, 0x4E00, 0x9FA5) || between(c, 0x3040, 0x30FF); }

constexpr bool is_ascii_letter(char32_t c) { return between(c, 'A', 'Z') || between(c, 'a', 'z'); }

bool is_ascii_mark(char32_t c) { return between(c, '!', '/') || between(c, ':', '@') || between(c, '[', '`') || between(c, '{', '~'); }

size_t skip_if(Cursor* cursor, bool (*wanted)(char32_t)) {
  size_t count = 0;
  for (; !cursor->done() && wanted(cursor->code()); cursor->next()) ++count;
  return count;
}

size_t scan_run(std::string_view text, size_t at, bool (*wanted)(char32_t)) {
  Cursor cursor(text, at);
  skip_if(&cursor, wanted);
  return cursor.length();
}

// \s?X+, where white space may be in X itself
size_t scan_spaced_run(std::string_view text, size_t at, bool (*wanted)(char32_t)) {
  Cursor cursor(text, at);
  if (cursor.is(kSpace)) {
    cursor.next();
    if (skip_if(&cursor, wanted) > 0) return cursor.length();
    cursor.go(at);
  }
  return skip_if(&cursor, wanted) > 0 ? cursor.length() : 0;
}

}  // namespace

size_t scan_deepseek_cased(std::string_view text, size_t at) noexcept { return scan_spaced_run(text, at, is_cased); }
size_t scan_deepseek_marks(std::string_view text, size_t at) noexcept { return scan_spaced_run(text, at, is_mark); }
size_t scan_deepseek_ideographs(std::string_view text, size_t at) noexcept { return scan_run(text, at, is_ideograph); }
size_t scan_deepseek3_ideographs(std::string_view text, size_t at) noexcept { return scan_run(text, at, is_ideograph_or_kana); }

// [ASCII mark][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+
size_t scan_deepseek3(std::string_view text, size_t at) noexcept {
  Cursor cursor(text, at);
  if (is_ascii_mark(cursor.code())) {
    cursor.next();
    if (skip_if(&cursor, is_ascii_letter) > 0) return cursor.length();
    cursor.go(at);
  }
  if (!cursor.is(kLetter | kPunctuation | kSymbol) && !cursor.is_line_end()) {
    cursor.next();
    if (cursor.skip(kLetter | kMark) > 0) return cursor.length();
    cursor.go(at);
  }
  if (cursor.skip(kLetter | kMark) > 0) return cursor.length();
  if (cursor.code() == ' ') cursor.next();
  if (cursor.skip(kPunctuation | kSymbol) > 0) {
    cursor.skip_line_ends();
    return cursor.length();
  }
  return scan_spaces_by_line(text, at);
}

}  // namespace linnet::text
