#include "generate/constrain/walk.h"

#include <algorithm>

#include "core/limits.h"
#include "core/try.h"

namespace linnet::constrain {
namespace {

using core::limits::kConstraintDepth;
using core::limits::kConstraintReadings;

constexpr size_t kMostWindows = 64;         // in one set
constexpr uint32_t kMostWork = 1 << 20;     // windows that are added for one mask, or one token: what is found by then counts
constexpr uint32_t kMostSettled = 1 << 20;  // threads and their frames behind one token
constexpr size_t kManyThreads = 1 << 14;    // then those that are not kept are dropped

}  // namespace

Status Workspace::create() noexcept {
  LINNET_TRY(states.create());
  return expansion.create();
}

void Workspace::tidy() noexcept {
  spelling.clear();
  if (states.full() || states.size() > core::limits::kConstraintStates / 2) {
    states.clear();
    masks.clear();
  } else if (masks.full()) {
    masks.clear();
  }
}

// The part of a thread that its state shows. The window gets the rest.
Result<Thread> Walk::cut(const Thread& thread, Window* window) noexcept {
  *window = {thread.frame, kDeadState, kNone, 0, 0};
  const Frame& frame = frames_[thread.frame];
  if (!frame.counts || !program_.repetitions[program_.nodes[frame.node].other].local) return Thread{thread.node, kBase};
  // One token cannot hold more bodies than bytes.
  const uint32_t most = trie_.longest() + 1;
  const uint32_t need = std::min(frame.need, most), room = frame.room == kUnbounded ? kUnbounded : std::min(frame.room, most);
  *window = {frame.parent, kDeadState, frame.node, frame.need - need, frame.room - room};
  LINNET_ASSIGN(
      const uint32_t inner,
      work_.states.frames().push({.parent = kBase, .node = frame.node, .need = need, .room = room, .counts = true, .outer = true}));
  return Thread{thread.node, inner};
}

// Threads become windows, the first `most`; those that have all but the node in common share one.
Status Walk::open(std::span<const Thread> threads, size_t most, core::Array<Window>* windows) noexcept {
  struct Part {
    Window window;
    Thread thread;
    bool done;
  };
  core::Array<Part> parts;
  for (const Thread& thread : threads) {
    Window window;
    LINNET_ASSIGN(const Thread inner, cut(thread, &window));
    LINNET_TRY(parts.push({window, inner, false}));
  }
  const size_t end = windows->size() + std::min(most, parts.size());
  for (size_t i = 0; i < parts.size() && windows->size() < end; ++i) {
    if (parts[i].done) continue;
    scratch_.clear();
    for (size_t k = i; k < parts.size(); ++k) {
      // Equal counts are not enough: the inner frames have to be the same one.
      if (parts[k].done || !(parts[k].window == parts[i].window) || parts[k].thread.frame != parts[i].thread.frame) continue;
      LINNET_TRY(scratch_.push(parts[k].thread));
      parts[k].done = true;
    }
    sort_threads(program_, work_.states.frames(), {scratch_.data(), scratch_.size()});
    Window window = parts[i].window;
    LINNET_ASSIGN(window.state, work_.states.number({scratch_.data(), scratch_.size()}, false));
    if (window.state != kDeadState) LINNET_TRY(windows->push(window));
  }
  return {};
}

// Where a text goes on when a frame is left, found once in a walk.
Result<Walk::Exit*> Walk::exit(uint32_t base) noexcept {
  if (base < exit_of_.size() && exit_of_[base] != 0) return &exits_[exit_of_[base] - 1];
  Exit found = {base, static_cast<uint32_t>(exit_windows_.size()), 0, base == kBase};
  if (base != kBase) {
    work_.expansion.begin(&frames_);
    LINNET_TRY(work_.expansion.leave(base));
    work_.expansion.finish();
    found.ends = work_.expansion.left();
    LINNET_TRY(open(work_.expansion.threads(), kMostWindows, &exit_windows_));
    found.count = static_cast<uint32_t>(exit_windows_.size() - found.begin);
  }
  LINNET_TRY(exits_.push(found));
  if (exit_of_.size() < frames_.size()) LINNET_TRY(exit_of_.resize(frames_.size()));
  exit_of_[base] = static_cast<uint32_t>(exits_.size());
  return &exits_.back();
}

// Adds to the set that begins at `begin`.
Status Walk::add_window(const Window& window, size_t begin) noexcept {
  ++work_done_;
  if (windows_.size() - begin >= kMostWindows) return {};
  for (size_t i = begin; i < windows_.size(); ++i)
    if (windows_[i] == window) return {};
  return windows_.push(window);
}

Status Walk::advance(const Window& window, uint8_t byte, size_t begin, bool* ends) noexcept {
  LINNET_ASSIGN(const uint32_t to, work_.states.step(window.state, byte));
  if (to == kDeadState) return {};
  if (!work_.states.threads(to).empty()) {
    Window next = window;
    next.state = to;
    LINNET_TRY(add_window(next, begin));
  }
  if (!work_.states.left(to)) return {};
  LINNET_ASSIGN(const Exit* out, exit(window.base));
  *ends = *ends || out->ends;
  for (uint32_t i = 0; i < out->count; ++i) {
    const Window next = exit_windows_[out->begin + i];
    LINNET_TRY(add_window(next, begin));
  }
  return {};
}

Status Walk::allow(std::span<const Thread> threads, uint32_t budget, std::span<uint64_t> bits) noexcept {
  core::Array<Window> windows;
  LINNET_TRY(open(threads, SIZE_MAX, &windows));
  budget = std::min(budget, kUnspelled - 1);
  for (const Window& window : windows) LINNET_TRY(allow_window(window, budget, bits));
  return {};
}

Status Walk::allow_window(const Window& window, uint32_t budget, std::span<uint64_t> bits) noexcept {
  LINNET_ASSIGN(const Mask* mask, work_.masks.find(work_.states, window.state));
  LINNET_TRY(allow_groups(window, *mask, budget, bits));
  if (mask->escapes.empty()) return {};
  LINNET_ASSIGN(const Exit* found, exit(window.base));
  const Exit out = *found;
  if (out.count == 0) return {};
  for (uint32_t node : mask->escapes) LINNET_TRY(allow_below(node, out, budget, bits));
  return {};
}

Status Walk::allow_groups(const Window& window, const Mask& mask, uint32_t budget, std::span<uint64_t> bits) noexcept {
  const auto set = [&](int32_t id) { bits[static_cast<size_t>(id) / 64] |= uint64_t{1} << (id % 64); };
  const Frame& base = frames_[window.base];
  const bool shallow = std::max(base.reach, base.depth + mask.most_reach) <= kConstraintDepth;
  if (!mask.bits.empty() && shallow && add_costs(mask.most_cost, cost_below(window)) <= budget) {
    for (size_t i = 0; i < mask.bits.size(); ++i) bits[i] |= mask.bits[i];
    return {};
  }
  // The largest group is written as all that is in none of the others.
  core::Array<uint64_t>& rest = work_.bits;
  bool largest = false;
  for (size_t g = 0; g < mask.groups.size(); ++g) {
    const Group& group = mask.groups[g];
    Window after = window;
    after.state = group.state;
    LINNET_ASSIGN(const bool allowed, fits(after, budget));
    if (g == 0 && allowed && !mask.bits.empty()) {
      largest = true;
      LINNET_TRY(rest.resize(mask.bits.size()));
      std::copy(mask.bits.begin(), mask.bits.end(), rest.begin());
      continue;
    }
    for (int32_t id : work_.masks.ids(mask, group)) {
      if (allowed)
        set(id);
      else if (largest)
        rest[static_cast<size_t>(id) / 64] &= ~(uint64_t{1} << (id % 64));
    }
  }
  for (size_t i = 0; largest && i < mask.bits.size(); ++i) bits[i] |= rest[i];
  return {};
}

// The tokens below a node of the trie with whose byte a frame was left.
Status Walk::allow_below(uint32_t node, const Exit& out, uint32_t budget, std::span<uint64_t> bits) noexcept {
  size_t ends_of[core::limits::kConstraintToken + 1];  // where the set of each depth ends in windows_
  const uint32_t top = trie_.node(node).depth;
  windows_.clear();
  for (uint32_t i = 0; i < out.count; ++i) LINNET_TRY(windows_.push(exit_windows_[out.begin + i]));
  size_t begins_of[core::limits::kConstraintToken + 1];
  begins_of[top] = 0;
  ends_of[top] = windows_.size();
  for (uint32_t i = node + 1; i < trie_.node(node).end && work_done_ < kMostWork;) {
    const TrieNode& at = trie_.node(i);
    while (windows_.size() > ends_of[at.depth - 1]) windows_.pop();
    const size_t begin = begins_of[at.depth] = windows_.size();
    bool ends = false;
    for (size_t w = begins_of[at.depth - 1]; w < ends_of[at.depth - 1]; ++w) {
      const Window window = windows_[w];
      LINNET_TRY(advance(window, at.byte, begin, &ends));
    }
    ends_of[at.depth] = windows_.size();
    if (trie_.has_token(i)) {
      bool allowed = ends;
      for (size_t w = begin; w < windows_.size() && !allowed; ++w) {
        LINNET_ASSIGN(allowed, fits(windows_[w], budget));
      }
      for (int32_t id : trie_.tokens(i))
        if (allowed) bits[static_cast<size_t>(id) / 64] |= uint64_t{1} << (id % 64);
    }
    i = windows_.size() == begin ? at.end : i + 1;
  }
  return {};
}

// In the order of `allow` and with no more than its work for this token: whatever made a mask allow it is found again.
Status Walk::follow(std::span<const Thread> threads, std::string_view token, core::Array<Thread>* after, bool* ends) noexcept {
  core::Array<Window> windows;
  *ends = false;
  after->clear();
  LINNET_TRY(open(threads, SIZE_MAX, &windows));
  // As in masks: a window by itself, and whatever begins where its frame is left by itself.
  for (Window window : windows) {
    for (size_t i = 0; i < token.size() && window.state != kDeadState; ++i) {
      LINNET_ASSIGN(window.state, work_.states.step(window.state, static_cast<uint8_t>(token[i])));
      if (work_.states.left(window.state)) LINNET_TRY(follow_exit(window.base, token, i + 1, after, ends));
      if (work_.states.threads(window.state).empty()) window.state = kDeadState;
    }
    if (window.state != kDeadState) LINNET_TRY(settle(window, after));
    if (after->size() > kManyThreads) keep_soonest(after);
  }
  keep_soonest(after);
  return {};
}

// Each once, those that end soonest.
void Walk::keep_soonest(core::Array<Thread>* threads) const noexcept {
  sort_threads(program_, frames_, {threads->data(), threads->size()});
  size_t kept = 0;
  for (size_t i = 0; i < threads->size() && kept < kConstraintReadings; ++i)
    if (kept == 0 || !((*threads)[i] == (*threads)[kept - 1])) (*threads)[kept++] = (*threads)[i];
  while (threads->size() > kept) threads->pop();
}

// Where `base` was left before byte `at` of the token, by whichever window came there first.
Status Walk::follow_exit(uint32_t base, std::string_view token, size_t at, core::Array<Thread>* threads, bool* ends) noexcept {
  LINNET_ASSIGN(Exit * out, exit(base));
  if (out->is_followed(at) || work_done_ >= kMostWork) return {};
  windows_.clear();
  for (uint32_t i = 0; i < out->count; ++i) LINNET_TRY(windows_.push(exit_windows_[out->begin + i]));
  bool may_end = out->ends;
  size_t begin = 0;
  for (; at < token.size(); ++at) {
    const size_t end = windows_.size();
    may_end = false;
    for (size_t w = begin; w < end; ++w) {
      const Window from = windows_[w];
      LINNET_TRY(advance(from, static_cast<uint8_t>(token[at]), end, &may_end));
    }
    begin = end;
  }
  *ends = *ends || may_end;
  for (size_t w = begin; w < windows_.size(); ++w) LINNET_TRY(settle(windows_[w], threads));
  return {};
}

// A window's threads with the text's own frames, the counts whole again.
Status Walk::settle(const Window& window, core::Array<Thread>* threads) noexcept {
  States& states = work_.states;
  for (uint32_t t = 0; t < states.threads(window.state).size(); ++t) {
    const Thread thread = states.threads(window.state)[t];
    core::Array<uint32_t> chain;
    for (uint32_t at = thread.frame; at != kBase; at = states.frames()[at].parent) LINNET_TRY(chain.push(at));
    settled_ += 1 + static_cast<uint32_t>(chain.size());
    if (settled_ > kMostSettled && !threads->empty()) return {};
    uint32_t frame = window.base;
    for (; !chain.empty() && frame != kNone; chain.pop()) {
      Frame own = states.frames()[chain.back()];
      own.parent = frame;
      if (own.outer) {
        own.need += window.more_need;
        own.room += own.room == kUnbounded ? 0 : window.more_room;
        own.outer = false;
      }
      LINNET_ASSIGN(frame, frames_.push(own));
    }
    const Thread whole = {thread.node, frame};
    if (frame == kNone || reach_of(program_, frames_, whole) > kConstraintDepth) continue;
    LINNET_TRY(threads->push(whole));
  }
  return {};
}

}  // namespace linnet::constrain
