// What sentence_bert_config.json changes about the tokenizer beside it.
#pragma once

#include "convert/checkpoint.h"
#include "convert/text/tokenizer_draft.h"

namespace linnet::convert {

/// max_seq_length cuts texts; do_lower_case puts them in lower case before anything else sees them. `settings` may be null. Throws Error
/// naming a key that makes no sense.
void apply_sentence_settings(const Json& settings, TokenizerDraft* draft);

}  // namespace linnet::convert
