// Methods of strings: other forms of them, and what they are made of.
#include "text/chat/format_text.h"
#include "text/chat/method_arguments.h"
#include "text/chat/text_edit.h"
#include "text/chat/text_tools.h"

namespace linnet::text::chat {
namespace {

template <Case to>
Status change(Evaluator& evaluator, const Arguments& arguments, Value* result) noexcept {
  return change_case(evaluator, self(arguments), to, result);
}

template <bool begin, bool end>
Status strip_method(Evaluator& evaluator, const Arguments& arguments, Value* result) noexcept {
  String characters;
  const bool given = is_given(arguments, 0);
  if (given) LINNET_TRY(evaluator.string_argument(arguments, 0, "", &characters));
  return strip(evaluator, self(arguments), given ? &characters : nullptr, begin, end, result);
}

template <bool at_end>
Status remove_at(Evaluator& evaluator, const Arguments& arguments, Value* result) noexcept {
  String part;
  LINNET_TRY(need(evaluator, arguments, 0));
  LINNET_TRY(evaluator.string_argument(arguments, 0, "", &part));
  LINNET_TRY(evaluator.spend_bytes(part.size));
  const String& text = self(arguments);
  if (at_end) return evaluator.new_string(text.part(0, text.view().ends_with(part.view()) ? text.size - part.size : text.size), result);
  return evaluator.new_string(text.part(text.view().starts_with(part.view()) ? part.size : 0, text.size), result);
}

Status replace_method(Evaluator& evaluator, const Arguments& arguments, Value* result) noexcept {
  String old, with;
  int64_t most;
  LINNET_TRY(need(evaluator, arguments, 1));
  LINNET_TRY(evaluator.string_argument(arguments, 0, "", &old));
  LINNET_TRY(evaluator.string_argument(arguments, 1, "", &with));
  LINNET_TRY(evaluator.integer_argument(arguments, 2, -1, &most));
  return replace(evaluator, self(arguments), old, with, most, result);
}

Status join_method(Evaluator& evaluator, const Arguments& arguments, Value* result) noexcept {
  LINNET_TRY(need(evaluator, arguments, 0));
  Items items;
  LINNET_TRY(evaluator.items_of(*arguments.bound[0], &items));
  for (size_t i = 0; i < items.size; ++i)
    if (!items.at(i).is(Kind::string)) return evaluator.fail("'join' of a value of type %s", type_name(items.at(i)));
  return join(evaluator, items, self(arguments), result);
}

// All characters are of one of the classes, and there is one.
template <uint16_t wanted>
Status is_all(Evaluator& evaluator, const Arguments& arguments, Value* result) noexcept {
  const std::string_view text = self(arguments).view();
  LINNET_TRY(evaluator.spend_bytes(text.size()));
  bool all = !text.empty();
  for (size_t at = 0; at < text.size() && all;) {
    const Point point = decode(text, at);
    all = wanted == kSpace ? is_white(point.code) : (classes(point.code) & wanted) != 0;
    at += point.length;
  }
  *result = Value::of_bool(all);
  return {};
}

template <uint16_t wanted, uint16_t unwanted>
Status in_case(Evaluator& evaluator, const Arguments& arguments, Value* result) noexcept {
  const std::string_view text = self(arguments).view();
  LINNET_TRY(evaluator.spend_bytes(text.size()));
  bool some = false, none = true;
  for (size_t at = 0; at < text.size();) {
    const Point point = decode(text, at);
    some |= (classes(point.code) & wanted) != 0;
    none &= (classes(point.code) & unwanted) == 0;
    at += point.length;
  }
  *result = Value::of_bool(some && none);
  return {};
}

template <bool left, bool right>
Status justify_method(Evaluator& evaluator, const Arguments& arguments, Value* result) noexcept {
  int64_t width;
  String fill;
  LINNET_TRY(need(evaluator, arguments, 0));
  LINNET_TRY(evaluator.integer_argument(arguments, 0, 0, &width));
  LINNET_TRY(evaluator.string_argument(arguments, 1, " ", &fill));
  if (count_characters(fill.view()) != 1) return evaluator.fail("a text is filled up with one character");
  return justify(evaluator, self(arguments), width, fill, left, right, result);
}

Status fill_zeros(Evaluator& evaluator, const Arguments& arguments, Value* result) noexcept {
  int64_t width;
  LINNET_TRY(need(evaluator, arguments, 0));
  LINNET_TRY(evaluator.integer_argument(arguments, 0, 0, &width));
  const String& text = self(arguments);
  const size_t sign = text.view().starts_with("-") || text.view().starts_with("+") ? 1 : 0;
  Value digits;
  if (width < 0) width = 0;
  LINNET_TRY(justify(evaluator, text.part(sign, text.size), width - static_cast<int64_t>(sign), {"0", nullptr, 1, nullptr, false}, true,
                     false, &digits));
  return evaluator.concat(text.part(0, sign), *digits.string, result);
}

constexpr Builtin kMethods[] = {
    {"strip", "chars", strip_method<true, true>},
    {"lstrip", "chars", strip_method<true, false>},
    {"rstrip", "chars", strip_method<false, true>},
    {"removeprefix", "prefix", remove_at<false>},
    {"removesuffix", "suffix", remove_at<true>},
    {"replace", "old new count", replace_method},
    {"join", "iterable", join_method},
    {"format", "?", format_braces},
    {"upper", "", change<Case::upper>},
    {"lower", "", change<Case::lower>},
    {"title", "", change<Case::title>},
    {"capitalize", "", change<Case::capital>},
    {"swapcase", "", change<Case::swapped>},
    {"isupper", "", in_case<kUpper, kLower>},
    {"islower", "", in_case<kLower, kUpper>},
    {"isdigit", "", is_all<kNumber>},
    {"isdecimal", "", is_all<kNumber>},
    {"isnumeric", "", is_all<kNumber>},
    {"isalpha", "", is_all<kLetter>},
    {"isalnum", "", is_all<kLetter | kNumber>},
    {"isspace", "", is_all<kSpace>},
    {"center", "width fillchar", justify_method<true, true>},
    {"ljust", "width fillchar", justify_method<false, true>},
    {"rjust", "width fillchar", justify_method<true, false>},
    {"zfill", "width", fill_zeros},
};

constexpr std::string_view kOthers[] = {"casefold",     "encode",      "expandtabs", "format_map", "isascii",
                                        "isidentifier", "isprintable", "istitle",    "maketrans",  "translate"};

}  // namespace

const Builtin* find_string_method(std::string_view name, bool* known) noexcept {
  const Builtin* found = find_builtin(kMethods, name);
  for (const Builtin& method : search_methods())
    if (method.name == name) found = &method;
  *known = found != nullptr;
  for (std::string_view other : kOthers) *known = *known || other == name;
  return found;
}

}  // namespace linnet::text::chat
