// Masks within a counted repetition. How many bodies are still possible and needed changes with every token, and with it the mask; but a
// token that stays within the repetition is possible if its bodies are not too many, and their number is seen in the mask for any number
// of bodies. Only tokens that leave the repetition are followed one by one.
#include <algorithm>

#include "core/try.h"
#include "generate/constrain/masks.h"

namespace linnet::constrain {
namespace {

constexpr uint32_t kFewBodies = 2;  // the walk is short then

// The frame of the repetition that a thread is in; kNone where it has left it.
uint32_t outer_frame(const Frames& frames, const Thread& thread) {
  uint32_t at = thread.frame;
  while (at != kBase && frames[at].parent != kBase) at = frames[at].parent;
  return at != kBase && frames[at].outer ? at : kNone;
}

// `thread` with the counts of `own` less the bodies since the beginning, where there were `most`; kNone when they are too many.
Result<Thread> with_counts(Frames& frames, Thread thread, const Frame& own, uint32_t most) {
  core::Array<uint32_t> chain;
  for (uint32_t at = thread.frame; at != kBase; at = frames[at].parent) LINNET_TRY(chain.push(at));
  uint32_t parent = kBase;
  for (; !chain.empty() && parent != kNone; chain.pop()) {
    Frame frame = frames[chain.back()];
    if (frame.outer) {
      const uint32_t bodies = most - frame.room;
      if (own.room != kUnbounded && bodies > own.room) return Thread{thread.node, kNone};
      frame.need = own.need > bodies ? own.need - bodies : 0;
      frame.room = own.room == kUnbounded ? kUnbounded : own.room - bodies;
    }
    frame.parent = parent;
    LINNET_ASSIGN(parent, frames.push(frame));
  }
  return Thread{thread.node, parent};
}

}  // namespace

// The state with nothing needed and room for more bodies than a token has; the dead one where there is no count.
Result<uint32_t> Masks::widen(States& states, uint32_t state) noexcept {
  if (states.threads(state).empty() || states.left(state)) return kDeadState;
  const uint32_t index = states.threads(state)[0].frame;
  const Frame own = states.frames()[index];
  if (!own.outer || own.parent != kBase || own.room <= kFewBodies || (own.need == 0 && own.room == kUnbounded)) return kDeadState;
  Frame frame = own;
  frame.need = 0;
  frame.room = trie_.longest() + 1;
  LINNET_ASSIGN(const uint32_t wide, states.frames().push(frame));
  core::Array<Thread> threads;
  for (uint32_t i = 0; i < states.threads(state).size(); ++i) {
    const Thread thread = states.threads(state)[i];
    if (thread.frame != index) return kDeadState;
    LINNET_TRY(threads.push({thread.node, wide}));
  }
  states.sort({threads.data(), threads.size()});
  return states.number({threads.data(), threads.size()}, false);
}

Result<uint32_t> Masks::follow(States& states, uint32_t state, std::string_view bytes) noexcept {
  for (size_t i = 0; i < bytes.size() && state != kDeadState; ++i) {
    LINNET_ASSIGN(state, states.step(state, static_cast<uint8_t>(bytes[i])));
  }
  return state;
}

// A state of the wide mask as the counts of `own` make it: the dead one where they forbid it, kNone where only following the tokens tells.
Result<uint32_t> Masks::narrowed(States& states, uint32_t state, const Frame& own, uint32_t most) noexcept {
  if (states.left(state)) return kNone;
  Frames& frames = states.frames();
  core::Array<Thread> threads;
  bool all_inside = true;
  uint32_t inside = kNone;
  for (uint32_t i = 0; i < states.threads(state).size(); ++i) {
    const Thread thread = states.threads(state)[i];
    const uint32_t outer = outer_frame(frames, thread);
    all_inside = all_inside && outer != kNone;
    if (outer == kNone) continue;
    inside = outer;
    LINNET_ASSIGN(const Thread counted, with_counts(frames, thread, own, most));
    if (counted.frame != kNone) LINNET_TRY(threads.push(counted));
  }
  if (inside == kNone || (!all_inside && frames[inside].room >= most)) return kNone;
  if (all_inside) {
    states.sort({threads.data(), threads.size()});
    return states.number({threads.data(), threads.size()}, false);
  }
  // Threads that have left are known where all of the state lies behind the end of one body.
  Frame before = frames[inside];
  ++before.room;
  LINNET_ASSIGN(const uint32_t ended, frames.push(before));
  LINNET_ASSIGN(const uint32_t expected, states.leave(ended));
  if (expected != state) return kNone;
  LINNET_ASSIGN(const Thread counted, with_counts(frames, {0, ended}, own, most));
  return counted.frame == kNone ? Result<uint32_t>(kDeadState) : states.leave(counted.frame);
}

Status Masks::derive(States& states, uint32_t state, uint32_t source, Mask* mask) noexcept {
  const Frame own = states.frames()[states.threads(state)[0].frame];
  const uint32_t most = trie_.longest() + 1;
  const auto clear = [&](int32_t id) { mask->bits[static_cast<size_t>(id) / 64] &= ~(uint64_t{1} << (id % 64)); };
  mask->source = source;
  LINNET_TRY(mask->bits.resize(masks_[source].bits.size()));
  std::copy(masks_[source].bits.begin(), masks_[source].bits.end(), mask->bits.begin());
  core::Array<Hit> hits;  // of tokens; Hit::node is the id
  for (const Group& group : masks_[source].groups) {
    LINNET_ASSIGN(const uint32_t narrow, narrowed(states, group.state, own, most));
    if (narrow != kNone && narrow != kDeadState) {
      LINNET_TRY(mask->groups.push({narrow, group.first, group.count, true}));
      continue;
    }
    for (uint32_t i = group.first; i < group.first + group.count; ++i) {
      const int32_t id = masks_[source].ids[i];
      if (!mask->bits.empty()) clear(id);
      if (narrow == kDeadState) continue;
      LINNET_ASSIGN(const uint32_t after, follow(states, state, trie_.bytes(id)));
      if (after != kDeadState) LINNET_TRY(hits.push({after, static_cast<uint32_t>(id)}));
    }
  }
  LINNET_TRY(add_own(&hits, mask));
  for (uint32_t node : masks_[source].escapes) {
    const std::string_view below = trie_.bytes_of(node);
    LINNET_ASSIGN(const uint32_t after, follow(states, state, below));
    if (states.left(after)) LINNET_TRY(mask->escapes.push(node));
  }
  for (const Group& group : mask->groups) {
    mask->most_cost = std::max(mask->most_cost, states.cost(group.state));
    mask->most_reach = std::max(mask->most_reach, states.reach(group.state));
  }
  return {};
}

// Groups of tokens that were followed one by one.
Status Masks::add_own(core::Array<Hit>* hits, Mask* mask) noexcept {
  std::sort(hits->begin(), hits->end(),
            [](const Hit& a, const Hit& b) { return a.state != b.state ? a.state < b.state : a.node < b.node; });
  for (size_t i = 0; i < hits->size(); ++i) {
    const Hit& hit = (*hits)[i];
    if (i == 0 || (*hits)[i - 1].state != hit.state)
      LINNET_TRY(mask->groups.push({hit.state, static_cast<uint32_t>(mask->ids.size()), 0, false}));
    ++mask->groups.back().count;
    LINNET_TRY(mask->ids.push(static_cast<int32_t>(hit.node)));
    if (!mask->bits.empty()) mask->bits[hit.node / 64] |= uint64_t{1} << (hit.node % 64);
  }
  // Who writes masks takes the largest group as the rest of the others.
  std::sort(mask->groups.begin(), mask->groups.end(), [](const Group& a, const Group& b) { return a.count > b.count; });
  return {};
}

}  // namespace linnet::constrain
