// Unigram: of all ways to cut a word into pieces the one whose scores have the largest sum (Viterbi). Characters that no piece covers are
// unknown, and neighbouring ones become one.
#include <algorithm>

#include "text/model.h"
#include "text/unicode.h"

namespace linnet::text {
namespace {

void offer(PathNode* node, double score, size_t begin, int32_t id) {
  if (node->begin != kNoSymbol && score <= node->score) return;
  *node = {score, static_cast<uint32_t>(begin), id};
}

// Offers every piece that begins at `at` to the node where it ends; whether one of them is the character alone.
bool offer_pieces(const ModelTables& model, std::string_view word, size_t at, size_t character, core::Array<PathNode>* path) {
  const Vocabulary& vocabulary = *model.vocabulary;
  const Trie trie = vocabulary.trie();
  if (trie.empty()) return false;
  size_t node = trie.root();
  int32_t value = -1;
  bool covered = false;
  const double score = (*path)[at].score;
  const size_t last = std::min(word.size(), at + vocabulary.longest());
  for (size_t i = at; i < last && trie.step(&node, static_cast<uint8_t>(word[i]), &value); ++i) {
    if (value < 0 || static_cast<size_t>(value) >= vocabulary.size()) continue;
    offer(&(*path)[i + 1], vocabulary.score(value) + score, at, value);
    covered = covered || i + 1 == at + character;
  }
  return covered;
}

// The id of the piece that is `text` as a whole, of those that text can become; -1 for none.
int32_t find_whole(const Vocabulary& vocabulary, std::string_view text) {
  const Trie trie = vocabulary.trie();
  if (trie.empty() || text.size() > vocabulary.longest()) return -1;
  size_t node = trie.root();
  int32_t value = -1;
  for (char byte : text)
    if (!trie.step(&node, static_cast<uint8_t>(byte), &value)) return -1;
  return value >= 0 && static_cast<size_t>(value) < vocabulary.size() ? value : -1;
}

Status append_piece(const ModelTables& model, std::string_view piece, int32_t id, IdList* ids) {
  if (id >= 0) return ids->push(id);
  // What was joined of unknown characters may be a piece after all.
  if (const int32_t found = find_whole(*model.vocabulary, piece); found >= 0) return ids->push(found);
  LINNET_ASSIGN(const bool as_bytes, append_bytes(model, piece, ids));
  if (as_bytes || model.unknown_id < 0) return {};
  return ids->push(model.unknown_id);
}

}  // namespace

Status unigram(const ModelTables& model, std::string_view word, ModelScratch* scratch, IdList* ids) noexcept {
  core::Array<PathNode>& path = scratch->path;
  path.clear();
  LINNET_TRY(path.resize(word.size() + 1));
  for (PathNode& node : path) node.begin = kNoSymbol;
  path[0].begin = 0;
  for (size_t at = 0; at < word.size();) {
    const size_t length = decode(word, at).length;
    if (!offer_pieces(model, word, at, length, &path)) offer(&path[at + length], model.unknown_score + path[at].score, at, -1);
    at += length;
  }
  // Backwards along the best path: the pieces are linked the other way round in the nodes behind them.
  size_t end = word.size(), pieces = 0;
  core::Array<Symbol>& cut = scratch->symbols;
  cut.clear();
  for (; end > 0; ++pieces) {
    const PathNode& node = path[end];
    const bool unknown = node.id < 0 || node.id == model.unknown_id;
    if (unknown && !cut.empty() && cut.back().id < 0)
      cut.back().begin = node.begin;
    else
      LINNET_TRY(cut.push({unknown ? -1 : node.id, node.begin, static_cast<uint32_t>(end), 0, 0}));
    end = node.begin;
  }
  for (size_t i = cut.size(); i > 0; --i)
    LINNET_TRY(append_piece(model, word.substr(cut[i - 1].begin, cut[i - 1].end - cut[i - 1].begin), cut[i - 1].id, ids));
  return {};
}

}  // namespace linnet::text
