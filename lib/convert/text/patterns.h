// The regular expressions of tokenizer files, recognised by their text.
#pragma once

#include <string>

#include "convert/text/tokenizer_draft.h"
#include "text/pipeline.h"

namespace linnet::convert {

/// Sets the stage's text and its scanner flag for a regular expression. Throws Error naming an expression that no scanner stands for.
void set_expression(const std::string& expression, StageDraft* stage);
/// A stage that cuts at `pattern`: a scanner's name, or literally.
StageDraft split_at_scanner(const std::string& scanner, text::Behavior behavior, bool invert = false);
StageDraft split_at_literal(const std::string& literal, text::Behavior behavior, bool invert = false);

}  // namespace linnet::convert
