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

Cut reach(std::span<Candidate> candidates, double wanted) noexcept {
  // Halving: what lies left of the middle is either enough, or kept as a whole.
  double reached = 0;
  while (candidates.size() > 1) {
    const size_t middle = candidates.size() / 2;
    std::nth_element(candidates.begin(), candidates.begin() + static_cast<ptrdiff_t>(middle), candidates.end());
    double left = 0;
    for (const Candidate& candidate : candidates.first(middle)) left += static_cast<double>(candidate.weight);
    if (reached + left >= wanted) {
      candidates = candidates.first(middle);
    } else {
      reached += left;
      candidates = candidates.subspan(middle);
    }
  }
  return candidates.empty() ? Cut() : Cut{candidates[0].key, candidates[0].id};
}

}  // namespace linnet::generation
