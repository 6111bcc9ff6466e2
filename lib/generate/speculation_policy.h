// How many drafted ids are worth checking in one run: from the time that runs of so many rows took and the share of drafts that were right.
#pragma once

#include <cstddef>
#include <cstdint>

namespace linnet::generation {

/// Switches itself off where drafts do not pay, and tries again after a pause that doubles with every failure. Only the speed depends on
/// it, never the text.
class SpeculationPolicy {
 public:
  static constexpr size_t kMost = 16;  ///< drafts in one run
  explicit SpeculationPolicy(size_t most = kMost, bool adaptive = true) noexcept
      : most_(most < kMost ? most : kMost), adaptive_(adaptive) {}

  /// How many of `available` drafts to check now; 0 = a plain step.
  size_t drafts(size_t available) noexcept;
  /// What a run with `drafts` of them (0 = a plain step) took, and how many were right.
  void report(size_t drafts, size_t right, uint64_t nanoseconds) noexcept;

  double share_right() const noexcept { return right_; }

 private:
  double time_of(size_t rows) const noexcept;
  double gain_of(size_t drafts) const noexcept;

  size_t most_;
  bool adaptive_;                         // false: as many as there are
  double right_ = 0.7;                    // share of drafts that were right, fading
  double times_[kMost + 2] = {};          // [rows]: nanoseconds, fading; 0 = never seen
  uint32_t pause_ = 0, next_pause_ = 16;  // plain steps
  bool probing_ = false;
};

}  // namespace linnet::generation
