// How the methods of strings read their arguments.
#pragma once

#include "text/chat/evaluator.h"

namespace linnet::text::chat {

/// The string that the method is of.
inline const String& self(const Arguments& arguments) { return *arguments.self.string; }

/// Given, and not none.
inline bool is_given(const Arguments& arguments, size_t place) { return arguments.bound[place] && !arguments.bound[place]->is(Kind::none); }

/// Fails where it was not given.
inline Status need(Evaluator& evaluator, const Arguments& arguments, size_t place) {
  if (arguments.bound[place]) return {};
  return evaluator.fail("'%.*s' needs an argument", static_cast<int>(arguments.name.size()), arguments.name.data());
}

}  // namespace linnet::text::chat
