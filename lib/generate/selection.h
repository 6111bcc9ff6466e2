// Where to cut a long row so that only its best remain, without sorting it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "generate/row.h"

namespace linnet::generation {

/// Smaller keys are better, lower ids on ties.
struct Candidate {
  float key;
  float weight;
  int32_t id;
  bool operator<(const Candidate& other) const { return key < other.key || (key == other.key && id < other.id); }
};

/// Everything up to and including this candidate is kept.
struct Cut {
  float key = INFINITY;
  int32_t id = INT32_MAX;
  bool keeps(float other_key, int32_t other_id) const { return other_key < key || (other_key == key && other_id <= id); }
};

/// Candidates of any number, field by field, in the order of ids.
struct Columns {
  float* keys;
  float* weights;
  int32_t* ids;
  Candidate at(size_t i) const noexcept { return {keys[i], weights[i], ids[i]}; }
  /// In the memory of as many candidates.
  static Columns in(Candidate* memory, size_t count) noexcept {
    auto* keys = reinterpret_cast<float*>(memory);
    return {keys, keys + count, reinterpret_cast<int32_t*>(keys + 2 * count)};
  }
};

/// Floats of `maxima` for a row of `columns`.
constexpr size_t maxima_size(size_t columns) { return 2 * ((columns + kBlock - 1) / kBlock); }

/// Weights of the row that are at least `least` become candidates, with no keys yet; returns how many.
size_t gather(std::span<const float> row, float least, const Columns& candidates) noexcept;

/// The `count` largest of `row`, with key = -logit and in no order, at the front of `candidates` (row.size() of them); count > 0. Excluded
/// ids are left out. About one pass over the row where count is small against it.
size_t most(std::span<const float> row, size_t count, float* maxima, Candidate* candidates) noexcept;

/// The cut behind the fewest best candidates whose weights reach `wanted`; at least one is kept. Weights are above 0, keys finite and less
/// than FLT_MAX apart. A few passes, whatever they are like.
Cut reach(const Columns& candidates, size_t count, double wanted) noexcept;

}  // namespace linnet::generation
