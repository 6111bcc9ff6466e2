// tokenizer.json: the pipeline of the Hugging Face library, broken down to the stages of lib/text/pipeline.h.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "convert/text/tokenizer_draft.h"

namespace linnet::convert {

/// Objects by key in a tree: vocabularies have too many keys for the ordered kind.
using TokenizerJson = nlohmann::json;

/// `text` is the file's content, `name` its name for messages. Throws Error naming the part that this library does not have.
TokenizerDraft parse_tokenizer_json(const std::string& text, const std::string& name);

// Its parts, one file each. `node` may be null: then there is nothing to do. All throw Error.
void read_model_json(const TokenizerJson& node, TokenizerDraft* draft);
void read_normalizer_json(const TokenizerJson& node, std::vector<StageDraft>* stages);
void read_pre_tokenizer_json(const TokenizerJson& node, std::vector<StageDraft>* stages);
void read_decoder_json(const TokenizerJson& node, std::vector<StageDraft>* stages);
void read_post_processor_json(const TokenizerJson& node, TokenizerDraft* draft);

/// One id for one text; the first name of a dictionary that is there.
int32_t id_of(const TokenizerDraft& draft, const std::string& piece);
/// Puts a piece at its id. Throws Error for ids beyond the limit.
void set_piece(TokenizerDraft* draft, uint64_t id, const std::string& piece);
/// A stage of `kind` with `text`.
StageDraft make_stage(const std::string& kind, const std::string& text = "", const std::string& second = "", int32_t number = 0,
                      uint32_t flags = 0);
/// Metaspace's work before the model: spaces become `replacement`, one goes in front ("always", "first", "never"), pieces begin with it.
void add_metaspace(const std::string& replacement, const std::string& prepend, bool split, std::vector<StageDraft>* stages);
/// Whether a key is there and neither null nor false.
bool flag(const TokenizerJson& node, const char* key, bool fallback);
std::string text_or(const TokenizerJson& node, const char* key, const std::string& fallback);

}  // namespace linnet::convert
