// Filters that make text of text.
#include "text/chat/attribute_path.h"
#include "text/chat/format_text.h"
#include "text/chat/text_edit.h"
#include "text/chat/text_tools.h"

namespace linnet::text::chat {
namespace {

template <Case to>
Status change(Evaluator& evaluator, const Arguments& arguments, Value* result) noexcept {
  const String* text;
  LINNET_TRY(evaluator.text_of(arguments.self, &text));
  return change_case(evaluator, *text, to, result);
}

Status trim(Evaluator& evaluator, const Arguments& arguments, Value* result) noexcept {
  const String* text;
  String characters;
  LINNET_TRY(evaluator.text_of(arguments.self, &text));
  const bool given = arguments.bound[0] && !arguments.bound[0]->is(Kind::none);
  if (given) LINNET_TRY(evaluator.string_argument(arguments, 0, "", &characters));
  return strip(evaluator, *text, given ? &characters : nullptr, true, true, result);
}

Status replace_filter(Evaluator& evaluator, const Arguments& arguments, Value* result) noexcept {
  if (!arguments.bound[0] || !arguments.bound[1]) return evaluator.fail("'replace' needs two texts");
  const String *text, *old, *with;
  LINNET_TRY(evaluator.text_of(arguments.self, &text));
  LINNET_TRY(evaluator.text_of(*arguments.bound[0], &old));
  LINNET_TRY(evaluator.text_of(*arguments.bound[1], &with));
  int64_t most = -1;
  if (arguments.bound[2] && !arguments.bound[2]->is(Kind::none)) LINNET_TRY(evaluator.integer_argument(arguments, 2, -1, &most));
  return replace(evaluator, *text, *old, *with, most, result);
}

Status escape(Evaluator& evaluator, const Arguments& arguments, Value* result) noexcept {
  const String* text;
  LINNET_TRY(evaluator.text_of(arguments.self, &text));
  LINNET_TRY(evaluator.spend_bytes(text->size * 2));
  Sink& sink = evaluator.sink();
  const size_t begin = sink.size();
  constexpr std::string_view kCharacters = "&<>\"'";
  constexpr std::string_view kNames[] = {"&amp;", "&lt;", "&gt;", "&#34;", "&#39;"};
  for (size_t at = 0; at < text->size; ++at) {
    const size_t which = kCharacters.find(text->text[at]);
    LINNET_TRY(which == kCharacters.npos ? sink.append(text->part(at, at + 1)) : sink.append(kNames[which], text->is_data(at)));
  }
  return evaluator.take_string(begin, result);
}

Status indent(Evaluator& evaluator, const Arguments& arguments, Value* result) noexcept {
  if (arguments.self.is(Kind::undefined)) return evaluator.fail_undefined(arguments.self);
  if (!arguments.self.is(Kind::string))
    return evaluator.fail("'indent' is for strings, not for a value of type %s", type_name(arguments.self));
  const String* text = arguments.self.string;
  String margin{" ", nullptr, 1, nullptr, false};
  int64_t width = 1;
  if (arguments.bound[0] && arguments.bound[0]->is(Kind::string))
    margin = *arguments.bound[0]->string;
  else
    LINNET_TRY(evaluator.integer_argument(arguments, 0, 4, &width));
  if (width > 1024) return evaluator.fail("'indent' by more than 1024");
  const bool first = arguments.bound[1] && Evaluator::truth(*arguments.bound[1]);
  const bool blank = arguments.bound[2] && Evaluator::truth(*arguments.bound[2]);
  // A last line without an end gets one, so that every line counts.
  Value ended;
  LINNET_TRY(evaluator.concat(*text, {"\n", nullptr, 1, nullptr, false}, &ended));
  ListBuilder lines;
  LINNET_TRY(split_lines(evaluator, *ended.string, false, &lines));
  Sink& sink = evaluator.sink();
  const size_t begin = sink.size();
  for (size_t i = 0; i < lines.size(); ++i) {
    const String& line = *lines[i].string;
    LINNET_TRY(evaluator.spend(1 + static_cast<size_t>(width > 0 ? width : 0) / 16));
    if (i > 0) LINNET_TRY(sink.append("\n", lines[i - 1].string->is_data(lines[i - 1].string->size)));  // its line's end lies behind it
    if (i == 0 ? first : blank || line.size > 0)
      for (int64_t space = 0; space < width; ++space) LINNET_TRY(sink.append(margin));
    LINNET_TRY(evaluator.print(lines[i]));
  }
  return evaluator.take_string(begin, result);
}

Status to_string(Evaluator& evaluator, const Arguments& arguments, Value* result) noexcept {
  const String* text;
  LINNET_TRY(evaluator.text_of(arguments.self, &text));
  *result = Value::of_string(text);
  return {};
}

Status center(Evaluator& evaluator, const Arguments& arguments, Value* result) noexcept {
  const String* text;
  int64_t width;
  LINNET_TRY(evaluator.text_of(arguments.self, &text));
  LINNET_TRY(evaluator.integer_argument(arguments, 0, 80, &width));
  return justify(evaluator, *text, width, {" ", nullptr, 1, nullptr, false}, true, true, result);
}

Status word_count(Evaluator& evaluator, const Arguments& arguments, Value* result) noexcept {
  const String* text;
  LINNET_TRY(evaluator.text_of(arguments.self, &text));
  LINNET_TRY(evaluator.spend_bytes(text->size));
  int64_t count = 0;
  bool inside = false;
  for (size_t at = 0; at < text->size;) {
    const Point point = decode(text->view(), at);
    const bool word = (classes(point.code) & kWord) != 0;
    count += word && !inside;
    inside = word;
    at += point.length;
  }
  *result = Value::of_integer(count);
  return {};
}

Status format_filter(Evaluator& evaluator, const Arguments& arguments, Value* result) noexcept {
  const String* text;
  LINNET_TRY(evaluator.text_of(arguments.self, &text));
  Value values;
  if (!arguments.named.empty()) {
    LINNET_TRY(evaluator.new_dict(arguments.named.size(), false, Kind::dict, &values));
    for (const NamedValue& named : arguments.named) {
      Value key;
      LINNET_TRY(evaluator.new_string({named.name.data(), nullptr, named.name.size(), nullptr, false}, &key));
      LINNET_TRY(evaluator.insert(values.dict, key, named.value));
    }
  } else {
    LINNET_TRY(evaluator.new_list(ListKind::tuple, arguments.values.size(), false, &values));
    for (size_t i = 0; i < arguments.values.size(); ++i) values.list->items[i] = arguments.values[i];
  }
  return format_percent(evaluator, *text, values, result);
}

// `most` characters with `end`, where the text is longer by more than `leeway`; cut at a space unless words may be cut.
Status truncate(Evaluator& evaluator, const Arguments& arguments, Value* result) noexcept {
  if (!arguments.self.is(Kind::string))
    return evaluator.fail("'truncate' is for strings, not for a value of type %s", type_name(arguments.self));
  const String& text = *arguments.self.string;
  int64_t most, leeway = 5;
  String end;
  LINNET_TRY(evaluator.integer_argument(arguments, 0, 255, &most));
  LINNET_TRY(evaluator.string_argument(arguments, 2, "...", &end));
  if (arguments.bound[3] && !arguments.bound[3]->is(Kind::none)) LINNET_TRY(evaluator.integer_argument(arguments, 3, 5, &leeway));
  LINNET_TRY(evaluator.spend_bytes(text.size + end.size));
  const auto size = static_cast<int64_t>(count_characters(text.view())), ending = static_cast<int64_t>(count_characters(end.view()));
  if (most < ending || leeway < 0) return evaluator.fail("'truncate' to less than its end, or with a leeway below 0");
  if (most >= size || size - most <= leeway) return evaluator.new_string(text, result);
  String kept = text.part(0, advance(text.view(), 0, static_cast<size_t>(most - ending)));
  const size_t space = kept.view().rfind(' ');
  if (space != std::string_view::npos && !(arguments.bound[1] && Evaluator::truth(*arguments.bound[1]))) kept = kept.part(0, space);
  return evaluator.concat(kept, end, result);
}

// As a part of an address, where slashes stay, or of a query, where spaces become plus signs.
Status append_quoted(Evaluator& evaluator, const Value& value, bool query) {
  const String* text;
  LINNET_TRY(evaluator.text_of(value, &text));
  LINNET_TRY(evaluator.spend_bytes(text->size * 3));
  for (size_t at = 0; at < text->size; ++at) {
    const auto byte = static_cast<uint8_t>(text->text[at]);
    const bool plain = byte < 0x80 && ((classes(byte) & (kLetter | kNumber)) != 0 ||
                                       std::string_view("_.-~").find(text->text[at]) != std::string_view::npos);
    const char escape[] = {'%', "0123456789ABCDEF"[byte >> 4], "0123456789ABCDEF"[byte & 15]};
    if (plain || (byte == '/' && !query))
      LINNET_TRY(evaluator.sink().append(text->part(at, at + 1)));
    else
      LINNET_TRY(evaluator.sink().append(byte == ' ' && query ? "+" : std::string_view(escape, sizeof escape), text->is_data(at)));
  }
  return {};
}

Status url_encode(Evaluator& evaluator, const Arguments& arguments, Value* result) noexcept {
  const Value& value = arguments.self;
  const size_t begin = evaluator.sink().size();
  if (!value.is(Kind::undefined) && !value.is(Kind::list) && !value.is(Kind::dict) && !value.is(Kind::range)) {
    LINNET_TRY(append_quoted(evaluator, value, false));
    return evaluator.take_string(begin, result);
  }
  Value listed = value;
  Items pairs, pair;
  if (value.is(Kind::dict)) LINNET_TRY(list_pairs(evaluator, *value.dict, ListKind::list, value.data, &listed));
  LINNET_TRY(evaluator.items_of(listed, &pairs));
  for (size_t i = 0; i < pairs.size; ++i) {
    LINNET_TRY(evaluator.items_of(pairs.at(i), &pair));
    if (pair.size != 2) return evaluator.fail("'urlencode' is for a text, a dict or a list of pairs");
    if (i > 0) LINNET_TRY(evaluator.sink().append("&", false));
    LINNET_TRY(append_quoted(evaluator, pair.at(0), true));
    LINNET_TRY(evaluator.sink().append("=", false));
    LINNET_TRY(append_quoted(evaluator, pair.at(1), true));
  }
  return evaluator.take_string(begin, result);
}

constexpr Builtin kFilters[] = {
    {"trim", "chars", trim},
    {"upper", "", change<Case::upper>},
    {"lower", "", change<Case::lower>},
    {"capitalize", "", change<Case::capital>},
    {"title", "", change<Case::jinja_title>},
    {"replace", "old new count", replace_filter},
    {"escape", "", escape},
    {"e", "", escape},
    {"forceescape", "", escape},
    {"indent", "width first blank", indent},
    {"string", "", to_string},
    {"safe", "", to_string},
    {"center", "width", center},
    {"wordcount", "", word_count},
    {"truncate", "length killwords end leeway", truncate},
    {"urlencode", "", url_encode},
    {"format", "?", format_filter},
};

}  // namespace

std::span<const Builtin> text_filters() noexcept { return kFilters; }

}  // namespace linnet::text::chat
