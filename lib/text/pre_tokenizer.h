// The pre-tokenizer: stages that cut a stretch of text into the pieces that the model sees one by one.
#pragma once

#include "text/pipeline.h"
#include "text/stretch.h"

namespace linnet::text {

using PreTokenizerRun = Status (*)(const StageFields& stage, Pieces* pieces) noexcept;
using PreTokenizerStage = Stage<PreTokenizerRun>;

Status read_pre_tokenizer(const Stages* tables, core::Array<PreTokenizerStage>* stages) noexcept;
/// `pieces->stretch` has been started; all of it is the first piece.
Status pre_tokenize(const core::Array<PreTokenizerStage>& stages, Pieces* pieces) noexcept;

// The kinds, by file.
Status split_pieces(const StageFields& stage, Pieces* pieces) noexcept;  // split.cpp
Status check_split(const StageFields& stage) noexcept;
Status replace_in_pieces(const StageFields& stage, Pieces* pieces) noexcept;  // pre_tokenizer.cpp
Status prepend_to_pieces(const StageFields& stage, Pieces* pieces) noexcept;
Status bytes_to_alphabet(const StageFields&, Pieces* pieces) noexcept;

}  // namespace linnet::text
