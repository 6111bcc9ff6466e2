// One formatted value: width, alignment, sign, precision and form.
#pragma once

#include "text/chat/text_edit.h"

namespace linnet::text::chat {

struct ValueFormat {
  String fill{" ", nullptr, 1, nullptr, false};
  char align = 0;  // '<', '>', '^', '=' or as the kind of value does
  char sign = '-', type = 0;
  bool comma = false;
  int64_t width = 0, precision = -1;
};

/// Decimal digits at `at`, which moves behind them; at most 10000 is meant.
int64_t read_width(std::string_view text, size_t* at) noexcept;
/// What stands behind the colon in braces. False where it is none.
bool read_format(const String& text, ValueFormat* format) noexcept;
Status append_formatted(Evaluator& evaluator, const Value& value, const ValueFormat& format) noexcept;

}  // namespace linnet::text::chat
