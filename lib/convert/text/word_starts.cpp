#include "convert/text/word_starts.h"

#include <algorithm>

#include "convert/text/patterns.h"

namespace linnet::convert {

namespace {

const std::string kSpace = "▁";

bool crosses(const std::string& piece) {
  for (size_t at = piece.find(kSpace, 1); at != piece.npos; at = piece.find(kSpace, at + 1))
    if (at < kSpace.size() || piece.compare(at - kSpace.size(), kSpace.size(), kSpace) != 0) return true;
  return false;
}

}  // namespace

bool cut_at_word_starts(TokenizerDraft* draft) {
  if (draft->kind != schema::TokenizerKind::sentence_piece_bpe || draft->ignore_merges) return false;
  if (!draft->continuing_prefix.empty() || !draft->end_of_word_suffix.empty()) return false;
  for (const StageDraft& stage : draft->pre_tokenizer)
    if (stage.kind == "byte_level") return false;
  // The space has to be a piece: unknown characters on both sides of a cut might have become one.
  if (std::find(draft->pieces.begin(), draft->pieces.end(), kSpace) == draft->pieces.end()) return false;
  if (std::any_of(draft->pieces.begin(), draft->pieces.end(), crosses)) return false;
  draft->pre_tokenizer.push_back(split_at_scanner("spaced_words", text::Behavior::isolated));
  return true;
}

}  // namespace linnet::convert
