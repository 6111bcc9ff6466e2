// What a report tells besides its tensors: one sentence for each thing that the file does not do as its checkpoint would.
#pragma once

#include "convert/config.h"
#include "convert/convert.h"
#include "convert/graph.h"
#include "convert/text/tokenizer_draft.h"

namespace linnet::convert {

using Notes = std::vector<std::string>;

/// Blocks of a GGUF file are decoded and rounded anew; someone who wonders about the damage should know.
void note_second_rounding(const Checkpoint& checkpoint, const Options& options, Notes* notes);
/// Keys of generation_config.json that change what is written and that the file has no place for.
void note_generation(const Config& generation, Notes* notes, bool from_source = false);
/// Ids that a text may become and that the embedding has no row for.
void note_ids_beyond(const TokenizerDraft& tokenizer, const Graph& graph, Notes* notes);

}  // namespace linnet::convert
