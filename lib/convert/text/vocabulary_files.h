// Tokenizers of the time before tokenizer.json: BERT's vocab.txt, and GPT-2's vocab.json with merges.txt.
#pragma once

#include <string>

#include "convert/checkpoint.h"
#include "convert/text/tokenizer_draft.h"

namespace linnet::convert {

/// `config`: the folder's tokenizer_config.json, or null; `vocabulary` and `merges`: the files' contents. Throw Error naming a class of
/// tokenizers that these files do not describe fully.
TokenizerDraft parse_vocab_txt(const std::string& vocabulary, const Json& config);
TokenizerDraft parse_vocab_json(const std::string& vocabulary, const std::string& merges, const Json& config);

}  // namespace linnet::convert
