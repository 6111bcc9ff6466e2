#include "generate/constrain/masks.h"

#include <algorithm>

#include "core/limits.h"
#include "core/try.h"

namespace linnet::constrain {

void Masks::clear() noexcept {
  masks_.clear();
  numbers_.clear();
  bytes_ = 0;
}

bool Masks::full() const noexcept { return bytes_ > core::limits::kConstraintMaskBytes; }

Result<const Mask*> Masks::find(States& states, uint32_t state) noexcept {
  if (state < numbers_.size() && numbers_[state] != 0) return &masks_[numbers_[state] - 1];
  LINNET_ASSIGN(const uint32_t wide, widen(states, state));
  uint32_t source = kNone;
  if (wide != kDeadState && wide != state) {
    LINNET_ASSIGN(source, wide < numbers_.size() && numbers_[wide] != 0 ? Result<uint32_t>(numbers_[wide] - 1) : make(states, wide));
  }
  if (source == kNone) {
    LINNET_ASSIGN(const uint32_t made, make(states, state));
    return &masks_[made];
  }
  Mask mask;
  LINNET_TRY(derive(states, state, source, &mask));
  LINNET_ASSIGN(const uint32_t kept, keep(state, std::move(mask)));
  return &masks_[kept];
}

Result<uint32_t> Masks::make(States& states, uint32_t state) noexcept {
  Mask mask;
  LINNET_TRY(walk(states, state, &mask));
  LINNET_TRY(collect(states, &mask));
  return keep(state, std::move(mask));
}

Result<uint32_t> Masks::keep(uint32_t state, Mask&& mask) noexcept {
  if (numbers_.size() <= state) LINNET_TRY(numbers_.resize(state + 1));
  bytes_ += mask.bytes();
  LINNET_TRY(masks_.push(std::move(mask)));
  numbers_[state] = static_cast<uint32_t>(masks_.size());
  return numbers_[state] - 1;
}

Status Masks::walk(States& states, uint32_t state, Mask* mask) noexcept {
  uint32_t at[core::limits::kConstraintToken + 1];  // the states along the path
  at[0] = state;
  hits_.clear();
  const uint32_t size = trie_.size();
  for (uint32_t i = 0; i < size;) {
    const TrieNode& node = trie_.node(i);
    LINNET_ASSIGN(const uint32_t next, states.step(at[node.depth - 1], node.byte));
    if (next == kDeadState) {
      i = node.end;
      continue;
    }
    at[node.depth] = next;
    if (trie_.has_token(i)) LINNET_TRY(hits_.push({next, i}));
    if (states.left(next) && node.end > i + 1) LINNET_TRY(mask->escapes.push(i));
    i = states.threads(next).empty() ? node.end : i + 1;
  }
  return {};
}

// The hits, sorted into groups.
Status Masks::collect(States& states, Mask* mask) noexcept {
  counts_.clear();
  LINNET_TRY(counts_.resize(states.size()));
  for (const Hit& hit : hits_) counts_[hit.state] += static_cast<uint32_t>(trie_.tokens(hit.node).size());
  for (const Hit& hit : hits_) {
    if (counts_[hit.state] == 0) continue;
    LINNET_TRY(mask->groups.push({hit.state, 0, counts_[hit.state], false}));
    counts_[hit.state] = 0;
  }
  std::sort(mask->groups.begin(), mask->groups.end(),
            [](const Group& a, const Group& b) { return a.count != b.count ? a.count > b.count : a.state < b.state; });
  uint32_t total = 0;
  for (Group& group : mask->groups) {
    group.first = counts_[group.state] = total;
    total += group.count;
    mask->most_cost = std::max(mask->most_cost, states.cost(group.state));
    mask->most_reach = std::max(mask->most_reach, states.reach(group.state));
  }
  LINNET_TRY(mask->ids.resize(total));
  for (const Hit& hit : hits_)
    for (int32_t id : trie_.tokens(hit.node)) mask->ids[counts_[hit.state]++] = id;
  if (total < trie_.vocabulary() / 32) return {};
  LINNET_TRY(mask->bits.resize((trie_.vocabulary() + 63) / 64));
  for (int32_t id : mask->ids) mask->bits[static_cast<size_t>(id) / 64] |= uint64_t{1} << (id % 64);
  return {};
}

}  // namespace linnet::constrain
