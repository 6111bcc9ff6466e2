#include "generate/selection.h"

#include <functional>

namespace linnet::generation {
namespace {

// A number that the count-th largest of the row is not below: so many blocks hold one that is at least this.
float bound(float* maxima, size_t blocks, size_t count) {
  if (count > blocks / 2) return -FLT_MAX;  // would let most of the row through
  float* ordered = maxima + blocks;
  std::copy(maxima, maxima + blocks, ordered);
  std::nth_element(ordered, ordered + (count - 1), ordered + blocks, std::greater<float>());
  return std::max(ordered[count - 1], -FLT_MAX);
}

}  // namespace

size_t gather(std::span<const float> row, float least, Candidate* candidates) noexcept {
  size_t found = 0;
  for (size_t begin = 0; begin < row.size(); begin += kBlock) {
    const std::span<const float> block = row.subspan(begin, std::min(kBlock, row.size() - begin));
    if (maximum(block) < least) continue;
    for (size_t i = 0; i < block.size(); ++i)
      if (block[i] >= least) candidates[found++] = {-block[i], block[i], static_cast<int32_t>(begin + i)};
  }
  return found;
}

size_t most(std::span<const float> row, size_t count, float* maxima, Candidate* candidates) noexcept {
  const size_t blocks = (row.size() + kBlock - 1) / kBlock;
  for (size_t b = 0; b < blocks; ++b) maxima[b] = maximum(row.subspan(b * kBlock, std::min(kBlock, row.size() - b * kBlock)));
  const size_t found = gather(row, bound(maxima, blocks, count), candidates);
  if (found <= count) return found;
  std::nth_element(candidates, candidates + count, candidates + found);
  return count;
}

namespace {

constexpr size_t kFew = 512;  // that are ordered by comparing
constexpr size_t kBuckets = 256;

// Where a key lies between two others, from 0 on; never falls as keys rise.
size_t bucket_of(float key, float least, float range) { return static_cast<size_t>((key - least) / range * (kBuckets - 1)); }

// Of candidates in the order of ids, leaves those around the cut at the front, in their order, and returns how many there are. Each
// time the keys that are left span a 256th of what they did before: a few passes, and never more than floats have bits for.
size_t narrow(std::span<Candidate> candidates, double wanted, double* reached) {
  while (candidates.size() > kFew) {
    const auto [least, most] =
        std::minmax_element(candidates.begin(), candidates.end(), [](const Candidate& a, const Candidate& b) { return a.key < b.key; });
    const float first = least->key, range = most->key - first;
    if (!(range > 0)) break;
    double weights[kBuckets] = {};
    for (const Candidate& candidate : candidates) weights[bucket_of(candidate.key, first, range)] += static_cast<double>(candidate.weight);
    size_t bucket = 0;
    while (bucket < kBuckets - 1 && (weights[bucket] == 0 || *reached + weights[bucket] < wanted)) *reached += weights[bucket++];
    const auto end = std::remove_if(candidates.begin(), candidates.end(),
                                    [&](const Candidate& candidate) { return bucket_of(candidate.key, first, range) != bucket; });
    candidates = {candidates.begin(), end};
  }
  return candidates.size();
}

// Equal keys, in the order of ids.
Cut walk(std::span<const Candidate> candidates, double wanted, double reached) {
  size_t i = 0;
  for (; i + 1 < candidates.size(); ++i)
    if ((reached += static_cast<double>(candidates[i].weight)) >= wanted) break;
  return {candidates[i].key, candidates[i].id};
}

}  // namespace

Cut reach(std::span<Candidate> candidates, double wanted) noexcept {
  if (candidates.empty()) return {};
  double reached = 0;
  candidates = candidates.first(narrow(candidates, wanted, &reached));
  if (candidates.size() <= kFew) std::sort(candidates.begin(), candidates.end());
  return walk(candidates, wanted, reached);
}

}  // namespace linnet::generation
