// Reading parts of values by a path such as "function.name" or 0, and dicts as lists of pairs.
#pragma once

#include "text/chat/evaluator.h"

namespace linnet::text::chat {

inline constexpr String kNoText{};

/// `path`: a string with points between its names, or a number. `fallback` (may be null) stands in for what is undefined.
Status follow_path(Evaluator& evaluator, const Value& value, const Value& path, const Value* fallback, Value* result) noexcept;
/// Tuples of key and value.
Status list_pairs(Evaluator& evaluator, const Dict& dict, ListKind kind, bool data, Value* result) noexcept;

}  // namespace linnet::text::chat
