#include "text/chat/text_edit.h"

#include "core/limits.h"
#include "text/chat/text_tools.h"

namespace linnet::text::chat {
namespace {

bool is_cased(char32_t code) { return (classes(code) & (kUpper | kLower)) != 0; }

Status append_mapped(Sink* sink, char32_t code, Case to, bool data) {
  char32_t mapped[3] = {code};
  uint32_t count = 1;
  if (to == Case::lower) count = lower(code, mapped);
  if (to == Case::upper) count = upper(code, mapped);
  // A letter whose upper case is several begins a word with the first of them alone.
  if (to == Case::title && (count = upper(code, mapped)) == 1) mapped[0] = title(code);
  for (uint32_t i = 1; to == Case::title && i < count; ++i) {
    char32_t small[2];
    lower(mapped[i], small);
    mapped[i] = small[0];
  }
  for (uint32_t i = 0; i < count; ++i) LINNET_TRY(sink->append(mapped[i], data));
  return {};
}

// What becomes of one character, `inside`: it follows others of its word.
Case case_of(char32_t code, Case to, bool inside) {
  switch (to) {
    case Case::swapped:
      return (classes(code) & kUpper) != 0 ? Case::lower : Case::upper;
    case Case::capital:
    case Case::title:
      return inside ? Case::lower : Case::title;
    case Case::jinja_title:
      return inside ? Case::lower : Case::upper;
    default:
      return to;
  }
}

bool begins_word(char32_t code) { return is_white(code) || code == '-' || code == '(' || code == '{' || code == '[' || code == '<'; }

bool has_character(const String& set, std::string_view character) {
  for (size_t at = 0; at < set.size;) {
    const size_t length = decode(set.view(), at).length;
    if (cut(set.view(), at, at + length) == character) return true;
    at += length;
  }
  return false;
}

// Bytes of a line's end at `at`; 0: none.
size_t line_end(std::string_view text, size_t at) {
  if (text[at] == '\r' && at + 1 < text.size() && text[at + 1] == '\n') return 2;
  const Point point = decode(text, at);
  const char32_t code = point.code;
  const bool ends = (code >= 0x0A && code <= 0x0D) || (code >= 0x1C && code <= 0x1E) || code == 0x85 || code == 0x2028 || code == 0x2029;
  return ends ? point.length : 0;
}

}  // namespace

Status change_case(Evaluator& evaluator, const String& text, Case to, Value* result) noexcept {
  LINNET_TRY(evaluator.spend_bytes(text.size * 4));
  Sink& sink = evaluator.sink();
  const size_t begin = sink.size();
  bool inside = false;
  size_t word = 0;  // where what is lowered together begins
  for (size_t at = 0; at < text.size;) {
    const Point point = decode(text.view(), at);
    const Case becomes = case_of(point.code, to, inside);
    if (becomes == Case::lower && point.code == kSigma && is_final_sigma(cut(text.view(), word, text.size), at - word))
      LINNET_TRY(sink.append(kFinalSigma, text.is_data(at)));
    else
      LINNET_TRY(append_mapped(&sink, point.code, becomes, text.is_data(at)));
    at += point.length;
    if (to == Case::jinja_title && !inside) word = at;  // the reference lowers what follows a word's first character by itself
    inside = to == Case::title ? is_cased(point.code) : to == Case::jinja_title ? !begins_word(point.code) : true;
  }
  return evaluator.take_string(begin, result);
}

Status strip(Evaluator& evaluator, const String& text, const String* characters, bool begin, bool end, Value* result) noexcept {
  size_t from = 0, to = text.size;
  const std::string_view view = text.view();
  const auto goes = [&](size_t at, size_t length) {
    return characters ? has_character(*characters, cut(view, at, at + length)) : is_white(decode(view, at).code);
  };
  while (begin && from < to) {
    const size_t length = decode(view, from).length;
    LINNET_TRY(evaluator.spend(1 + (characters ? characters->size / 16 : 0)));
    if (!goes(from, length)) break;
    from += length;
  }
  while (end && to > from) {
    const size_t before = previous(view, to);
    LINNET_TRY(evaluator.spend(1 + (characters ? characters->size / 16 : 0)));
    if (!goes(before, to - before)) break;
    to = before;
  }
  return evaluator.new_string(text.part(from, to), result);
}

Status replace(Evaluator& evaluator, const String& text, const String& old, const String& with, int64_t most, Value* result) noexcept {
  Sink& sink = evaluator.sink();
  const size_t begin = sink.size();
  size_t done = 0, at = 0;
  for (int64_t count = 0; most < 0 || count < most; ++count) {
    size_t found;
    LINNET_TRY(evaluator.search(text.view(), old.view(), at, &found));
    if (found == std::string_view::npos) break;
    LINNET_TRY(evaluator.spend_bytes(with.size));
    LINNET_TRY(sink.append(text.part(done, found)));
    LINNET_TRY(sink.append(with));
    done = found + old.size;
    at = done;
    // Nothing is found before every character, and at the end.
    if (old.size == 0) {
      if (at == text.size) break;
      at += decode(text.view(), at).length;
    }
  }
  LINNET_TRY(sink.append(text.part(done, text.size)));
  return evaluator.take_string(begin, result);
}

Status split_lines(Evaluator& evaluator, const String& text, bool keep_ends, ListBuilder* lines) noexcept {
  LINNET_TRY(evaluator.spend_bytes(text.size));
  Value line;
  size_t begin = 0;
  for (size_t at = 0; at < text.size;) {
    const size_t end = line_end(text.view(), at);
    if (end == 0) {
      at += decode(text.view(), at).length;
      continue;
    }
    LINNET_TRY(evaluator.new_string(text.part(begin, at + (keep_ends ? end : 0)), &line));
    LINNET_TRY(lines->add(line));
    begin = at += end;
  }
  if (begin == text.size) return {};
  LINNET_TRY(evaluator.new_string(text.part(begin, text.size), &line));
  return lines->add(line);
}

Status justify(Evaluator& evaluator, const String& text, int64_t width, const String& fill, bool left, bool right, Value* result) noexcept {
  const auto size = static_cast<int64_t>(count_characters(text.view()));
  LINNET_TRY(evaluator.spend_bytes(text.size));
  if (width <= size) return evaluator.new_string(text, result);
  if (width > core::limits::kTemplateOutput) return evaluator.fail("a text filled up to more than %u", core::limits::kTemplateOutput);
  const int64_t missing = width - size;
  // Of an odd number, the larger half goes where Python puts it.
  const int64_t before = left && right ? missing / 2 + (missing & width & 1) : left ? missing : 0;
  LINNET_TRY(evaluator.spend(static_cast<size_t>(missing)));
  Sink& sink = evaluator.sink();
  const size_t begin = sink.size();
  for (int64_t i = 0; i < before; ++i) LINNET_TRY(sink.append(fill));
  LINNET_TRY(sink.append(text));
  for (int64_t i = before; i < missing; ++i) LINNET_TRY(sink.append(fill));
  return evaluator.take_string(begin, result);
}

Status join(Evaluator& evaluator, const Items& items, const String& between, Value* result) noexcept {
  Sink& sink = evaluator.sink();
  const size_t begin = sink.size();
  for (size_t i = 0; i < items.size; ++i) {
    LINNET_TRY(evaluator.spend_bytes(between.size));
    if (i > 0) LINNET_TRY(sink.append(between));
    LINNET_TRY(evaluator.print(items.at(i)));
  }
  return evaluator.take_string(begin, result);
}

}  // namespace linnet::text::chat
