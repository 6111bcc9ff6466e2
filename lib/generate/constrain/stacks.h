// Where a text stands in a program: threads, each a node and the calls that it is in. Calls are frames, linked from the inside out and
// kept once, so that threads share them and equal threads have equal numbers.
#pragma once

#include <span>

#include "core/limits.h"
#include "generate/constrain/program.h"

namespace linnet::constrain {

constexpr uint32_t kBase = 0;                                                // the frame below all others
constexpr uint32_t kExpansionSteps = 4 * core::limits::kConstraintReadings;  // nodes that one expansion passes; a power of two

struct Frame {
  uint32_t parent = 0;
  uint32_t node = 0;            // where it goes on; of a repetition: its node
  uint32_t need = 0, room = 0;  // repetitions after the one that runs: at least, at most (kUnbounded)
  bool counts = false;          // a repetition
  bool outer = false;           // of a window (windows.h): begun before it
  uint32_t depth = 0;           // frames with this one
  uint32_t cost = 0;            // from its end to the end of everything, after the shortest ways
  uint32_t reach = 0;           // the greatest depth on that way
};

class Frames {
 public:
  explicit Frames(const Program& program) noexcept : program_(&program) {}
  Status create() noexcept;
  const Frame& operator[](uint32_t index) const noexcept { return frames_[index]; }
  size_t size() const noexcept { return frames_.size(); }
  void clear() noexcept;

  /// The number of the frame with these fields (depth, cost and reach are found); kNone beyond limits::kConstraintDepth, or where there
  /// are too many.
  Result<uint32_t> push(Frame frame) noexcept;

 private:
  Status grow() noexcept;
  size_t slot(const Frame& frame) const noexcept;

  const Program* program_;
  core::Array<Frame> frames_;
  core::Array<uint32_t> slots_;  // open-addressed; kNone is empty
};

/// A node of bytes and the frame it is in.
struct Thread {
  uint32_t node, frame;
  friend bool operator==(const Thread& a, const Thread& b) noexcept { return a.node == b.node && a.frame == b.frame; }
};

inline uint32_t cost_of(const Program& program, const Frames& frames, const Thread& thread) noexcept {
  return add_costs(program.costs[thread.node], frames[thread.frame].cost);
}
inline uint32_t reach_of(const Program& program, const Frames& frames, const Thread& thread) noexcept {
  const Frame& frame = frames[thread.frame];
  const uint32_t own = frame.depth + program.heights[thread.node];
  return own > frame.reach ? own : frame.reach;
}

/// The one that ends soonest first; an order in which equal sets are equal lists.
void sort_threads(const Program& program, const Frames& frames, std::span<Thread> threads) noexcept;

/// A set of threads on its way to its next bytes.
class Expansion {
 public:
  explicit Expansion(const Program& program) noexcept : program_(program) {}
  Status create() noexcept;

  void begin(Frames* frames) noexcept;
  /// Goes from `node` in `frame` to all bytes that can be next.
  Status add(uint32_t node, uint32_t frame) noexcept;
  /// Goes on from where `frame`, which is not the base, has come to its end.
  Status leave(uint32_t frame) noexcept;
  /// Sorts what was reached: the one that ends soonest first.
  void finish() noexcept;

  std::span<const Thread> threads() const noexcept { return {threads_.data(), threads_.size()}; }
  /// Whether the base was left.
  bool left() const noexcept { return left_; }

 private:
  Status run() noexcept;
  Status step(Thread at) noexcept;
  Status leave_into(uint32_t frame) noexcept;
  Status repeat(uint32_t node, Frame frame) noexcept;
  bool is_new(const Thread& thread) noexcept;

  const Program& program_;
  Frames* frames_ = nullptr;
  core::Array<Thread> threads_, pending_;
  struct Seen {
    Thread thread;
    uint32_t round;
  };
  core::Array<Seen> seen_;
  core::Array<uint32_t> begun_;  // repetitions of this expansion: what ends one of them has no bytes
  uint32_t round_ = 0, count_ = 0;
  bool left_ = false;
};

}  // namespace linnet::constrain
