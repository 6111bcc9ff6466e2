// A SentencePiece model that cuts texts, beside a list that numbers the pieces: as OPUS-MT stores the two sides of a translator.
#pragma once

#include <string>

#include "convert/text/tokenizer_draft.h"

namespace linnet::convert {

/// `model`: source.spm or target.spm; `vocabulary`: vocab.json, pieces and their ids. Pieces of the list alone are written, never read,
/// but for the codes of languages (">>deu<<"). A text ends with "</s>". Throws Error where the list lacks a piece that texts can become.
TokenizerDraft parse_paired_pieces(const std::string& model, const std::string& vocabulary);

}  // namespace linnet::convert
