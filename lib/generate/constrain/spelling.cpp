#include "generate/constrain/spelling.h"

#include <algorithm>
#include <cstring>

#include "core/limits.h"
#include "core/try.h"
#include "text/unicode.h"

namespace linnet::constrain {

using core::limits::kConstraintShortest;

void Spelling::clear() noexcept {
  heads_.clear();
  head_bytes_.clear();
  head_costs_.clear();
}

// Appends the shortest text from `node` to the end of its rule, so many times. False when it is too long.
Result<bool> Spelling::spell(uint32_t node, uint32_t times) noexcept {
  if (times == 0) return true;
  pending_.clear();
  LINNET_TRY(pending_.push({node, times}));
  while (!pending_.empty()) {
    uint32_t at = pending_.back().node;
    if (--pending_.back().times == 0) pending_.pop();
    while (at != kLeave) {
      const Node& step = program_.nodes[at];
      if (step.kind == NodeKind::bytes) {
        if (text_.size() >= kConstraintShortest) return false;
        LINNET_TRY(text_.push(static_cast<char>(program_.spelling[at])));
      }
      if (step.kind == NodeKind::call) {
        if (step.next != kLeave) LINNET_TRY(pending_.push({step.next, 1}));
        at = step.other;
        continue;
      }
      if (step.kind == NodeKind::count && program_.repetitions[step.other].min > 0) {
        LINNET_TRY(pending_.push({step.next, 1}));
        LINNET_TRY(pending_.push({program_.repetitions[step.other].body, program_.repetitions[step.other].min}));
        break;
      }
      at = step.next;
    }
  }
  return true;
}

Result<bool> Spelling::spell_frame(const Frame& frame, uint32_t more) noexcept {
  if (!frame.counts) return spell(frame.node, 1);
  const Node& node = program_.nodes[frame.node];
  LINNET_ASSIGN(const bool fits, spell(program_.repetitions[node.other].body, frame.need + more));
  return fits ? spell(node.next, 1) : Result<bool>(false);
}

// Fills costs_ for text_ followed by `rest`, whose bytes are appended.
Status Spelling::count(const Head& rest) noexcept {
  const size_t own = text_.size();
  LINNET_TRY(costs_.resize(own + rest.size + 1));
  for (uint32_t i = 0; i < rest.size; ++i) LINNET_TRY(text_.push(head_bytes_[rest.begin + i]));
  for (uint32_t i = 0; i <= rest.size; ++i) costs_[own + i] = head_costs_[rest.begin + i];
  for (size_t i = own; i-- > 0;) costs_[i] = trie_.fewest_tokens({text_.data(), text_.size()}, i, costs_.data());
  return {};
}

// The first bytes of what follows a frame, and the tokens from each of them on. Frames below come first.
Result<Spelling::Head> Spelling::head(const Frames& frames, uint32_t frame) noexcept {
  if (heads_.size() < frames.size()) LINNET_TRY(heads_.resize(frames.size()));
  chain_.clear();
  for (uint32_t at = frame; heads_[at].begin == kNone; at = frames[at].parent) {
    LINNET_TRY(chain_.push(at));
    if (at == kBase) break;
  }
  for (; !chain_.empty(); chain_.pop()) {
    const uint32_t at = chain_.back();
    text_.clear();
    costs_.clear();
    if (at == kBase) {
      LINNET_TRY(costs_.push(0));
    } else {
      LINNET_ASSIGN(const bool fits, spell_frame(frames[at], 0));
      if (!fits) return Head{};
      LINNET_TRY(count(heads_[frames[at].parent]));
    }
    Head found = {static_cast<uint32_t>(head_costs_.size()), static_cast<uint32_t>(std::min<size_t>(text_.size(), kLongestSpelled))};
    for (uint32_t i = 0; i <= found.size; ++i) {
      LINNET_TRY(head_costs_.push(costs_[i]));
      LINNET_TRY(head_bytes_.push(i < found.size ? text_[i] : '\0'));
    }
    heads_[at] = found;
  }
  return heads_[frame];
}

Result<uint32_t> Spelling::tokens(const Frames& inner, Thread thread, uint32_t more, const Frames& outer, uint32_t base) noexcept {
  LINNET_ASSIGN(const Head rest, head(outer, base));
  if (rest.begin == kNone) return kNone;
  text_.clear();
  LINNET_ASSIGN(bool fits, spell(thread.node, 1));
  for (uint32_t at = thread.frame; fits && at != kBase; at = inner[at].parent) {
    LINNET_ASSIGN(fits, spell_frame(inner[at], inner[at].outer ? more : 0));
  }
  if (!fits) return kNone;
  if (text_.size() == 0) return head_costs_[rest.begin];
  LINNET_TRY(count(rest));
  return costs_[0];
}

Result<Spelling::Gap> Spelling::find_gap(uint32_t node) noexcept {
  Gap gap = {false, {}};
  text_.clear();
  LINNET_ASSIGN(const bool fits, spell(node, 1));
  const std::string_view text(text_.data(), text_.size());
  if (!fits || text.empty()) return gap;
  // How far tokens reach from the beginning: the first byte behind that is the one that is missing.
  core::Array<uint8_t> reached;
  LINNET_TRY(reached.resize(text.size() + 1));
  reached[0] = 1;
  size_t farthest = 0;
  for (size_t at = 0; at < text.size(); ++at) {
    if (!reached[at]) continue;
    farthest = at;
    uint32_t in = trie_.root(static_cast<uint8_t>(text[at]));
    for (size_t i = at + 1; in != kNone; ++i) {
      if (trie_.has_token(in)) reached[i] = 1;
      if (i == text.size()) break;
      in = trie_.child(in, static_cast<uint8_t>(text[i]));
    }
  }
  if (reached[text.size()]) return gap;
  gap.found = true;
  size_t begin = farthest;
  while (begin > 0 && (static_cast<uint8_t>(text[begin]) & 0xC0) == 0x80) --begin;
  std::memcpy(gap.bytes, text.data() + begin, std::min<size_t>(text::decode(text, begin).length, 7));
  return gap;
}

}  // namespace linnet::constrain
