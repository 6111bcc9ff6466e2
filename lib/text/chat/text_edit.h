// What filters and methods have in common: changed copies of texts whose bytes keep their origin.
#pragma once

#include "text/chat/evaluator.h"

namespace linnet::text::chat {

/// Values collected one by one.
class ListBuilder {
 public:
  Status add(const Value& value) noexcept { return items_.push(value); }
  Status finish(Evaluator& evaluator, ListKind kind, bool data, Value* result) noexcept {
    LINNET_TRY(evaluator.new_list(kind, items_.size(), data, result));
    for (size_t i = 0; i < items_.size(); ++i) result->list->items[i] = items_[i];
    return {};
  }
  size_t size() const noexcept { return items_.size(); }
  Value& operator[](size_t i) noexcept { return items_[i]; }

 private:
  core::Array<Value> items_;
};

enum class Case : uint8_t { lower, upper, swapped, capital, title, jinja_title };

Status change_case(Evaluator& evaluator, const String& text, Case to, Value* result) noexcept;
/// Without the characters of `characters` (null: white space) at the begin, at the end, or both.
Status strip(Evaluator& evaluator, const String& text, const String* characters, bool begin, bool end, Value* result) noexcept;
/// `most` < 0: all of them.
Status replace(Evaluator& evaluator, const String& text, const String& old, const String& with, int64_t most, Value* result) noexcept;
/// Lines without their ends, or with them.
Status split_lines(Evaluator& evaluator, const String& text, bool keep_ends, ListBuilder* lines) noexcept;
/// Filled up with spaces to `width` characters; `left` and `right` say on which sides.
Status justify(Evaluator& evaluator, const String& text, int64_t width, const String& fill, bool left, bool right, Value* result) noexcept;
Status join(Evaluator& evaluator, const Items& items, const String& between, Value* result) noexcept;

}  // namespace linnet::text::chat
