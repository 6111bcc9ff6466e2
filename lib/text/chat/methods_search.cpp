// Methods of strings that look for others in them: parts, places and counts.
#include "text/chat/method_arguments.h"
#include "text/chat/text_edit.h"
#include "text/chat/text_tools.h"

namespace linnet::text::chat {
namespace {

Status add_part(Evaluator& evaluator, const String& part, ListBuilder* parts) {
  Value value;
  LINNET_TRY(evaluator.new_string(part, &value));
  return parts->add(value);
}

// At white space, `most` times: from the begin, or from the end.
Status split_spaces(Evaluator& evaluator, const String& text, size_t most, bool backwards, ListBuilder* parts) {
  LINNET_TRY(evaluator.spend_bytes(text.size));
  const std::string_view view = text.view();
  size_t begin = trimmed_begin(view), end = backwards ? trimmed_end(view) : text.size;
  if (backwards) begin = 0;
  while (begin < end) {
    if (parts->size() == most) {
      const size_t first = backwards ? 0 : begin, last = backwards ? trimmed_end(cut(view, 0, end)) : end;
      return first < last ? add_part(evaluator, text.part(first, last), parts) : Status();
    }
    size_t at = backwards ? end : begin;
    if (backwards) {
      while (at > 0 && !is_white(decode(view, previous(view, at)).code)) at = previous(view, at);
      LINNET_TRY(add_part(evaluator, text.part(at, end), parts));
      end = trimmed_end(cut(view, 0, at));
    } else {
      while (at < end && !is_white(decode(view, at).code)) at += decode(view, at).length;
      LINNET_TRY(add_part(evaluator, text.part(begin, at), parts));
      begin = at + trimmed_begin(cut(view, at, end));
    }
  }
  return {};
}

// The last place of `what` that ends at or before `end`.
Status search_back(Evaluator& evaluator, std::string_view text, std::string_view what, size_t end, size_t* found) {
  *found = std::string_view::npos;
  for (size_t at = end; at >= what.size(); --at) {
    size_t same = 0;
    while (same < what.size() && text[at - 1 - same] == what[what.size() - 1 - same]) ++same;
    LINNET_TRY(evaluator.spend_bytes(same));
    if (same < what.size()) continue;
    *found = at - what.size();
    break;
  }
  return {};
}

Status split_at(Evaluator& evaluator, const String& text, const String& separator, size_t most, bool backwards, ListBuilder* parts) {
  size_t begin = 0, end = text.size, found;
  while (parts->size() < most) {
    LINNET_TRY(backwards ? search_back(evaluator, text.view(), separator.view(), end, &found)
                         : evaluator.search(text.view(), separator.view(), begin, &found));
    if (found == std::string_view::npos) break;
    LINNET_TRY(add_part(evaluator, backwards ? text.part(found + separator.size, end) : text.part(begin, found), parts));
    (backwards ? end : begin) = backwards ? found : found + separator.size;
  }
  return add_part(evaluator, text.part(begin, end), parts);
}

template <bool backwards>
Status split(Evaluator& evaluator, const Arguments& arguments, Value* result) noexcept {
  String separator;
  int64_t most;
  LINNET_TRY(evaluator.integer_argument(arguments, 1, -1, &most));
  const size_t limit = most < 0 ? SIZE_MAX : static_cast<size_t>(most);
  ListBuilder parts;
  if (is_given(arguments, 0)) {
    LINNET_TRY(evaluator.string_argument(arguments, 0, "", &separator));
    if (separator.size == 0)
      return evaluator.fail("'%.*s' at an empty text", static_cast<int>(arguments.name.size()), arguments.name.data());
    LINNET_TRY(split_at(evaluator, self(arguments), separator, limit, backwards, &parts));
  } else {
    LINNET_TRY(split_spaces(evaluator, self(arguments), limit, backwards, &parts));
  }
  for (size_t i = 0; backwards && i < parts.size() / 2; ++i) std::swap(parts[i], parts[parts.size() - 1 - i]);
  return parts.finish(evaluator, ListKind::list, false, result);
}

Status split_lines_method(Evaluator& evaluator, const Arguments& arguments, Value* result) noexcept {
  ListBuilder lines;
  LINNET_TRY(split_lines(evaluator, self(arguments), arguments.bound[0] && Evaluator::truth(*arguments.bound[0]), &lines));
  return lines.finish(evaluator, ListKind::list, false, result);
}

template <bool backwards>
Status partition(Evaluator& evaluator, const Arguments& arguments, Value* result) noexcept {
  String separator;
  size_t found;
  LINNET_TRY(need(evaluator, arguments, 0));
  LINNET_TRY(evaluator.string_argument(arguments, 0, "", &separator));
  const String& text = self(arguments);
  if (separator.size == 0) return evaluator.fail("'%.*s' at an empty text", static_cast<int>(arguments.name.size()), arguments.name.data());
  LINNET_TRY(backwards ? search_back(evaluator, text.view(), separator.view(), text.size, &found)
                       : evaluator.search(text.view(), separator.view(), 0, &found));
  const bool none = found == std::string_view::npos;
  const size_t begin = none ? (backwards ? 0 : text.size) : found, end = none ? begin : found + separator.size;
  ListBuilder parts;
  LINNET_TRY(add_part(evaluator, text.part(0, begin), &parts));
  LINNET_TRY(add_part(evaluator, text.part(begin, end), &parts));
  LINNET_TRY(add_part(evaluator, text.part(end, text.size), &parts));
  return parts.finish(evaluator, ListKind::tuple, false, result);
}

// What the start and the end at `place` among the arguments leave of a text; `before` counts the characters in front of it. False where
// the start lies behind the end: then not even nothing is found.
Status within(Evaluator& evaluator, const Arguments& arguments, size_t place, String* part, int64_t* before, bool* some) {
  const String& text = self(arguments);
  *part = text;
  *before = 0;
  *some = true;
  if (!is_given(arguments, place) && !is_given(arguments, place + 1)) return {};
  LINNET_TRY(evaluator.spend_bytes(text.size * 2));
  const auto size = static_cast<int64_t>(count_characters(text.view()));
  int64_t bounds[2] = {0, size};
  for (size_t i = 0; i < 2; ++i) {
    if (!is_given(arguments, place + i)) continue;
    LINNET_TRY(evaluator.integer_argument(arguments, place + i, 0, &bounds[i]));
    if (bounds[i] < 0) bounds[i] = bounds[i] + size < 0 ? 0 : bounds[i] + size;
  }
  if (bounds[1] > size) bounds[1] = size;
  *some = bounds[0] <= bounds[1];
  if (!*some) return {};
  *before = bounds[0];
  const size_t begin = advance(text.view(), 0, static_cast<size_t>(bounds[0]));
  *part = text.part(begin, advance(text.view(), begin, static_cast<size_t>(bounds[1] - bounds[0])));
  return {};
}

// A text, or a tuple of which one is enough.
template <bool at_end>
Status stands_at(Evaluator& evaluator, const Arguments& arguments, Value* result) noexcept {
  LINNET_TRY(need(evaluator, arguments, 0));
  const Value& wanted = *arguments.bound[0];
  const bool tuple = wanted.is(Kind::list) && wanted.list->kind == ListKind::tuple;
  const std::span<const Value> all =
      tuple ? std::span<const Value>(wanted.list->items, wanted.list->size) : std::span<const Value>(&wanted, 1);
  bool holds = false, some;
  String part;
  int64_t before;
  LINNET_TRY(within(evaluator, arguments, 1, &part, &before, &some));
  for (const Value& one : all) {
    if (one.is(Kind::undefined)) return evaluator.fail_undefined(one);
    if (!one.is(Kind::string))
      return evaluator.fail("'%.*s' needs a string as an argument", static_cast<int>(arguments.name.size()), arguments.name.data());
    LINNET_TRY(evaluator.spend_bytes(one.string->size));
    holds = holds || (some && (at_end ? part.view().ends_with(one.text()) : part.view().starts_with(one.text())));
  }
  *result = Value::of_bool(holds);
  return {};
}

// find and rfind give -1 where index and rindex fail.
template <bool backwards, bool must>
Status find(Evaluator& evaluator, const Arguments& arguments, Value* result) noexcept {
  String what, part;
  int64_t before;
  bool some;
  size_t found = std::string_view::npos;
  LINNET_TRY(need(evaluator, arguments, 0));
  LINNET_TRY(evaluator.string_argument(arguments, 0, "", &what));
  LINNET_TRY(within(evaluator, arguments, 1, &part, &before, &some));
  const std::string_view text = part.view();
  if (some)
    LINNET_TRY(backwards ? search_back(evaluator, text, what.view(), text.size(), &found) : evaluator.search(text, what.view(), 0, &found));
  const bool none = found == std::string_view::npos;
  if (none && must)
    return evaluator.fail("'%.*s' of a text that is not there", static_cast<int>(arguments.name.size()), arguments.name.data());
  *result = Value::of_integer(none ? -1 : before + static_cast<int64_t>(count_characters(cut(text, 0, found))));
  return evaluator.spend_bytes(none ? 0 : found);
}

Status count(Evaluator& evaluator, const Arguments& arguments, Value* result) noexcept {
  String what, part;
  int64_t before;
  bool some;
  LINNET_TRY(need(evaluator, arguments, 0));
  LINNET_TRY(evaluator.string_argument(arguments, 0, "", &what));
  LINNET_TRY(within(evaluator, arguments, 1, &part, &before, &some));
  const std::string_view text = part.view();
  int64_t count = some && what.size == 0 ? static_cast<int64_t>(count_characters(text)) + 1 : 0;
  for (size_t at = 0; some && what.size > 0; at += what.size, ++count) {
    LINNET_TRY(evaluator.search(text, what.view(), at, &at));
    if (at == std::string_view::npos) break;
  }
  *result = Value::of_integer(count);
  return evaluator.spend_bytes(text.size());
}

constexpr Builtin kMethods[] = {
    {"split", "sep maxsplit", split<false>},
    {"rsplit", "sep maxsplit", split<true>},
    {"splitlines", "keepends", split_lines_method},
    {"partition", "sep", partition<false>},
    {"rpartition", "sep", partition<true>},
    {"startswith", "prefix start end", stands_at<false>},
    {"endswith", "suffix start end", stands_at<true>},
    {"find", "sub start end", find<false, false>},
    {"rfind", "sub start end", find<true, false>},
    {"index", "sub start end", find<false, true>},
    {"rindex", "sub start end", find<true, true>},
    {"count", "sub start end", count},
};

}  // namespace

std::span<const Builtin> search_methods() noexcept { return kMethods; }

}  // namespace linnet::text::chat
