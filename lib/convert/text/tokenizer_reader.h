// A checkpoint's tokenizer, in whichever of its files it is written.
#pragma once

#include <optional>
#include <string>

#include "convert/checkpoint.h"
#include "convert/text/tokenizer_draft.h"

namespace linnet::convert {

/// `path`: a folder with tokenizer.json, tokenizer.model, source.spm and vocab.json, vocab.txt or vocab.json and merges.txt, or a GGUF
/// file. In a folder with modules.json, sentence_bert_config.json (or an older name of it) changes it. Nothing when there is none of the
/// files. Throws Error that names what this library does not have.
std::optional<TokenizerDraft> read_tokenizer(const std::string& path);
/// The same of a checkpoint that is open already.
std::optional<TokenizerDraft> read_tokenizer(const Checkpoint& checkpoint);

/// That of what is written, where the two sides of a translator have vocabularies of their own.
std::optional<TokenizerDraft> read_target_tokenizer(const Checkpoint& checkpoint);

}  // namespace linnet::convert
