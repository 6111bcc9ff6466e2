// A tokenizer as the readers leave it: the schema's table in plain containers.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "linnet_generated.h"

namespace linnet::convert {

struct StageDraft {
  std::string kind, text, second;
  std::vector<uint8_t> bytes;
  int32_t number = 0;
  uint32_t flags = 0;
};

struct AddedDraft {
  uint32_t id = 0;
  std::string content;
  bool special = false, normalized = false, lstrip = false, rstrip = false, single_word = false;
};

struct TokenizerDraft {
  enum PieceType : uint8_t { normal = 1, unknown = 2, control = 3, user_defined = 4, unused = 5, byte = 6 };

  schema::TokenizerKind kind = schema::TokenizerKind::none;
  std::vector<std::string> pieces;
  std::vector<uint8_t> types;                               // one for each piece
  std::vector<float> scores;                                // one for each piece, or none
  std::vector<std::pair<std::string, std::string>> merges;  // by rank
  std::vector<AddedDraft> added;
  std::vector<StageDraft> normalizer, pre_tokenizer, decoder;
  std::vector<schema::TemplateItem> single, pair;
  int32_t unknown_id = -1;
  std::string continuing_prefix, end_of_word_suffix;
  uint32_t max_word_characters = 100;
  bool byte_fallback = false, fuse_unknown = false, ignore_merges = false;
  uint32_t max_length = 0;
  std::string foreign_cut;           // why texts longer than max_length cannot be cut as the reference cuts them; "" = they can
  bool text_matches_control = true;  // pieces that are neither normal nor user-defined can be found in text too
};

/// The table with its hashes. Throws Error where pieces and merges contradict each other.
flatbuffers::Offset<schema::Tokenizer> write_tokenizer(flatbuffers::FlatBufferBuilder& builder, const TokenizerDraft& draft);

}  // namespace linnet::convert
