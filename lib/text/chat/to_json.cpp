#include "text/chat/to_json.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "text/chat/numbers.h"

namespace linnet::text::chat {
namespace {

Status append_unit(Sink* sink, uint32_t unit, bool data) {
  const char escape[] = {'\\',
                         'u',
                         "0123456789abcdef"[unit >> 12 & 15],
                         "0123456789abcdef"[unit >> 8 & 15],
                         "0123456789abcdef"[unit >> 4 & 15],
                         "0123456789abcdef"[unit & 15]};
  return sink->append(std::string_view(escape, sizeof escape), data);
}

Status append_string(const String& string, bool ascii, Sink* sink) {
  const auto data_at = [&](size_t at) { return string.size == 0 ? string.data : string.is_data(at); };
  LINNET_TRY(sink->append("\"", data_at(0)));
  for (size_t at = 0; at < string.size;) {
    const Point point = decode(string.view(), at);
    const bool data = string.is_data(at);
    constexpr std::string_view kSpecial = "\"\\\b\f\n\r\t", kNames = "\"\\bfnrt";
    const size_t which = point.length == 1 ? kSpecial.find(string.text[at]) : kSpecial.npos;
    if (which != kSpecial.npos) {
      const char escape[] = {'\\', kNames[which]};
      LINNET_TRY(sink->append(std::string_view(escape, 2), data));
    } else if (point.code < 0x20 || (ascii && point.code >= 0x7F && point.code < 0x10000)) {
      LINNET_TRY(point.code == 0x7F ? sink->append("\x7F", data) : append_unit(sink, point.code, data));
    } else if (ascii && point.code >= 0x10000) {
      LINNET_TRY(append_unit(sink, 0xD800 + ((point.code - 0x10000) >> 10), data));
      LINNET_TRY(append_unit(sink, 0xDC00 + ((point.code - 0x10000) & 0x3FF), data));
    } else {
      LINNET_TRY(sink->append(string.part(at, at + point.length)));
    }
    at += point.length;
  }
  return sink->append("\"", data_at(string.size > 0 ? string.size - 1 : 0));
}

Status append_real(double real, Sink* sink, bool data) {
  if (std::isnan(real)) return sink->append("NaN", data);
  if (std::isinf(real)) return sink->append(real > 0 ? "Infinity" : "-Infinity", data);
  return print_real(real, sink, data);
}

Status append_break(Evaluator& evaluator, const JsonForm& form, size_t depth, bool data) {
  if (!form.lines) return {};
  LINNET_TRY(evaluator.spend_bytes(depth * form.indent.size));
  LINNET_TRY(evaluator.sink().append("\n", data));
  for (size_t i = 0; i < depth; ++i) LINNET_TRY(evaluator.sink().append(form.indent));
  return {};
}

Status append_list(Evaluator& evaluator, const Value& value, const JsonForm& form, size_t depth) {
  Sink& sink = evaluator.sink();
  const List& list = *value.list;
  if (list.kind > ListKind::tuple) return evaluator.fail("a %s cannot be written as JSON", type_name(value));
  if (list.size == 0) return sink.append("[]", value.data);
  LINNET_TRY(sink.append("[", value.data));
  for (size_t i = 0; i < list.size; ++i) {
    if (i > 0) LINNET_TRY(sink.append(form.between));
    LINNET_TRY(append_break(evaluator, form, depth + 1, value.data));
    LINNET_TRY(append_json(evaluator, list.items[i], form, depth + 1));
  }
  LINNET_TRY(append_break(evaluator, form, depth, value.data));
  return sink.append("]", value.data);
}

// Keys that are no strings are written as strings.
Status append_key(Evaluator& evaluator, const Value& key, const JsonForm& form) {
  if (key.is(Kind::string)) return append_json(evaluator, key, form, 0);
  if (!key.is_number() && !key.is(Kind::none)) return evaluator.fail("a key of type %s cannot be written as JSON", type_name(key));
  LINNET_TRY(evaluator.sink().append("\"", key.data));
  LINNET_TRY(append_json(evaluator, key, form, 0));
  return evaluator.sink().append("\"", key.data);
}

Status append_dict(Evaluator& evaluator, const Value& value, const JsonForm& form, size_t depth) {
  Sink& sink = evaluator.sink();
  const Dict& dict = *value.dict;
  if (dict.size == 0) return sink.append("{}", value.data);
  const Entry** entries;
  LINNET_TRY(evaluator.arena().make(dict.size, &entries));
  for (size_t i = 0; i < dict.size; ++i) entries[i] = &dict.entries[i];
  if (form.sorted) {
    size_t bytes = 0;
    for (size_t i = 0; i < dict.size; ++i) {
      if (!dict.entries[i].key.is(Kind::string)) return evaluator.fail("'tojson' sorts keys that are strings");
      bytes += dict.entries[i].key.string->size;
    }
    // Every key is compared with some others for each time that their number halves.
    const auto rounds = static_cast<size_t>(std::bit_width(dict.size));
    LINNET_TRY(evaluator.spend(dict.size * rounds));
    LINNET_TRY(evaluator.spend_bytes(bytes * rounds * 2));
    std::sort(entries, entries + dict.size, [](const Entry* a, const Entry* b) { return a->key.text() < b->key.text(); });
  }
  LINNET_TRY(sink.append("{", value.data));
  for (size_t i = 0; i < dict.size; ++i) {
    if (i > 0) LINNET_TRY(sink.append(form.between));
    LINNET_TRY(append_break(evaluator, form, depth + 1, value.data));
    LINNET_TRY(append_key(evaluator, entries[i]->key, form));
    LINNET_TRY(sink.append(form.after_key));
    LINNET_TRY(append_json(evaluator, entries[i]->value, form, depth + 1));
  }
  LINNET_TRY(append_break(evaluator, form, depth, value.data));
  return sink.append("}", value.data);
}

}  // namespace

Status append_json(Evaluator& evaluator, const Value& value, const JsonForm& form, size_t depth) noexcept {
  Sink& sink = evaluator.sink();
  LINNET_TRY(evaluator.spend(1));
  switch (value.kind) {
    case Kind::none:
      return sink.append("null", value.data);
    case Kind::boolean:
      return sink.append(value.boolean ? "true" : "false", value.data);
    case Kind::integer:
      return sink.append_number(value.integer, value.data);
    case Kind::real:
      return append_real(value.real, &sink, value.data);
    case Kind::string:
      LINNET_TRY(evaluator.spend_bytes(value.string->size * 2));
      return append_string(*value.string, form.ascii, &sink);
    case Kind::list:
    case Kind::dict: {
      LINNET_TRY(evaluator.enter());
      Status done = value.is(Kind::list) ? append_list(evaluator, value, form, depth) : append_dict(evaluator, value, form, depth);
      evaluator.leave();
      return done;
    }
    default:
      return evaluator.fail("a %s cannot be written as JSON", type_name(value));
  }
}

}  // namespace linnet::text::chat
