// Regular expressions of schemas, as far as they are regular: literals, classes, groups, alternatives, repetitions, and anchors at the
// ends.
#pragma once

#include "generate/constrain/grammar.h"

namespace linnet::constrain {

struct PatternLimits {
  uint32_t min = 0, max = kUnbounded;  // characters
};

/// A JSON string's inside that `pattern` matches somewhere (as schemas have it), within the limits. Classes like \d and \s stand for ASCII
/// alone, inverted ones for the rest of printable ASCII: readings of them differ, and all agree on these.
/// Errors: unsupported, with what is not regular, or where limits cannot be combined with the pattern; invalid_argument.
Result<Expr> expression_of_pattern(std::string_view pattern, const PatternLimits& limits, Grammar* grammar) noexcept;

}  // namespace linnet::constrain
