// Cutting pieces at the matches of a pattern. What becomes of the matches, and of the gaps between them, is the stage's behaviour.
#include "text/pre_tokenizer.h"

namespace linnet::text {
namespace {

struct Parts {
  const StageFields& stage;
  core::Array<Span>* out;
  bool joins_next = false;  // merged_with_next: a match waits for what follows
  bool was_match = false;

  Status add(Span part, bool is_match) {
    if (part.begin == part.end) return {};
    is_match = is_match != ((stage.flags & kInvert) != 0);
    const bool after_match = was_match;
    was_match = is_match;
    switch (static_cast<Behavior>(stage.number)) {
      case Behavior::removed:
        return is_match ? Status() : out->push(part);
      case Behavior::merged_with_previous:
        return join_or_push(part, is_match && !after_match && first < out->size());
      case Behavior::contiguous:
        return join_or_push(part, is_match == after_match && first < out->size());
      case Behavior::merged_with_next: {
        const bool joins = joins_next && !is_match;
        joins_next = is_match;
        return join_or_push(part, joins);
      }
      default:
        return out->push(part);
    }
  }

  Status join_or_push(Span part, bool join) {
    if (!join) return out->push(part);
    out->back().end = part.end;
    return {};
  }

  size_t first = 0;  // the first part of the piece at hand
};

}  // namespace

Status check_split(const StageFields& stage) noexcept {
  if (stage.number >= 0 && stage.number <= static_cast<int32_t>(Behavior::contiguous)) return {};
  return Status::error(Code::corrupt, "the tokenizer splits with behaviour %d, expected 0 to 4", stage.number);
}

Status split_pieces(const StageFields& stage, Pieces* pieces) noexcept {
  pieces->next.clear();
  for (Span piece : pieces->spans) {
    const std::string_view text = pieces->text(piece);
    Parts parts{stage, &pieces->next};
    parts.first = pieces->next.size();
    uint32_t at = 0;
    for (Span match; at < text.size() && stage.pattern.find(text, at, &match); at = match.end) {
      LINNET_TRY(parts.add({piece.begin + at, piece.begin + match.begin}, false));
      LINNET_TRY(parts.add({piece.begin + match.begin, piece.begin + match.end}, true));
    }
    LINNET_TRY(parts.add({piece.begin + at, piece.end}, false));
  }
  pieces->spans.swap(pieces->next);
  return {};
}

}  // namespace linnet::text
