#include "text/chat/format_value.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "text/chat/numbers.h"
#include "text/chat/text_tools.h"

namespace linnet::text::chat {
namespace {

constexpr int64_t kMostWidth = 10000, kMostPrecision = 64;

bool is_one_of(char c, std::string_view all) { return c != 0 && all.find(c) != all.npos; }

// Digits without their sign, in groups of three where there is a comma.
Status append_grouped(Sink* sink, std::string_view digits, bool comma, bool data) {
  const size_t whole = comma ? std::min(digits.find_first_not_of("0123456789"), digits.size()) : 0;
  for (size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && i < whole && (whole - i) % 3 == 0) LINNET_TRY(sink->append(",", data));
    LINNET_TRY(sink->append(std::string_view(&digits[i], 1), data));
  }
  return {};
}

Status append_integer(Sink* sink, const Value& value, const ValueFormat& format) {
  const int64_t number = value.as_integer();
  const uint64_t size = number < 0 ? 0 - static_cast<uint64_t>(number) : static_cast<uint64_t>(number);
  const int base = (format.type | 0x20) == 'x' ? 16 : format.type == 'o' ? 8 : format.type == 'b' ? 2 : 10;
  char digits[66];
  char* end = std::to_chars(digits, digits + sizeof digits, size, base).ptr;
  for (char* c = digits; format.type == 'X' && c < end; ++c)
    if (*c >= 'a') *c = static_cast<char>(*c - 32);
  if (number < 0 || format.sign != '-') LINNET_TRY(sink->append(number < 0 ? "-" : format.sign == '+' ? "+" : " ", value.data));
  return append_grouped(sink, {digits, static_cast<size_t>(end - digits)}, format.comma, value.data);
}

Status append_real(Sink* sink, const Value& value, const ValueFormat& format) {
  const double number = value.as_real() * (format.type == '%' ? 100 : 1), size = std::fabs(number);
  if (std::signbit(number) || format.sign != '-')
    LINNET_TRY(sink->append(std::signbit(number) ? "-" : format.sign == '+' ? "+" : " ", value.data));
  if (!std::isfinite(size)) return sink->append(std::isnan(size) ? "nan" : "inf", value.data);
  const auto precision = static_cast<int>(format.precision < 0 ? 6 : format.precision);
  char digits[400];
  char* end;
  if (format.type == 'e' || format.type == 'E')
    end = std::to_chars(digits, digits + sizeof digits, size, std::chars_format::scientific, precision).ptr;
  else if (format.type == 'g' || format.type == 'G' || format.type == 0)
    end = std::to_chars(digits, digits + sizeof digits, size, std::chars_format::general, precision > 0 ? precision : 1).ptr;
  else
    end = std::to_chars(digits, digits + sizeof digits, size, std::chars_format::fixed, precision).ptr;
  LINNET_TRY(append_grouped(sink, {digits, static_cast<size_t>(end - digits)}, format.comma, value.data));
  return format.type == '%' ? sink->append("%", value.data) : Status();
}

Status append_text(Evaluator& evaluator, const Value& value, const ValueFormat& format) {
  if (format.type == 'r') return evaluator.print_inside(value);
  const String* text;
  LINNET_TRY(evaluator.text_of(value, &text));
  size_t end = text->size;
  if (format.precision >= 0) {
    end = 0;
    for (int64_t i = 0; i < format.precision && end < text->size; ++i) end += decode(text->view(), end).length;
  }
  LINNET_TRY(evaluator.spend_bytes(end));
  return evaluator.sink().append(text->part(0, end));
}

}  // namespace

int64_t read_width(std::string_view text, size_t* at) noexcept {
  int64_t width = 0;
  for (; *at < text.size() && text[*at] >= '0' && text[*at] <= '9'; ++*at)
    width = width < kMostWidth ? width * 10 + (text[*at] - '0') : kMostWidth;
  return width < kMostWidth ? width : kMostWidth;
}

bool read_format(const String& text, ValueFormat* format) noexcept {
  const std::string_view view = text.view();
  size_t at = 0;
  const auto next = [&] { return at < view.size() ? view[at] : '\0'; };
  const size_t second = view.empty() ? 0 : decode(view, 0).length;
  if (second < view.size() && is_one_of(view[second], "<>^=")) {
    format->fill = text.part(0, second);
    format->align = view[second];
    at = second + 1;
  } else if (is_one_of(next(), "<>^=")) {
    format->align = view[at++];
  }
  if (is_one_of(next(), "+- ")) format->sign = view[at++];
  if (next() == '0' && format->align == 0) {
    format->fill = {"0", nullptr, 1, nullptr, false};
    format->align = '=';
  }
  format->width = read_width(view, &at);
  if (next() == ',') format->comma = true, ++at;
  if (next() == '.') {
    ++at;
    const size_t begin = at;
    format->precision = read_width(view, &at);
    if (at == begin) return false;
  }
  if (is_one_of(next(), "sdxXobfFeEgG%")) format->type = view[at++];
  return at == view.size();
}

Status append_formatted(Evaluator& evaluator, const Value& value, const ValueFormat& format) noexcept {
  Sink& sink = evaluator.sink();
  const bool whole = value.is(Kind::integer) || (value.is(Kind::boolean) && (format.type != 0 || format.width > 0));
  const bool as_integer = whole && (format.type == 0 || is_one_of(format.type, "dxXob"));
  const bool as_real = !as_integer && value.is_number() &&
                       (is_one_of(format.type, "fFeEgG%") || (value.is(Kind::real) && format.precision >= 0 && format.type == 0));
  const bool plain = !as_integer && !as_real;
  if (plain && format.type != 0 && format.type != 's' && format.type != 'r') {
    if (value.is(Kind::undefined)) return evaluator.fail_undefined(value);
    return evaluator.fail("a value of type %s has no format '%c'", type_name(value), format.type);
  }
  if (!plain && format.precision > kMostPrecision) return evaluator.fail("a number with more than 64 digits behind the point");
  const size_t begin = sink.size();
  if (as_integer)
    LINNET_TRY(append_integer(&sink, value, format));
  else if (as_real)
    LINNET_TRY(append_real(&sink, value, format));
  else
    LINNET_TRY(append_text(evaluator, value, format));
  if (format.width == 0) return {};
  Value text, filled;
  LINNET_TRY(evaluator.take_string(begin, &text));
  const bool number = value.is_number() && !(value.is(Kind::boolean) && plain);
  const char align = format.align ? format.align : number ? '>' : '<';
  int64_t width = format.width;
  // The sign stands before what fills up.
  if (align == '=' && text.string->size > 0 && is_one_of(text.string->text[0], "+- ")) {
    LINNET_TRY(sink.append(text.string->part(0, 1)));
    LINNET_TRY(evaluator.new_string(text.string->part(1, text.string->size), &text));
    --width;
  }
  if (align == '^') {
    // In the middle, the larger part of the filling stands behind: other than str.center.
    const auto size = static_cast<int64_t>(count_characters(text.text()));
    const int64_t before = width > size ? (width - size) / 2 : 0;
    LINNET_TRY(justify(evaluator, *text.string, size + before, format.fill, true, false, &filled));
    LINNET_TRY(justify(evaluator, *filled.string, width, format.fill, false, true, &filled));
  } else {
    LINNET_TRY(justify(evaluator, *text.string, width, format.fill, align != '<', align == '<', &filled));
  }
  return sink.append(*filled.string);
}

}  // namespace linnet::text::chat
