#include <algorithm>
#include <cmath>

#include "core/memory.h"
#include "linnet/generate.h"

namespace linnet {
namespace {

// splitmix64: one addition and three mixes per draw, the same everywhere.
uint64_t next(uint64_t* state) {
  uint64_t z = (*state += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

float ordered(float logit) { return std::isnan(logit) ? -INFINITY : logit; }

int32_t largest(std::span<const float> logits) {
  size_t best = 0;
  for (size_t i = 1; i < logits.size(); ++i)
    if (ordered(logits[i]) > ordered(logits[best])) best = i;
  return static_cast<int32_t>(best);
}

}  // namespace

Result<Sampler> Sampler::create(size_t vocabulary, const Sampling& sampling) noexcept {
  if (vocabulary == 0) return Status::error(Code::invalid_argument, "the vocabulary has no token to draw");
  if (!(sampling.temperature >= 0) || std::isinf(sampling.temperature))
    return Status::error(Code::invalid_argument, "temperature must be 0 (greedy) or a positive number");
  if (!(sampling.top_p > 0 && sampling.top_p <= 1)) return Status::error(Code::invalid_argument, "top_p must be above 0 and at most 1");
  if (!(sampling.min_p >= 0 && sampling.min_p <= 1)) return Status::error(Code::invalid_argument, "min_p must be between 0 and 1");
  if (!(sampling.repetition_penalty > 0) || std::isinf(sampling.repetition_penalty))
    return Status::error(Code::invalid_argument, "repetition_penalty must be a positive number");
  auto* candidates = static_cast<Candidate*>(core::allocate(vocabulary * sizeof(Candidate)));
  if (!candidates) return Status::error(Code::out_of_memory, "no memory to sample from %zu tokens", vocabulary);
  return Sampler(sampling, vocabulary, candidates);
}

Sampler::Sampler(const Sampling& sampling, size_t vocabulary, Candidate* candidates) noexcept
    : sampling_(sampling), vocabulary_(vocabulary), candidates_(candidates), state_(sampling.seed) {}

Sampler::Sampler(Sampler&& other) noexcept
    : sampling_(other.sampling_), vocabulary_(other.vocabulary_), candidates_(other.candidates_), state_(other.state_) {
  other.candidates_ = nullptr;
}

Sampler::~Sampler() { core::release(candidates_); }

void Sampler::penalize(std::span<const float> logits, std::span<const int32_t> history) noexcept {
  // Computed from the logit as it came: an id that occurs twice is penalised once.
  for (int32_t id : history) {
    if (id < 0 || static_cast<size_t>(id) >= logits.size()) continue;
    const float logit = ordered(logits[static_cast<size_t>(id)]);
    candidates_[id].logit = logit > 0 ? logit / sampling_.repetition_penalty : logit * sampling_.repetition_penalty;
  }
}

// Moves the `count` largest candidates to the front, in falling order; ties go to the lower id.
size_t Sampler::most_probable(size_t count) noexcept {
  count = std::min(count, vocabulary_);
  auto higher = [](const Candidate& a, const Candidate& b) { return a.logit > b.logit || (a.logit == b.logit && a.id < b.id); };
  std::partial_sort(candidates_, candidates_ + count, candidates_ + vocabulary_, higher);
  return count;
}

double Sampler::uniform() noexcept { return static_cast<double>(next(&state_) >> 11) * 0x1p-53; }

int32_t Sampler::draw(std::span<const float> logits, std::span<const int32_t> history) noexcept {
  logits = logits.first(std::min(logits.size(), vocabulary_));
  bool penalized = sampling_.repetition_penalty != 1 && !history.empty();
  if (sampling_.temperature == 0 && !penalized) return largest(logits);
  for (size_t i = 0; i < vocabulary_; ++i)
    candidates_[i] = {i < logits.size() ? ordered(logits[i]) : -INFINITY, static_cast<int32_t>(i)};
  if (penalized) penalize(logits, history);
  if (sampling_.temperature == 0) {
    most_probable(1);
    return candidates_[0].id;
  }
  size_t kept = most_probable(sampling_.top_k ? sampling_.top_k : vocabulary_);
  // Probabilities relative to the largest; infinite logits share all of it.
  double top = candidates_[0].logit, sum = 0;
  auto weight = [&](size_t i) {
    if (candidates_[i].logit == top) return 1.0;
    return std::exp((static_cast<double>(candidates_[i].logit) - top) / sampling_.temperature);
  };
  for (size_t i = 0; i < kept; ++i) sum += weight(i);
  if (sampling_.top_p < 1) {
    double reached = 0, wanted = sampling_.top_p * sum;
    size_t i = 0;
    while (i < kept && reached < wanted) reached += weight(i++);
    kept = std::max<size_t>(i, 1);
  }
  while (kept > 1 && weight(kept - 1) < sampling_.min_p) --kept;
  sum = 0;
  for (size_t i = 0; i < kept; ++i) sum += weight(i);
  double target = uniform() * sum;
  for (size_t i = 0; i + 1 < kept; ++i) {
    target -= weight(i);
    if (target < 0) return candidates_[i].id;
  }
  return candidates_[kept - 1].id;
}

}  // namespace linnet
