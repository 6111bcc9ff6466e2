// The tokenizer that the metadata of a GGUF file describe.
#pragma once

#include <optional>

#include "convert/readers/gguf_metadata.h"
#include "convert/text/tokenizer_draft.h"

namespace linnet::convert {

/// Nothing where the file says that there is none. Throws Error naming what this library does not have.
std::optional<TokenizerDraft> read_gguf_tokenizer(const GgufMetadata& metadata);

/// The stages that tokenizer.ggml.pre stands for. Throws Error naming a value that is not known.
struct GgufPreTokenizer {
  std::vector<StageDraft> stages;
  bool add_begin = false, add_separator = false, ignore_merges = false;
};
GgufPreTokenizer gguf_pre_tokenizer(const std::string& name);

}  // namespace linnet::convert
