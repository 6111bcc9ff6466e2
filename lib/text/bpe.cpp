// Byte-pair encoding: the neighbouring pair of the lowest rank is joined, the leftmost of equals, until no pair has a rank. Ranks are those
// of the merges, or come from the score of the joined piece (SentencePiece). Short words are searched again after every join; long ones
// keep their candidates in a heap, so that time grows with n log n.
#include <algorithm>
#include <bit>

#include "text/model.h"
#include "text/unicode.h"

namespace linnet::text {
namespace {

constexpr size_t kShortWord = 24;
constexpr uint32_t kNoRank = UINT32_MAX;

using Symbols = core::Array<Symbol>;

// Lower ranks for higher scores, in an unsigned number's order.
uint32_t rank_of(float score) {
  const auto bits = std::bit_cast<uint32_t>(score + 0.0f);
  const uint32_t ascending = (bits & 0x80000000u) != 0 ? ~bits : bits | 0x80000000u;
  return std::min(~ascending, kNoRank - 1);
}

// Control, unknown and byte pieces never come from text.
bool is_text(PieceType type) { return type == PieceType::normal || type == PieceType::user_defined || type == PieceType::unused; }

class Pairs {
 public:
  Pairs(const ModelTables& model, std::string_view word) noexcept
      : vocabulary_(*model.vocabulary), word_(word), by_score_(!vocabulary_.has_merges() && vocabulary_.has_scores()) {}
  bool by_score() const noexcept { return by_score_; }

  Candidate join(const Symbol& left, const Symbol& right, uint32_t index) const noexcept {
    if (!by_score_) {
      const Vocabulary::Merge merge = vocabulary_.merge(left.id, right.id);
      return {merge.result < 0 ? kNoRank : merge.rank, index, merge.result};
    }
    if (right.end - left.begin > vocabulary_.longest()) return {kNoRank, index, -1};
    const int32_t id = vocabulary_.find(word_.substr(left.begin, right.end - left.begin));
    return {id < 0 || !is_text(vocabulary_.type(id)) ? kNoRank : rank_of(vocabulary_.score(id)), index, id};
  }

 private:
  const Vocabulary& vocabulary_;
  std::string_view word_;
  bool by_score_;
};

// The first pieces: one for each character, those of bytes where the vocabulary lacks it.
class Start {
 public:
  Start(const ModelTables& model, ModelScratch* scratch) noexcept : model_(model), scratch_(*scratch) {}

  Status split(std::string_view word, bool keep_unknown) noexcept {
    scratch_.symbols.clear();
    for (size_t at = 0; at < word.size();) {
      const Point point = decode(word, at);
      LINNET_TRY(add(word, at, at + point.length, point.code, keep_unknown));
      at += point.length;
    }
    if (unknown_) LINNET_TRY(push(model_.unknown_id, unknown_begin_, unknown_end_));
    return {};
  }

 private:
  Status push(int32_t id, size_t begin, size_t end) {
    return scratch_.symbols.push({id, static_cast<uint32_t>(begin), static_cast<uint32_t>(end), 0, 0});
  }

  Result<int32_t> find(std::string_view word, size_t begin, size_t end, char32_t code) {
    const std::string_view character = word.substr(begin, end - begin);
    const bool prefixed = begin > 0 && !model_.prefix.empty(), suffixed = end == word.size() && !model_.suffix.empty();
    if (!prefixed && !suffixed) return character_id(model_, character, code);
    scratch_.key.clear();
    if (prefixed) LINNET_TRY(scratch_.key.append(model_.prefix));
    LINNET_TRY(scratch_.key.append(character));
    if (suffixed) LINNET_TRY(scratch_.key.append(model_.suffix));
    return model_.vocabulary->find(scratch_.key.view());
  }

  Status add(std::string_view word, size_t begin, size_t end, char32_t code, bool keep_unknown) {
    LINNET_ASSIGN(const int32_t id, find(word, begin, end, code));
    if (id < 0 && keep_unknown) return push(-1, begin, end);
    if (id >= 0) {
      if (unknown_) LINNET_TRY(push(model_.unknown_id, unknown_begin_, unknown_end_));
      unknown_ = false;
      return push(id, begin, end);
    }
    if (has_bytes(word, begin, end)) {
      for (size_t i = begin; i < end; ++i) LINNET_TRY(push(model_.byte_ids[static_cast<uint8_t>(word[i])], i, i + 1));
      return {};
    }
    if (model_.unknown_id < 0) return {};
    if (unknown_ && !model_.fuse_unknown) LINNET_TRY(push(model_.unknown_id, unknown_begin_, unknown_end_));
    if (!unknown_ || !model_.fuse_unknown) unknown_begin_ = begin;
    unknown_ = true;
    unknown_end_ = end;
    return {};
  }

  bool has_bytes(std::string_view word, size_t begin, size_t end) const {
    if (!model_.byte_fallback) return false;
    for (size_t i = begin; i < end; ++i)
      if (model_.byte_ids[static_cast<uint8_t>(word[i])] < 0) return false;
    return true;
  }

