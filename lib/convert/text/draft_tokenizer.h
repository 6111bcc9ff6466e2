// A tokenizer that is only a draft, opened as it would be from a file.
#pragma once

#include "convert/text/tokenizer_draft.h"
#include "linnet/tokenizer.h"

namespace linnet::convert {

/// Throws Error with what opening a file with this tokenizer would say.
Tokenizer open_draft(const TokenizerDraft& draft);

}  // namespace linnet::convert
