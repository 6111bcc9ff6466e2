// JSON schemas as grammars. What is generated is a part of what the schema accepts, never more; keywords that cannot be kept are refused.
#pragma once

#include "generate/constrain/grammar.h"

namespace linnet::constrain {

/// Errors: invalid_argument (no JSON, no schema, a limit), unsupported (a keyword, or a use of it, with its place in the schema).
Result<Grammar> grammar_of_schema(std::string_view schema) noexcept;

}  // namespace linnet::constrain
