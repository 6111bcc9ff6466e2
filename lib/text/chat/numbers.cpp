#include "text/chat/numbers.h"

#include <charconv>
#include <cmath>

#include "text/chat/text_tools.h"

namespace linnet::text::chat {
namespace {

constexpr int kMostDigits = 64;

std::string_view trimmed(std::string_view text) {
  text = cut(text, 0, trimmed_end(text));
  return cut(text, trimmed_begin(text), text.size());
}

bool is_word(std::string_view text, std::string_view word) {
  if (text.size() != word.size()) return false;
  for (size_t i = 0; i < text.size(); ++i)
    if ((text[i] | 0x20) != word[i]) return false;
  return true;
}

}  // namespace

Status print_fixed(double real, int digits, Sink* sink, bool data) noexcept {
  if (!std::isfinite(real)) return print_real(real, sink, data);
  char text[400];  // 309 digits, a sign, a point and what is behind it
  const auto end = std::to_chars(text, text + sizeof text, real, std::chars_format::fixed, digits < kMostDigits ? digits : kMostDigits).ptr;
  return sink->append(std::string_view(text, static_cast<size_t>(end - text)), data);
}

bool integer_from(std::string_view text, int base, int64_t* value) noexcept {
  text = trimmed(text);
  if (text.starts_with("+") && !text.starts_with("+-")) text = cut(text, 1, text.size());
  char digits[80];
  size_t count = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool between = text[i] == '_' && i > 0 && i + 1 < text.size() && text[i - 1] != '_' && text[i - 1] != '-';
    if (between) continue;
    if (count == sizeof digits) return false;
    digits[count++] = text[i];
  }
  const auto [end, error] = std::from_chars(digits, digits + count, *value, base);
  return error == std::errc() && end == digits + count;
}

bool real_from(std::string_view text, double* value) noexcept {
  text = trimmed(text);
  const bool negative = text.starts_with("-");
  if (negative || text.starts_with("+")) text = cut(text, 1, text.size());
  if (is_word(text, "nan") || is_word(text, "inf") || is_word(text, "infinity")) {
    *value = is_word(text, "nan") ? NAN : INFINITY;
  } else {
    if (text.empty() || !((text[0] >= '0' && text[0] <= '9') || text[0] == '.')) return false;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *value);
    if (end != text.data() + text.size() || error != std::errc()) return false;
  }
  if (negative) *value = -*value;
  return true;
}

bool integer_from(double real, int64_t* value) noexcept {
  if (!(real > -0x1p63 && real < 0x1p63)) return false;
  *value = static_cast<int64_t>(real);
  return true;
}

double rounded(double real, int digits) noexcept {
  if (!std::isfinite(real)) return real;
  if (digits <= 0) {
    const double scale = std::pow(10.0, -digits);
    return std::nearbyint(real / scale) * scale;
  }
  char text[400];
  const auto end = std::to_chars(text, text + sizeof text, real, std::chars_format::fixed, digits < kMostDigits ? digits : kMostDigits).ptr;
  double value = real;
  std::from_chars(text, end, value);
  return value;
}

}  // namespace linnet::text::chat
