// How values look as text: as they are printed, and as they stand within a printed list, where strings have quotes.
#include <charconv>
#include <cmath>

#include "text/chat/evaluator.h"
#include "text/chat/numbers.h"

namespace linnet::text::chat {
namespace {

void append_hexadecimal(char32_t code, int digits, char* out) {
  for (int i = 0; i < digits; ++i) out[i] = "0123456789abcdef"[code >> (4 * (digits - 1 - i)) & 15];
}

bool is_printable(char32_t code) { return code == ' ' || (classes(code) & (kControl | kOther)) == 0; }

Status print_quoted(const String& string, Sink* sink) {
  const std::string_view text = string.view();
  const char quote = text.find('\'') != text.npos && text.find('"') == text.npos ? '"' : '\'';
  LINNET_TRY(sink->append(std::string_view(&quote, 1), string.size > 0 ? string.is_data(0) : string.data));
  for (size_t at = 0; at < text.size();) {
    const Point point = decode(text, at);
    const bool data = string.is_data(at);
    char escape[10] = {'\\'};
    if (text[at] == quote || text[at] == '\\' || text[at] == '\n' || text[at] == '\r' || text[at] == '\t') {
      escape[1] = text[at] == '\n' ? 'n' : text[at] == '\r' ? 'r' : text[at] == '\t' ? 't' : text[at];
      LINNET_TRY(sink->append(std::string_view(escape, 2), data));
    } else if (is_printable(point.code)) {
      LINNET_TRY(sink->append(std::string_view(text.data() + at, point.length), data));
    } else {
      const int digits = point.code < 0x100 ? 2 : point.code < 0x10000 ? 4 : 8;
      escape[1] = digits == 2 ? 'x' : digits == 4 ? 'u' : 'U';
      append_hexadecimal(point.code, digits, escape + 2);
      LINNET_TRY(sink->append(std::string_view(escape, static_cast<size_t>(digits) + 2), data));
    }
    at += point.length;
  }
  return sink->append(std::string_view(&quote, 1), string.size > 0 ? string.is_data(string.size - 1) : string.data);
}

}  // namespace

Status Sink::append_number(int64_t number, bool data) noexcept {
  char digits[24];
  return append(std::string_view(digits, static_cast<size_t>(std::to_chars(digits, digits + sizeof digits, number).ptr - digits)), data);
}

Status print_real(double real, Sink* sink, bool data) noexcept {
  if (std::isnan(real)) return sink->append("nan", data);
  if (std::isinf(real)) return sink->append(real > 0 ? "inf" : "-inf", data);
  char text[40];
  const double size = std::fabs(real);
  const bool scientific = size != 0 && (size < 1e-4 || size >= 1e16);
  const auto form = scientific ? std::chars_format::scientific : std::chars_format::fixed;
  const std::string_view written(text, static_cast<size_t>(std::to_chars(text, text + sizeof text, real, form).ptr - text));
  LINNET_TRY(sink->append(written, data));
  return scientific || written.find('.') != written.npos ? Status() : sink->append(".0", data);
}

Status Evaluator::print(const Value& value) noexcept {
  if (value.is(Kind::string)) {
    LINNET_TRY(spend_bytes(value.string->size));
    return sink_.append(*value.string);
  }
  return value.is(Kind::undefined) ? Status() : print_inside(value);
}

Status Evaluator::print_inside(const Value& value) noexcept {
  LINNET_TRY(spend(1));
  switch (value.kind) {
    case Kind::undefined:
      return sink_.append("Undefined", false);
    case Kind::none:
      return sink_.append("None", value.data);
    case Kind::boolean:
      return sink_.append(value.boolean ? "True" : "False", value.data);
    case Kind::integer:
      return sink_.append_number(value.integer, value.data);
    case Kind::real:
      return print_real(value.real, &sink_, value.data);
    case Kind::string:
      LINNET_TRY(spend_bytes(value.string->size * 2));
      return print_quoted(*value.string, &sink_);
    case Kind::range:
      return print_range(*value.range);
    case Kind::list:
    case Kind::dict: {
      LINNET_TRY(enter());
      Status done = value.is(Kind::list) ? print_list(value) : print_dict(value);
      leave();
      return done;
    }
    default:
      return fail("a %s cannot be printed", type_name(value));
  }
}

Status Evaluator::print_range(const Range& range) noexcept {
  LINNET_TRY(sink_.append("range(", false));
  LINNET_TRY(sink_.append_number(range.start, false));
  LINNET_TRY(sink_.append(", ", false));
  LINNET_TRY(sink_.append_number(range.stop, false));
  if (range.step != 1) {
    LINNET_TRY(sink_.append(", ", false));
    LINNET_TRY(sink_.append_number(range.step, false));
  }
  return sink_.append(")", false);
}

Status Evaluator::print_list(const Value& value) noexcept {
  const List& list = *value.list;
  if (list.kind == ListKind::generator) return fail("a generator cannot be printed; the filter 'list' makes a list of it");
  constexpr std::string_view kOpen[] = {"[", "(", "", "dict_keys([", "dict_values([", "dict_items(["},
                             kClose[] = {"]", ")", "", "])", "])", "])"};
  LINNET_TRY(sink_.append(kOpen[static_cast<size_t>(list.kind)], value.data));
  for (size_t i = 0; i < list.size; ++i) {
    if (i > 0) LINNET_TRY(sink_.append(", ", value.data));
    LINNET_TRY(print_inside(list.items[i]));
  }
  if (list.kind == ListKind::tuple && list.size == 1) LINNET_TRY(sink_.append(",", value.data));
  return sink_.append(kClose[static_cast<size_t>(list.kind)], value.data);
}

Status Evaluator::print_dict(const Value& value) noexcept {
  LINNET_TRY(sink_.append("{", value.data));
  for (size_t i = 0; i < value.dict->size; ++i) {
    if (i > 0) LINNET_TRY(sink_.append(", ", value.data));
    LINNET_TRY(print_inside(value.dict->entries[i].key));
    LINNET_TRY(sink_.append(": ", value.data));
    LINNET_TRY(print_inside(value.dict->entries[i].value));
  }
  return sink_.append("}", value.data);
}

Status Evaluator::text_of(const Value& value, const String** text) noexcept {
  if (value.is(Kind::string)) {
    *text = value.string;
    return {};
  }
  const size_t begin = sink_.size();
  Value taken;
  LINNET_TRY(print(value));
  LINNET_TRY(take_string(begin, &taken));
  *text = taken.string;
  return {};
}

}  // namespace linnet::text::chat
