// What templates may call without an object.
#include "core/limits.h"
#include "core/platform.h"
#include "text/chat/clock.h"
#include "text/chat/evaluator.h"

namespace linnet::text::chat {
namespace {

Status raise_exception(Evaluator& evaluator, const Arguments& arguments, Value*) noexcept {
  if (!arguments.bound[0]) return evaluator.fail("raise_exception without a message");
  const String* text;
  LINNET_TRY(evaluator.text_of(*arguments.bound[0], &text));
  const auto length = static_cast<int>(text->size < 380 ? text->size : 380);
  return evaluator.fail("%.*s", length, text->text);
}

Status strftime_now(Evaluator& evaluator, const Arguments& arguments, Value* result) noexcept {
  String format;
  if (!arguments.bound[0]) return evaluator.fail("strftime_now without a format");
  LINNET_TRY(evaluator.string_argument(arguments, 0, "", &format));
  DateTime time;
  if (evaluator.time()) {
    time = *evaluator.time();
  } else {
    const core::CivilTime now = core::local_time();
    time = {now.year, now.month, now.day, now.hour, now.minute, now.second};
  }
  LINNET_TRY(evaluator.spend_bytes(format.size * 8));
  const size_t begin = evaluator.sink().size();
  LINNET_TRY(format_time(time, format, &evaluator.sink()));
  return evaluator.take_string(begin, result);
}

// dict(other, a=1) and namespace(a=1)
template <Kind kind>
Status make_dict(Evaluator& evaluator, const Arguments& arguments, Value* result) noexcept {
  LINNET_TRY(evaluator.new_dict(arguments.named.size(), false, kind, result));
  for (const Value& other : arguments.values) {
    if (other.is(Kind::dict)) {
      for (size_t i = 0; i < other.dict->size; ++i)
        LINNET_TRY(evaluator.insert(result->dict, other.dict->entries[i].key, other.dict->entries[i].value));
      continue;
    }
    Items pairs, pair;
    LINNET_TRY(evaluator.items_of(other, &pairs));
    for (size_t i = 0; i < pairs.size; ++i) {
      LINNET_TRY(evaluator.items_of(pairs.at(i), &pair));
      if (pair.size != 2) return evaluator.fail("a dict is made of pairs");
      LINNET_TRY(evaluator.insert(result->dict, pair.at(0), pair.at(1)));
    }
  }
  for (const NamedValue& named : arguments.named) {
    Value key;
    LINNET_TRY(evaluator.new_string({named.name.data(), nullptr, named.name.size(), nullptr, false}, &key));
    LINNET_TRY(evaluator.insert(result->dict, key, named.value));
  }
  return {};
}

Status range(Evaluator& evaluator, const Arguments& arguments, Value* result) noexcept {
  int64_t start, stop, step;
  if (!arguments.bound[0]) return evaluator.fail("range without a number");
  LINNET_TRY(evaluator.integer_argument(arguments, 0, 0, &start));
  LINNET_TRY(evaluator.integer_argument(arguments, 1, 0, &stop));
  LINNET_TRY(evaluator.integer_argument(arguments, 2, 1, &step));
  if (!arguments.bound[1]) stop = start, start = 0;
  if (step == 0) return evaluator.fail("a range with step 0");
  // In unsigned arithmetic the distance always fits.
  const bool some = step > 0 ? start < stop : start > stop;
  const uint64_t distance =
      step > 0 ? static_cast<uint64_t>(stop) - static_cast<uint64_t>(start) : static_cast<uint64_t>(start) - static_cast<uint64_t>(stop);
  const uint64_t stride = step > 0 ? static_cast<uint64_t>(step) : 0 - static_cast<uint64_t>(step);
  const uint64_t size = some ? (distance - 1) / stride + 1 : 0;
  if (size > core::limits::kTemplateRange) return evaluator.fail("a range of more than %u numbers", core::limits::kTemplateRange);
  Range* made;
  LINNET_TRY(evaluator.arena().make(1, &made));
  *made = {start, stop, step, static_cast<size_t>(size)};
  *result = Value::of(Kind::range);
  result->range = made;
  return {};
}

constexpr Builtin kFunctions[] = {
    {"raise_exception", "message", raise_exception},
    {"strftime_now", "format", strftime_now},
    {"range", "start stop step", range},
    {"dict", "?", make_dict<Kind::dict>},
    {"namespace", "?", make_dict<Kind::space>},
};

}  // namespace

const Builtin* find_function(std::string_view name) noexcept { return find_builtin(kFunctions, name); }

}  // namespace linnet::text::chat
