#include "generate/lookup.h"

#include <algorithm>
#include <bit>

namespace linnet::generation {

Result<Lookup> Lookup::create(size_t capacity) noexcept {
  Lookup lookup;
  lookup.capacity_ = std::min<size_t>(capacity, kNone - 1);
  LINNET_TRY(lookup.ids_.reserve(lookup.capacity_));
  LINNET_TRY(lookup.previous_.reserve(lookup.capacity_));
  LINNET_TRY(lookup.latest_.resize(std::bit_ceil(std::max<size_t>(lookup.capacity_, 16))));
  for (uint32_t& position : lookup.latest_) position = kNone;
  return lookup;
}

size_t Lookup::slot(size_t end) const noexcept {
  const uint64_t pair = uint64_t{static_cast<uint32_t>(ids_[end - 1])} << 32 | static_cast<uint32_t>(ids_[end]);
  return static_cast<size_t>(pair * 0x9e3779b97f4a7c15u >> 32) & (latest_.size() - 1);
}

void Lookup::add(std::span<const int32_t> ids) noexcept {
  for (int32_t id : ids) {
    if (ids_.size() == capacity_) return;
    (void)ids_.push(id);  // reserved at create, like the next
    (void)previous_.push(kNone);
    const size_t at = ids_.size() - 1;
    if (at == 0) continue;
    uint32_t& latest = latest_[slot(at)];
    previous_[at] = latest;
    latest = static_cast<uint32_t>(at);
  }
}

// How many ids before and at `earlier` equal those before and at `end`.
size_t Lookup::agreement(size_t earlier, size_t end) const noexcept {
  size_t length = 0;
  while (length < kLongestMatch && length <= earlier && ids_[earlier - length] == ids_[end - length]) ++length;
  return length;
}

size_t Lookup::propose(std::span<int32_t> out, size_t* match) const noexcept {
  *match = 0;
  if (ids_.size() < 3 || out.empty()) return 0;
  const size_t end = ids_.size() - 1;
  size_t best = 0;
  uint32_t candidate = previous_[end];
  for (size_t tried = 0; candidate != kNone && tried < kCandidates; ++tried, candidate = previous_[candidate]) {
    const size_t length = agreement(candidate, end);
    if (length < 2 || length <= *match) continue;  // less than two is another pair with the same hash
    *match = length;
    best = candidate;
  }
  if (*match == 0) return 0;
  const size_t count = std::min(out.size(), end - best);
  std::copy_n(ids_.begin() + best + 1, count, out.begin());
  return count;
}

}  // namespace linnet::generation
