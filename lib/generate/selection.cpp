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

size_t gather(std::span<const float> row, float least, const Columns& candidates) noexcept {
  size_t found = 0;
  for (size_t begin = 0; begin < row.size(); begin += kBlock) {
    const std::span<const float> block = row.subspan(begin, std::min(kBlock, row.size() - begin));
    if (maximum(block) < least) continue;
    const bool all = minimum(block) >= least;
    for (size_t i = 0; all && i < block.size(); ++i) {
      candidates.weights[found + i] = block[i];
      candidates.ids[found + i] = static_cast<int32_t>(begin + i);
    }
    if (all) found += block.size();
    for (size_t i = 0; !all && i < block.size(); ++i) {
      if (!(block[i] >= least)) continue;
      candidates.weights[found] = block[i];
      candidates.ids[found++] = static_cast<int32_t>(begin + i);
    }
  }
  return found;
}

size_t most(std::span<const float> row, size_t count, float* maxima, Candidate* candidates) noexcept {
  const size_t blocks = (row.size() + kBlock - 1) / kBlock;
  for (size_t b = 0; b < blocks; ++b) maxima[b] = maximum(row.subspan(b * kBlock, std::min(kBlock, row.size() - b * kBlock)));
  const float least = bound(maxima, blocks, count);
  size_t found = 0;
  for (size_t b = 0; b < blocks; ++b) {
    if (maxima[b] < least) continue;
    for (size_t i = b * kBlock; i < std::min((b + 1) * kBlock, row.size()); ++i)
      if (row[i] >= least) candidates[found++] = {-row[i], row[i], static_cast<int32_t>(i)};
  }
  if (found <= count) return found;
  std::nth_element(candidates, candidates + count, candidates + found);
  return count;
}

namespace {

constexpr size_t kFew = 512;  // that are ordered by comparing
constexpr int32_t kBuckets = 1024;

// Candidates whose keys are in [least, most], in buckets by their keys.
struct Stretch {
  float least, most;
  size_t count;
};

// Where a block's keys lie in the stretch, never falling as they rise; kBuckets = outside. One thing in each loop: then compilers use
// registers.
void find_buckets(const float* keys, size_t count, const Stretch& stretch, int32_t* buckets) {
  const float least = stretch.least, most = stretch.most, range = most - least;
  float inside[kBlock];
  for (size_t i = 0; i < count; ++i) inside[i] = keys[i] > least ? keys[i] : least;
  for (size_t i = 0; i < count; ++i) inside[i] = inside[i] < most ? inside[i] : most;
  for (size_t i = 0; i < count; ++i) buckets[i] = static_cast<int32_t>((inside[i] - least) / range * (kBuckets - 1));
  for (size_t i = 0; i < count; ++i) buckets[i] = inside[i] == keys[i] ? buckets[i] : static_cast<int32_t>(kBuckets);
}

// Of those in one bucket: the least and the largest key, how many, and the first kFew themselves.
Stretch look_into(const Columns& candidates, size_t count, const Stretch& stretch, int32_t bucket, Candidate* few) {
  Stretch found{INFINITY, -INFINITY, 0};
  int32_t buckets[kBlock];
  float low[kBlock], high[kBlock];
  for (size_t begin = 0; begin < count; begin += kBlock) {
    const size_t size = std::min(kBlock, count - begin);
    const float* block = candidates.keys + begin;
    find_buckets(block, size, stretch, buckets);
    int32_t inside = 0;
    for (size_t i = 0; i < size; ++i) inside += buckets[i] == bucket ? 1 : 0;
    if (inside == 0) continue;
    for (size_t i = 0; i < size; ++i) low[i] = buckets[i] == bucket ? block[i] : INFINITY;
    for (size_t i = 0; i < size; ++i) high[i] = buckets[i] == bucket ? block[i] : -INFINITY;
    found.least = std::min(found.least, minimum({low, size}));
    found.most = std::max(found.most, maximum({high, size}));
    for (size_t i = 0; i < size && found.count < kFew; ++i)
      if (buckets[i] == bucket) few[found.count++] = candidates.at(begin + i), --inside;
    found.count += static_cast<size_t>(inside);
  }
  return found;
}

// The bucket in which the weights reach what is wanted; adds up those of the buckets before it.
int32_t find_bucket(const Columns& candidates, size_t count, const Stretch& stretch, double wanted, double* reached) {
  double weights[2][kBuckets + 1] = {};  // two, so that a sum need not wait for the one before
  int32_t buckets[kBlock];
  for (size_t begin = 0; begin < count; begin += kBlock) {
    const size_t size = std::min(kBlock, count - begin);
    find_buckets(candidates.keys + begin, size, stretch, buckets);
    for (size_t i = 0; i < size; ++i) weights[i % 2][buckets[i]] += static_cast<double>(candidates.weights[begin + i]);
  }
  int32_t bucket = 0;
  for (;; ++bucket) {
    const double sum = weights[0][bucket] + weights[1][bucket];
    if (bucket == kBuckets - 1 || (sum > 0 && *reached + sum >= wanted)) return bucket;
    *reached += sum;
  }
}

// Ordered candidates.
Cut walk(std::span<const Candidate> candidates, double wanted, double reached) {
  size_t i = 0;
  for (; i + 1 < candidates.size(); ++i)
    if ((reached += static_cast<double>(candidates[i].weight)) >= wanted) break;
  return {candidates[i].key, candidates[i].id};
}

// Equal keys, in the order of ids.
Cut walk_equal(const Columns& candidates, size_t count, float key, double wanted, double reached) {
  Cut cut{key, 0};
  for (size_t i = 0; i < count && reached < wanted; ++i) {
    if (candidates.keys[i] != key) continue;
    cut.id = candidates.ids[i];
    reached += static_cast<double>(candidates.weights[i]);
  }
  return cut;
}

}  // namespace

// Each time the keys that are left span a 1024th of what they did before.
Cut reach(const Columns& candidates, size_t count, double wanted) noexcept {
  if (count == 0) return {};
  const std::span<const float> keys{candidates.keys, count};
  Stretch stretch{minimum(keys), maximum(keys), count};
  double reached = 0;
  Candidate few[kFew];
  for (size_t i = 0; i < std::min(count, kFew); ++i) few[i] = candidates.at(i);
  while (stretch.count > kFew && stretch.least < stretch.most) {
    const int32_t bucket = find_bucket(candidates, count, stretch, wanted, &reached);
    stretch = look_into(candidates, count, stretch, bucket, few);
  }
  if (stretch.count > kFew) return walk_equal(candidates, count, stretch.least, wanted, reached);
  std::sort(few, few + stretch.count);
  return walk({few, stretch.count}, wanted, reached);
}

}  // namespace linnet::generation
