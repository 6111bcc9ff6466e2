// Sets of threads above an unknown frame, numbered, and the ways between them by one byte, found once. What lies below the frame plays no
// part, so that a string is the same states wherever it stands.
#pragma once

#include "generate/constrain/stacks.h"

namespace linnet::constrain {

constexpr uint32_t kDeadState = 0;

class States {
 public:
  explicit States(const Program& program) noexcept : program_(program), frames_(program), expansion_(program) {}
  Status create() noexcept;
  void clear() noexcept;
  /// Some set was not kept because there are too many: whoever met it found it dead.
  bool full() const noexcept { return full_; }
  size_t size() const noexcept { return states_.size(); }

  /// The number of a set; `threads` are sorted. `left`: the unknown frame has been left, too.
  Result<uint32_t> number(std::span<const Thread> threads, bool left) noexcept;
  /// The state behind the end of what `frame` waits for.
  Result<uint32_t> leave(uint32_t frame) noexcept;
  Result<uint32_t> step(uint32_t state, uint8_t byte) noexcept {
    const uint32_t table = states_[state].table;
    if (table != kNone && ways_[table + byte] != kNone) return ways_[table + byte];
    return find_step(state, byte);
  }

  std::span<const Thread> threads(uint32_t state) const noexcept { return {threads_.data() + states_[state].first, states_[state].count}; }
  bool left(uint32_t state) const noexcept { return states_[state].left; }
  /// To the unknown frame: of the thread that comes there soonest.
  uint32_t cost(uint32_t state) const noexcept { return states_[state].cost; }
  /// The most frames above the unknown one, of all threads on their shortest ways.
  uint32_t reach(uint32_t state) const noexcept { return states_[state].reach; }
  void sort(std::span<Thread> threads) const noexcept { sort_threads(program_, frames_, threads); }
  Frames& frames() noexcept { return frames_; }
  const Frames& frames() const noexcept { return frames_; }

 private:
  struct State {
    uint32_t first, count;
    uint32_t cost, reach;
    uint32_t table;  // of ways_
    bool left;
  };
  Result<uint32_t> find_step(uint32_t state, uint8_t byte) noexcept;
  size_t slot(std::span<const Thread> threads, bool left) const noexcept;

  const Program& program_;
  Frames frames_;
  Expansion expansion_;
  core::Array<State> states_;
  core::Array<Thread> threads_;
  core::Array<uint32_t> slots_, ways_;
  bool full_ = false;
};

}  // namespace linnet::constrain
