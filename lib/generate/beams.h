// What a beam search is made of.
#pragma once

#include "core/array.h"
#include "generate/selection.h"
#include "linnet/beam_search.h"

namespace linnet::generation {

/// A beam and an id that may follow it.
struct Continuation {
  double sum;  // of log-probabilities
  uint32_t beam;
  int32_t id;
  /// The better first; lower beams, then lower ids on ties.
  bool operator<(const Continuation& other) const {
    if (sum != other.sum) return sum > other.sum;
    return beam != other.beam ? beam < other.beam : id < other.id;
  }
};

struct Beam {
  double sum = 0;
  uint32_t parent = 0;
  int32_t id = -1;
};

struct Finished {
  double score = 0;
  uint32_t slot = 0, length = 0;  // where its ids lie, and how many
};

}  // namespace linnet::generation

namespace linnet {

struct BeamSearch::Impl {
  BeamOptions options;
  Sampling adjustments;                          // what the options share with the sampler
  size_t vocabulary = 0, prompt = 0, width = 0;  // of a row of ids: prompt and max_tokens
  size_t considered = 0;                         // continuations of one step
  uint32_t step = 0;
  bool ended = false;

  core::Array<generation::Beam> running, next;
  core::Array<int32_t> ids, next_ids;          // [beam][width]: prompt and new ids
  core::Array<generation::Finished> finished;  // by falling score
  core::Array<int32_t> finished_ids;           // [slot][max_tokens]
  core::Array<float> row, maxima;              // one beam's log-probabilities
  core::Array<uint32_t> counts;
  core::Array<generation::Candidate> candidates;
  core::Array<generation::Continuation> continuations;  // room for twice `considered`

  Status prepare(std::span<const int32_t> prompt_ids) noexcept;
  void read(std::span<const float> logits, size_t beam) noexcept;
  void collect(size_t beam) noexcept;
  void finish(const generation::Continuation& from) noexcept;
  void go_on(const generation::Continuation& from) noexcept;
  bool is_complete(int32_t id) const noexcept;
  bool can_stop() const noexcept;
};

}  // namespace linnet
