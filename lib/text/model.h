// The model of a tokenizer: the part that cuts one piece of text into the vocabulary's pieces.
#pragma once

#include "core/array.h"
#include "text/bytes.h"
#include "text/vocabulary.h"

namespace linnet::text {

using IdList = core::Array<int32_t>;

/// A part of a word on its way through byte-pair merging; parts are linked in the order of the text.
struct Symbol {
  int32_t id;               // -1: the vocabulary does not have it
  uint32_t begin, end;      // its text; begin == end: merged into the part before it
  uint32_t previous, next;  // kNoSymbol at the ends
};
constexpr uint32_t kNoSymbol = UINT32_MAX;

struct Candidate {
  uint32_t rank, symbol;
  int32_t result;
};

/// The best segmentation of a text up to some byte.
struct PathNode {
  double score;
  uint32_t begin;  // of the last piece; kNoSymbol: not reached
  int32_t id;
};

/// Working memory of the models, reused from word to word.
struct ModelScratch {
  core::Array<Symbol> symbols;
  core::Array<Candidate> queue;
  core::Array<PathNode> path;
  Bytes key;
  size_t memory() const noexcept {
    return symbols.size() * sizeof(Symbol) + queue.size() * sizeof(Candidate) + path.size() * sizeof(PathNode);
  }
};

/// What the models need, looked up once.
struct ModelTables {
  const Vocabulary* vocabulary = nullptr;
  schema::TokenizerKind kind = schema::TokenizerKind::none;
  std::string_view prefix, suffix;  // of continuing pieces; of a word's last piece
  int32_t unknown_id = -1;
  uint32_t max_word_characters = 0;
  bool byte_fallback = false, fuse_unknown = false, ignore_merges = false;
  double unknown_score = 0;    // of a character that no piece covers
  int32_t byte_ids[256];       // of the pieces <0xNN>, -1 for none
  int32_t character_ids[512];  // of the pieces of one character below U+0200
};

/// Fails where a table that the kind needs is missing. Keeps pointers to both.
Status read_model(const schema::Tokenizer& table, const Vocabulary& vocabulary, ModelTables* model) noexcept;
/// The id of one character's piece, -1 for none.
inline int32_t character_id(const ModelTables& model, std::string_view character, char32_t code) noexcept {
  return code < 512 ? model.character_ids[code] : model.vocabulary->find(character);
}
/// Appends the byte pieces of `bytes`; false, with nothing appended, when one of them does not exist.
Result<bool> append_bytes(const ModelTables& model, std::string_view bytes, IdList* ids) noexcept;

/// Appends the ids of `word`, which is valid UTF-8 and not empty.
Status tokenize_word(const ModelTables& model, std::string_view word, ModelScratch* scratch, IdList* ids) noexcept;

// The kinds, each in the file of its name; merging by rank and by score are both in bpe.cpp.
Status word_piece(const ModelTables& model, std::string_view word, IdList* ids) noexcept;
Status bpe(const ModelTables& model, std::string_view word, ModelScratch* scratch, IdList* ids) noexcept;
Status unigram(const ModelTables& model, std::string_view word, ModelScratch* scratch, IdList* ids) noexcept;

}  // namespace linnet::text
