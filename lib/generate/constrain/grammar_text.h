// Grammars as text, in the notation of GBNF: rules name ::= body, literals "..." and classes [...] with escapes, . for any character,
// sequences, |, ( ), * + ? {m} {m,} {m,n}, and comments from # to the end of a line. The text begins with the rule root.
#pragma once

#include "generate/constrain/grammar.h"

namespace linnet::constrain {

/// Errors: invalid_argument with "line 3, column 9" and what was expected there, or the limit that is exceeded.
Result<Grammar> parse_grammar(std::string_view text) noexcept;

}  // namespace linnet::constrain
