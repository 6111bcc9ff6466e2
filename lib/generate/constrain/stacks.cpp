#include "generate/constrain/stacks.h"

#include <algorithm>

#include "core/limits.h"
#include "core/try.h"

namespace linnet::constrain {
namespace {

using core::limits::kConstraintDepth;
using core::limits::kConstraintReadings;

constexpr size_t kMostFrames = 1 << 20;

uint64_t mix(uint64_t hash, uint64_t value) {
  hash = (hash ^ value) * 0x9e3779b97f4a7c15u;
  return hash ^ hash >> 29;
}

bool same(const Frame& a, const Frame& b) {
  return a.parent == b.parent && a.node == b.node && a.need == b.need && a.room == b.room && a.counts == b.counts && a.outer == b.outer;
}

}  // namespace

Status Frames::create() noexcept {
  LINNET_TRY(frames_.push({}));
  LINNET_TRY(slots_.resize(64));
  std::fill(slots_.begin(), slots_.end(), kNone);
  return {};
}

void Frames::clear() noexcept {
  while (frames_.size() > 1) frames_.pop();
  std::fill(slots_.begin(), slots_.end(), kNone);
}

size_t Frames::slot(const Frame& frame) const noexcept {
  uint64_t hash = mix(frame.parent, frame.node);
  hash = mix(hash, static_cast<uint64_t>(frame.need) << 32 | frame.room);
  hash = mix(hash, frame.counts * 2u + frame.outer);
  const size_t mask = slots_.size() - 1;
  for (size_t i = static_cast<size_t>(hash) & mask;; i = (i + 1) & mask)
    if (slots_[i] == kNone || same(frames_[slots_[i]], frame)) return i;
}

Status Frames::grow() noexcept {
  LINNET_TRY(slots_.resize(slots_.size() * 2));
  std::fill(slots_.begin(), slots_.end(), kNone);
  for (uint32_t i = 1; i < frames_.size(); ++i) slots_[slot(frames_[i])] = i;
  return {};
}

Result<uint32_t> Frames::push(Frame frame) noexcept {
  const size_t at = slot(frame);
  if (slots_[at] != kNone) return slots_[at];
  const Frame& parent = frames_[frame.parent];
  if (parent.depth >= kConstraintDepth || frames_.size() >= kMostFrames) return kNone;
  const Program& program = *program_;
  frame.depth = parent.depth + 1;
  uint32_t next = frame.node;
  frame.cost = 0;
  frame.reach = std::max(frame.depth, parent.reach);
  if (frame.counts) {
    const uint32_t body = program.repetitions[program.nodes[frame.node].other].body;
    next = program.nodes[frame.node].next;
    frame.cost = repeated_cost(program.costs[body], frame.need);
    if (frame.need > 0) frame.reach = std::max(frame.reach, frame.depth + program.heights[body]);
  }
  frame.cost = add_costs(frame.cost, add_costs(program.costs[next], parent.cost));
  frame.reach = std::max(frame.reach, parent.depth + program.heights[next]);
  const auto index = static_cast<uint32_t>(frames_.size());
  LINNET_TRY(frames_.push(frame));
  slots_[at] = index;
  if (frames_.size() * 2 > slots_.size()) LINNET_TRY(grow());
  return index;
}

Status Expansion::create() noexcept {
  LINNET_TRY(threads_.reserve(64));
  return seen_.resize(2 * kExpansionSteps);
}

void Expansion::begin(Frames* frames) noexcept {
  frames_ = frames;
  threads_.clear();
  begun_.clear();
  ++round_;
  count_ = 0;
  left_ = false;
}

bool Expansion::is_new(const Thread& thread) noexcept {
  if (count_ >= kExpansionSteps) return false;
  const size_t mask = seen_.size() - 1;
  for (size_t i = static_cast<size_t>(mix(thread.node, thread.frame)) & mask;; i = (i + 1) & mask) {
    if (seen_[i].round != round_) {
      seen_[i] = {thread, round_};
      ++count_;
      return true;
    }
    if (seen_[i].thread == thread) return false;
  }
}

Status Expansion::add(uint32_t node, uint32_t frame) noexcept {
  LINNET_TRY(pending_.push({node, frame}));
  return run();
}

Status Expansion::leave(uint32_t frame) noexcept {
  LINNET_TRY(leave_into(frame));
  return run();
}

// Depth first, the shortest way first: where there are too many, it is others that are left out.
Status Expansion::run() noexcept {
  while (!pending_.empty()) {
    const Thread at = pending_.back();
    pending_.pop();
    if (!program_.ends(at.node) || !is_new(at)) continue;
    if (Status status = step(at); !status.ok()) {
      pending_.clear();
      return status;
    }
  }
  return {};
}

Status Expansion::step(Thread at) noexcept {
  const Node& node = program_.nodes[at.node];
  switch (node.kind) {
    case NodeKind::bytes:
      return threads_.size() < kConstraintReadings ? threads_.push(at) : Status();
    case NodeKind::split:
      LINNET_TRY(pending_.push({node.other, at.frame}));
      return pending_.push({node.next, at.frame});
    case NodeKind::leave:
      if (at.frame == kBase) {
        left_ = true;
        return {};
      }
      return leave_into(at.frame);
    case NodeKind::call: {
      // A rule that ends with a call comes back to nothing of its own.
      uint32_t frame = at.frame;
      if (program_.nodes[node.next].kind != NodeKind::leave) {
        LINNET_ASSIGN(frame, frames_->push({.parent = at.frame, .node = node.next}));
      }
      return frame == kNone ? Status() : pending_.push({node.other, frame});
    }
    case NodeKind::count: {
      const Repetition& repetition = program_.repetitions[node.other];
      return repeat(at.node, {.parent = at.frame, .node = at.node, .need = repetition.min, .room = repetition.max, .counts = true});
    }
    default:
      return {};
  }
}

// A repetition with `need` and `room` before its next body.
Status Expansion::repeat(uint32_t index, Frame frame) noexcept {
  const Node& node = program_.nodes[index];
  const bool may_end = frame.need == 0;
  Thread body = {0, kNone};
  if (frame.room > 0) {
    if (frame.need > 0) --frame.need;
    if (frame.room != kUnbounded) --frame.room;
    LINNET_ASSIGN(body.frame, frames_->push(frame));
    body.node = program_.repetitions[node.other].body;
    if (program_.repetitions[node.other].may_skip) LINNET_TRY(begun_.push(body.frame));
  }
  if (body.frame != kNone) LINNET_TRY(pending_.push(body));
  return may_end ? pending_.push({node.next, frame.parent}) : Status();
}

Status Expansion::leave_into(uint32_t index) noexcept {
  const Frame frame = (*frames_)[index];
  if (!frame.counts) return pending_.push({frame.node, frame.parent});
  if (std::find(begun_.begin(), begun_.end(), index) != begun_.end()) return {};
  return repeat(frame.node, frame);
}

void Expansion::finish() noexcept { sort_threads(program_, *frames_, {threads_.data(), threads_.size()}); }

void sort_threads(const Program& program, const Frames& frames, std::span<Thread> threads) noexcept {
  std::sort(threads.begin(), threads.end(), [&](const Thread& a, const Thread& b) {
    const uint32_t costs[] = {cost_of(program, frames, a), cost_of(program, frames, b)};
    if (costs[0] != costs[1]) return costs[0] < costs[1];
    return a.node != b.node ? a.node < b.node : a.frame < b.frame;
  });
}

}  // namespace linnet::constrain
