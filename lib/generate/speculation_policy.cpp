#include "generate/speculation_policy.h"

#include <algorithm>

namespace linnet::generation {
namespace {

constexpr double kFade = 0.1;       // weight of the newest observation
constexpr double kProbeFade = 0.3;  // after a pause: what was known is old
constexpr double kWorthIt = 1.03;   // a gain below it is lost to what was not measured
constexpr uint32_t kLongestPause = 512;
constexpr size_t kProbe = 3;        // drafts while nothing is known
constexpr double kRowShare = 0.15;  // of a plain step, that one more row is taken to cost before it was seen

void fade(double* value, double observed, double weight) { *value = *value == 0 ? observed : *value + weight * (observed - *value); }

}  // namespace

// Between two numbers of rows that were seen, along the line; beyond them, with a guessed slope.
double SpeculationPolicy::time_of(size_t rows) const noexcept {
  if (times_[rows] > 0) return times_[rows];
  size_t below = rows, above = rows;
  while (below > 1 && times_[below] == 0) --below;
  while (above < kMost + 1 && times_[above] == 0) ++above;
  const double low = times_[below], high = times_[above];
  if (low > 0 && high > 0) return low + (high - low) * static_cast<double>(rows - below) / static_cast<double>(above - below);
  if (low > 0) {
    const double slope = below > 1 && times_[1] > 0 ? (low - times_[1]) / static_cast<double>(below - 1) : kRowShare * low;
    return low + std::max(slope, 0.0) * static_cast<double>(rows - below);
  }
  return high;
}

// Ids per nanosecond with so many drafts over those of a plain step. Expected ids: 1 + r + r^2 + ... + r^drafts.
double SpeculationPolicy::gain_of(size_t drafts) const noexcept {
  double ids = 1, power = 1;
  for (size_t i = 0; i < drafts; ++i) ids += power *= right_;
  const double time = time_of(drafts + 1), plain = time_of(1);
  return time > 0 && plain > 0 ? ids * plain / time : 1;
}

size_t SpeculationPolicy::drafts(size_t available) noexcept {
  available = std::min(available, most_);
  if (available == 0 || !adaptive_) return available;
  if (pause_ > 0) {
    --pause_;
    return 0;
  }
  if (times_[1] == 0) return 0;  // what a plain step takes has to be known first
  size_t best = 0;
  double best_gain = kWorthIt;
  for (size_t count = 1; count <= available; ++count) {
    const double gain = gain_of(count);
    if (gain <= best_gain) continue;
    best_gain = gain;
    best = count;
  }
  if (best > 0) return best;
  // Not worth it by what is known: look again from time to time, with few drafts, more and more rarely.
  pause_ = next_pause_;
  next_pause_ = std::min(next_pause_ * 2, kLongestPause);
  probing_ = true;
  return std::min(available, kProbe);
}

void SpeculationPolicy::report(size_t drafts, size_t right, uint64_t nanoseconds) noexcept {
  drafts = std::min(drafts, kMost);
  fade(&times_[drafts + 1], static_cast<double>(nanoseconds), kFade);
  if (drafts == 0) return;
  // A draft behind a wrong one says nothing: those that were right and the first wrong one count.
  const double weight = probing_ ? kProbeFade : kFade;
  probing_ = false;
  for (size_t i = 0; i < right; ++i) right_ += weight * (1 - right_);
  if (right < drafts) right_ -= weight * right_;
  if (gain_of(drafts) > kWorthIt) next_pause_ = 16;
}

}  // namespace linnet::generation
