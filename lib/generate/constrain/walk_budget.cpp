// Whether what a walk comes to can be ended with so many tokens: by the bytes of its shortest text where that is enough, else by its
// tokens.
#include <algorithm>

#include "core/limits.h"
#include "core/try.h"
#include "generate/constrain/walk.h"

namespace linnet::constrain {

using core::limits::kConstraintDepth;

uint32_t Walk::cost_below(const Window& window) const noexcept {
  const uint32_t cost = frames_[window.base].cost;
  if (window.more_need == 0) return cost;
  return add_costs(cost, repeated_cost(program_.costs[program_.repetitions[program_.nodes[window.node].other].body], window.more_need));
}

bool Walk::is_shallow(const Window& window, const Thread& thread) const noexcept {
  const Frame& base = frames_[window.base];
  return std::max(base.reach, base.depth + reach_of(program_, work_.states.frames(), thread)) <= kConstraintDepth;
}

// What the shortest text of the window costs; threads that are too deep do not count.
uint32_t Walk::least_cost(const Window& window) const noexcept {
  const States& states = work_.states;
  const Frame& base = frames_[window.base];
  if (std::max(base.reach, base.depth + states.reach(window.state)) <= kConstraintDepth) return states.cost(window.state);
  uint32_t least = states.left(window.state) && base.reach <= kConstraintDepth ? 0 : kNoEnd;
  for (const Thread& thread : states.threads(window.state))
    if (is_shallow(window, thread)) least = std::min(least, cost_of(program_, states.frames(), thread));
  return least;
}

// Whether some thread of the window, or the way below it, comes to its end with `budget` tokens.
Result<bool> Walk::fits(const Window& window, uint32_t budget) noexcept {
  const uint32_t least = least_cost(window);
  if (least == kNoEnd) return false;
  if (add_costs(least, cost_below(window)) <= budget) return true;
  LINNET_ASSIGN(const uint32_t needed, exact(window, least));
  return needed != kNone && needed <= budget;
}

// Of all threads with the shortest text, as `least` says: one of them is on the way that was promised before.
Result<uint32_t> Walk::exact(const Window& window, uint32_t least) noexcept {
  const States& states = work_.states;
  uint32_t fewest = kNone;
  if (least == 0) return work_.spelling.tokens(states.frames(), {kLeave, kBase}, 0, frames_, window.base);
  for (const Thread& thread : states.threads(window.state)) {
    if (cost_of(program_, states.frames(), thread) != least || !is_shallow(window, thread)) continue;
    LINNET_ASSIGN(const uint32_t needed, work_.spelling.tokens(states.frames(), thread, window.more_need, frames_, window.base));
    fewest = std::min(fewest, needed);
  }
  return fewest;
}

Result<uint32_t> Walk::tokens(std::span<const Thread> threads) noexcept {
  core::Array<Window> windows;
  LINNET_TRY(open(threads, SIZE_MAX, &windows));
  uint32_t fewest = kNone;
  for (const Window& window : windows) {
    LINNET_ASSIGN(const uint32_t needed, exact(window, least_cost(window)));
    fewest = std::min(fewest, needed);
  }
  return fewest;
}

}  // namespace linnet::constrain
