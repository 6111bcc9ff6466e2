// What tokenizer_config.json adds to files that hold a vocabulary alone. `config` is that file, or null.
#pragma once

#include <string>

#include "convert/checkpoint.h"
#include "convert/text/tokenizer_draft.h"

namespace linnet::convert {

/// "BertTokenizer" for "BertTokenizerFast"; "" where no class is named.
std::string tokenizer_class(const Json& config);
bool setting(const Json& config, const char* key, bool fallback);
/// A special token's text: written as it is, or as an object with "content".
std::string special_text(const Json& config, const char* key, const std::string& fallback);
/// Makes a piece a special token that is found in raw text. Its id; -1 where there is no such piece.
int32_t add_special_token(const std::string& content, bool lstrip, TokenizerDraft* draft);
/// The tokens of "added_tokens_decoder", which may lie behind the vocabulary.
void add_listed_tokens(const Json& config, TokenizerDraft* draft);

}  // namespace linnet::convert