  const ModelTables& model_;
  ModelScratch& scratch_;
  bool unknown_ = false;  // characters wait to become one unknown piece
  size_t unknown_begin_ = 0, unknown_end_ = 0;
};

void merge_short(const Pairs& pairs, Symbols* symbols) {
  Candidate ranks[kShortWord];  // of symbol i with the one behind it
  size_t count = symbols->size();
  Symbol* all = symbols->data();
  for (size_t i = 0; i + 1 < count; ++i) ranks[i] = pairs.join(all[i], all[i + 1], 0);
  while (count > 1) {
    size_t best = 0;
    for (size_t i = 1; i + 1 < count; ++i)
      if (ranks[i].rank < ranks[best].rank) best = i;
    if (ranks[best].rank == kNoRank) break;
    all[best].id = ranks[best].result;
    all[best].end = all[best + 1].end;
    --count;
    for (size_t i = best + 1; i < count; ++i) all[i] = all[i + 1];
    for (size_t i = best + 1; i + 1 < count; ++i) ranks[i] = ranks[i + 1];
    if (best + 1 < count) ranks[best] = pairs.join(all[best], all[best + 1], 0);
    if (best > 0) ranks[best - 1] = pairs.join(all[best - 1], all[best], 0);
  }
  while (symbols->size() > count) symbols->pop();
}

// The heap's top is the lowest rank, the leftmost of equals.
bool later(const Candidate& a, const Candidate& b) { return a.rank != b.rank ? a.rank > b.rank : a.symbol > b.symbol; }

Status offer(const Pairs& pairs, const Symbols& symbols, uint32_t left, core::Array<Candidate>* queue) {
  const Candidate candidate = pairs.join(symbols[left], symbols[symbols[left].next], left);
  if (candidate.rank == kNoRank) return {};
  LINNET_TRY(queue->push(candidate));
  std::push_heap(queue->begin(), queue->end(), later);
  return {};
}

void link(Symbols* symbols) {
  for (size_t i = 0; i < symbols->size(); ++i) {
    (*symbols)[i].previous = i == 0 ? kNoSymbol : static_cast<uint32_t>(i - 1);
    (*symbols)[i].next = i + 1 == symbols->size() ? kNoSymbol : static_cast<uint32_t>(i + 1);
  }
}

void remove_merged(Symbols* symbols) {
  size_t kept = 0;
  for (const Symbol& symbol : *symbols)
    if (symbol.begin != symbol.end) (*symbols)[kept++] = symbol;
  while (symbols->size() > kept) symbols->pop();
}

Status merge_long(const Pairs& pairs, Symbols* symbols, core::Array<Candidate>* queue) {
  link(symbols);
  queue->clear();
  for (uint32_t i = 0; i + 1 < symbols->size(); ++i)
    if (const Candidate candidate = pairs.join((*symbols)[i], (*symbols)[i + 1], i); candidate.rank != kNoRank)
      LINNET_TRY(queue->push(candidate));
  std::make_heap(queue->begin(), queue->end(), later);
  while (!queue->empty()) {
    std::pop_heap(queue->begin(), queue->end(), later);
    const Candidate top = queue->back();
    queue->pop();
    Symbol& left = (*symbols)[top.symbol];
    if (left.begin == left.end || left.next == kNoSymbol) continue;
    Symbol& right = (*symbols)[left.next];
    const Candidate now = pairs.join(left, right, top.symbol);
    if (now.rank != top.rank || now.result != top.result) continue;  // one of the two has been joined to another since
    left.id = top.result;
    left.end = right.end;
    left.next = right.next;
    right.begin = right.end;
    if (left.next != kNoSymbol) (*symbols)[left.next].previous = top.symbol;
    if (left.previous != kNoSymbol) LINNET_TRY(offer(pairs, *symbols, left.previous, queue));
    if (left.next != kNoSymbol) LINNET_TRY(offer(pairs, *symbols, top.symbol, queue));
  }
  remove_merged(symbols);
  return {};
}

// Of merging by score: characters that took part in no merge and that the vocabulary lacks.
Status append_unknown(const ModelTables& model, std::string_view character, bool after_unknown, bool* unknown, IdList* ids) {
  LINNET_ASSIGN(const bool as_bytes, append_bytes(model, character, ids));
  *unknown = !as_bytes;
  if (as_bytes || model.unknown_id < 0 || (after_unknown && model.fuse_unknown)) return {};
  return ids->push(model.unknown_id);
}

}  // namespace

Status bpe(const ModelTables& model, std::string_view word, ModelScratch* scratch, IdList* ids) noexcept {
  if (model.ignore_merges)
    if (const int32_t id = model.vocabulary->find(word); id >= 0) return ids->push(id);
  const Pairs pairs(model, word);
  LINNET_TRY(Start(model, scratch).split(word, pairs.by_score()));
  Symbols& symbols = scratch->symbols;
  if (symbols.size() <= kShortWord)
    merge_short(pairs, &symbols);
  else
    LINNET_TRY(merge_long(pairs, &symbols, &scratch->queue));
  bool unknown = false;
  for (const Symbol& symbol : symbols) {
    const bool after_unknown = unknown;
    unknown = false;
    if (symbol.id >= 0)
      LINNET_TRY(ids->push(symbol.id));
    else
      LINNET_TRY(append_unknown(model, word.substr(symbol.begin, symbol.end - symbol.begin), after_unknown, &unknown, ids));
  }
  return {};
}

}  // namespace linnet::text
