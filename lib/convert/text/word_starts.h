#pragma once

#include "convert/text/tokenizer_draft.h"

namespace linnet::convert {

/// SentencePiece's byte pairs take a whole text for one word. Where no piece has U+2581 behind another character, no merge crosses such a
/// place: a stage that cuts there changes no id and keeps words short. Adds it where that holds; true then.
bool cut_at_word_starts(TokenizerDraft* draft);

}  // namespace linnet::convert
