// Text with places for values: 'a %s' % value and 'a {}'.format(value).
#pragma once

#include "text/chat/evaluator.h"

namespace linnet::text::chat {

/// `values`: a tuple, a dict for %(name)s, or one value.
Status format_percent(Evaluator& evaluator, const String& text, const Value& values, Value* result) noexcept;
/// The method str.format.
Status format_braces(Evaluator& evaluator, const Arguments& arguments, Value* result) noexcept;

}  // namespace linnet::text::chat
