#include "core/json_text.h"

#include <algorithm>
#include <charconv>

namespace linnet::core {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Bytes of the UTF-8 sequence at `at`; 0 where it is none.
size_t sequence_length(std::string_view text, size_t at) {
  const auto byte = [&](size_t i) { return at + i < text.size() ? static_cast<uint8_t>(text[at + i]) : uint8_t{0}; };
  const uint8_t lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead < 0xC2 || lead > 0xF4) return 0;
  const size_t length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  // The second byte's range keeps out overlong forms, surrogates and what is above U+10FFFF.
  const uint8_t low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80, high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  if (byte(1) < low || byte(1) > high) return 0;
  for (size_t i = 2; i < length; ++i)
    if (byte(i) < 0x80 || byte(i) > 0xBF) return 0;
  return length;
}

// Whether a number that from_chars calls out of range is too large, rather than too small.
bool is_large(std::string_view number) {
  const size_t mark = std::min(number.find_first_of("eE"), number.size());
  const size_t point = std::min(number.find('.'), mark), digit = number.find_first_of("123456789");
  int64_t exponent = 0;
  if (mark < number.size()) {
    const char* begin = number.data() + mark + (number[mark + 1] == '+' ? 2 : 1);
    if (std::from_chars(begin, number.data() + number.size(), exponent).ec != std::errc()) return number[mark + 1] != '-';
  }
  const int64_t place = digit < point ? static_cast<int64_t>(point - digit) : -static_cast<int64_t>(digit - point);
  return exponent + place > 0;
}

}  // namespace

void JsonText::skip_space() noexcept {
  while (at_ < source_.size() && (source_[at_] == ' ' || source_[at_] == '\t' || source_[at_] == '\n' || source_[at_] == '\r')) ++at_;
}

bool JsonText::take(std::string_view word) noexcept {
  if (!std::string_view(source_.data() + at_, source_.size() - at_).starts_with(word)) return false;
  at_ += word.size();
  return true;
}

Status JsonText::fail(const char* expected) const noexcept {
  const std::string_view before(source_.data(), at_);
  const auto line = std::count(before.begin(), before.end(), '\n') + 1;
  const size_t newline = before.rfind('\n');
  return Status::error(Code::invalid_argument, "JSON, line %td, column %zu: expected %s", line,
                       newline == before.npos ? at_ + 1 : at_ - newline, expected);
}

Status JsonText::read_digits() noexcept {
  if (!is_digit(peek())) return fail("a digit");
  while (is_digit(peek())) ++at_;
  return {};
}

Status JsonText::read_number(JsonNumber* number) noexcept {
  const size_t begin = at_;
  if (peek() == '-') ++at_;
  if (peek() == '0')
    ++at_;
  else
    LINNET_TRY(read_digits());
  number->whole = peek() != '.' && (peek() | 0x20) != 'e';
  if (peek() == '.') {
    ++at_;
    LINNET_TRY(read_digits());
  }
  if ((peek() | 0x20) == 'e') {
    ++at_;
    if (peek() == '+' || peek() == '-') ++at_;
    LINNET_TRY(read_digits());
  }
  number->text = keep({source_.data() + begin, at_ - begin});
  const char *first = number->text.data(), *last = first + number->text.size();
  number->integer = 0;
  number->real = 0;
  if (number->whole && std::from_chars(first, last, number->integer).ec == std::errc()) return {};
  number->whole = false;
  if (std::from_chars(first, last, number->real).ec == std::errc() || !is_large(number->text)) return {};
  at_ = begin;
  return fail("a number below 1.8e308");
}

std::string_view JsonText::keep(std::string_view text) noexcept {
  const size_t begin = kept_.size();
  for (char c : text) put(c);
  return {kept_.data() + begin, text.size()};
}
Status JsonText::read_string(std::string_view* text) noexcept {
  const size_t begin = kept_.size();
  ++at_;
  while (peek() != '"') {
    if (at_end()) return fail("'\"'");
    const size_t length = sequence_length(source_, at_);
    if (length == 0) return fail("valid UTF-8");
    if (static_cast<uint8_t>(source_[at_]) < 0x20) return fail("no control character in a string");
    if (source_[at_] == '\\') {
      LINNET_TRY(read_escape());
      continue;
    }
    for (size_t i = 0; i < length; ++i) put(source_[at_ + i]);
    at_ += length;
  }
  ++at_;
  *text = {kept_.data() + begin, kept_.size() - begin};
  return {};
}

Status JsonText::read_escape() noexcept {
  ++at_;
  constexpr std::string_view kNames = "\"\\/bfnrt", kMeanings = "\"\\/\b\f\n\r\t";
  if (peek() == 'u') return read_code();
  const size_t which = at_ < source_.size() ? kNames.find(source_[at_]) : kNames.npos;
  if (which == kNames.npos) return fail("an escape such as \\n");
  put(kMeanings[which]);
  ++at_;
  return {};
}

Status JsonText::read_code() noexcept {
  uint32_t code = 0, low = 0;
  LINNET_TRY(read_unit(&code));
  if (code >= 0xD800 && code < 0xE000) {
    if (code >= 0xDC00 || peek() != '\\') return fail("both halves of a character above U+FFFF");
    ++at_;
    LINNET_TRY(read_unit(&low));
    if (low < 0xDC00 || low > 0xDFFF) return fail("the lower half of a character above U+FFFF");
    code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
  }
  const uint32_t more = code < 0x80 ? 0 : code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
  constexpr uint8_t kLead[] = {0, 0xC0, 0xE0, 0xF0};
  put(static_cast<char>(kLead[more] | code >> (6 * more)));
  for (uint32_t i = more; i > 0; --i) put(static_cast<char>(0x80 | (code >> (6 * (i - 1)) & 0x3F)));
  return {};
}

// u and four hexadecimal digits.
Status JsonText::read_unit(uint32_t* unit) noexcept {
  if (peek() != 'u') return fail("\\u");
  ++at_;
  for (int i = 0; i < 4; ++i, ++at_) {
    const char c = peek();
    const bool letter = (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    if (!is_digit(c) && !letter) return fail("four hexadecimal digits");
    *unit = *unit * 16 + static_cast<uint32_t>(letter ? (c | 0x20) - 'a' + 10 : c - '0');
  }
  return {};
}

}  // namespace linnet::core
