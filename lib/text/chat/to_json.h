// Values as JSON, in the form that the reference's tojson gives them.
#pragma once

#include "text/chat/evaluator.h"

namespace linnet::text::chat {

struct JsonForm {
  bool ascii = false, sorted = false, lines = false;
  String indent, between, after_key{": ", nullptr, 2, nullptr, true};
};

/// Appends to the sink. Errors: a value that JSON does not have, nested too deep.
Status append_json(Evaluator& evaluator, const Value& value, const JsonForm& form, size_t depth) noexcept;

}  // namespace linnet::text::chat
