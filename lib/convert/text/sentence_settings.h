// What sentence_bert_config.json, or its older names, change about the tokenizer beside them.
#pragma once

#include <optional>
#include <string>

#include "convert/checkpoint.h"
#include "convert/text/tokenizer_draft.h"

namespace linnet::convert {

/// The path of the folder's file, by the newest of the names that are there.
std::optional<std::string> find_sentence_settings(const std::string& folder);
/// max_seq_length cuts texts; do_lower_case puts them in lower case before anything else sees them. `settings` may be null. Throws Error
/// naming `file` and a key that makes no sense.
void apply_sentence_settings(const Json& settings, const std::string& file, TokenizerDraft* draft);

}  // namespace linnet::convert
