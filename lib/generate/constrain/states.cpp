#include "generate/constrain/states.h"

#include <algorithm>

#include "core/limits.h"
#include "core/try.h"

namespace linnet::constrain {
namespace {

using core::limits::kConstraintStates;

constexpr size_t kMostThreads = 1 << 20;  // of all states together
constexpr size_t kMostFrames = 1 << 18;

}  // namespace

Status States::create() noexcept {
  LINNET_TRY(frames_.create());
  LINNET_TRY(expansion_.create());
  LINNET_TRY(slots_.resize(2 * kConstraintStates));
  LINNET_TRY(states_.reserve(64));
  clear();
  return number({}, false).ok() ? Status() : Status::error(Code::out_of_memory, "no memory for the states of a constraint");
}

void States::clear() noexcept {
  frames_.clear();
  while (states_.size() > 1) states_.pop();  // the dead one stays
  threads_.clear();
  ways_.clear();
  std::fill(slots_.begin(), slots_.end(), kNone);
  full_ = false;
}

size_t States::slot(std::span<const Thread> threads, bool left) const noexcept {
  uint64_t hash = left;
  for (const Thread& thread : threads) {
    hash = (hash ^ (static_cast<uint64_t>(thread.node) << 32 | thread.frame)) * 0x9e3779b97f4a7c15u;
    hash ^= hash >> 29;
  }
  const size_t mask = slots_.size() - 1;
  for (size_t i = static_cast<size_t>(hash) & mask;; i = (i + 1) & mask) {
    if (slots_[i] == kNone) return i;
    const State& state = states_[slots_[i]];
    if (state.left == left && state.count == threads.size() && std::equal(threads.begin(), threads.end(), threads_.data() + state.first))
      return i;
  }
}

Result<uint32_t> States::number(std::span<const Thread> threads, bool left) noexcept {
  if (threads.empty() && !left && !states_.empty()) return kDeadState;
  const size_t at = slot(threads, left);
  if (slots_[at] != kNone) return slots_[at];
  if (states_.size() >= kConstraintStates || threads_.size() + threads.size() > kMostThreads || frames_.size() > kMostFrames) {
    full_ = true;
    return kDeadState;
  }
  State state = {static_cast<uint32_t>(threads_.size()), static_cast<uint32_t>(threads.size()), left ? 0 : kNoEnd, 0, kNone, left};
  for (const Thread& thread : threads) {
    state.cost = std::min(state.cost, cost_of(program_, frames_, thread));
    state.reach = std::max(state.reach, reach_of(program_, frames_, thread));
    LINNET_TRY(threads_.push(thread));
  }
  LINNET_TRY(states_.push(state));
  const auto number = static_cast<uint32_t>(states_.size() - 1);
  if (number != kDeadState) slots_[at] = number;
  return number;
}

Result<uint32_t> States::leave(uint32_t frame) noexcept {
  expansion_.begin(&frames_);
  LINNET_TRY(expansion_.leave(frame));
  expansion_.finish();
  return number(expansion_.threads(), expansion_.left());
}

Result<uint32_t> States::find_step(uint32_t from, uint8_t byte) noexcept {
  expansion_.begin(&frames_);
  for (uint32_t i = 0; i < states_[from].count; ++i) {
    const Thread thread = threads_[states_[from].first + i];
    const Node& node = program_.nodes[thread.node];
    if (byte >= node.low && byte <= node.high) LINNET_TRY(expansion_.add(node.next, thread.frame));
  }
  expansion_.finish();
  LINNET_ASSIGN(const uint32_t to, number(expansion_.threads(), expansion_.left()));
  if (full_) return to;
  if (states_[from].table == kNone) {
    const auto table = static_cast<uint32_t>(ways_.size());
    LINNET_TRY(ways_.resize(ways_.size() + 256));
    std::fill(ways_.begin() + table, ways_.end(), kNone);
    states_[from].table = table;
  }
  ways_[states_[from].table + byte] = to;
  return to;
}

}  // namespace linnet::constrain
