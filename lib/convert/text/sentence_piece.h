// tokenizer.model: SentencePiece's own file.
#pragma once

#include <string>

#include "convert/checkpoint.h"
#include "convert/text/tokenizer_draft.h"

namespace linnet::convert {

/// `config`: the folder's tokenizer_config.json, or null. Throws Error naming what this library does not have.
TokenizerDraft parse_sentence_piece(const std::string& bytes, const Json& config);

/// What SentencePiece does to text before its model and after it, in any file that holds one.
struct SentencePieceRules {
  std::string character_map;
  bool add_dummy_prefix = true, remove_extra_spaces = true;
};
void add_sentence_piece_stages(const SentencePieceRules& rules, TokenizerDraft* draft);
/// [begin] A [end], and for a pair [begin] A [end] [begin] B [end]; ids below 0 are left out.
void set_begin_end(int32_t begin, int32_t end, uint8_t second_type, TokenizerDraft* draft);

}  // namespace linnet::convert
