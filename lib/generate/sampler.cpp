#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <new>

#include "core/checked.h"
#include "core/memory.h"
#include "core/try.h"
#include "generate/adjust.h"
#include "generate/random.h"
#include "generate/selection.h"

namespace linnet {

using namespace generation;

// One allocation: this, and behind it the arrays that it points to.
struct Sampler::Memory {
  std::span<float> row;  // logits, then weights of what is kept
  uint32_t* counts;      // 0 between two draws
  float* maxima;
  Candidate* candidates;  // of top-k
  Columns columns;        // of top-p and typical, which come later: the same bytes
};

namespace {

constexpr float kLeastWeight = std::numeric_limits<float>::denorm_min();

Status check(const Sampling& sampling) {
  if (!(sampling.temperature >= 0) || std::isinf(sampling.temperature))
    return Status::error(Code::invalid_argument, "temperature must be 0 (greedy) or a positive number");
  if (!(sampling.top_p > 0 && sampling.top_p <= 1)) return Status::error(Code::invalid_argument, "top_p must be above 0 and at most 1");
  if (!(sampling.min_p >= 0 && sampling.min_p <= 1)) return Status::error(Code::invalid_argument, "min_p must be between 0 and 1");
  if (!(sampling.typical > 0 && sampling.typical <= 1))
    return Status::error(Code::invalid_argument, "typical must be above 0 and at most 1");
  return {};
}

// Weights of the k largest logits, all others 0.
void keep_most(std::span<float> row, size_t k, float temperature, float* maxima, Candidate* candidates) {
  const size_t kept = most(row, k, maxima, candidates);
  std::fill(row.begin(), row.end(), 0.0f);
  if (kept == 0) return;
  const float top = -std::min_element(candidates, candidates + kept)->key;
  for (Candidate& candidate : std::span(candidates, kept)) {
    float logit = -candidate.key;
    exponentials({&logit, 1}, top, temperature);
    row[static_cast<size_t>(candidate.id)] = logit;
  }
}

// What is not among the fewest that reach p of the whole gets the weight 0.
void keep_nucleus(std::span<float> weights, double p, const Columns& candidates) {
  const double whole = sum(weights);
  // All weights below this add up to less than what may be dropped, so the cut lies above them.
  const auto least = static_cast<float>((1 - p) * whole / static_cast<double>(weights.size()) * 0.999);
  const size_t count = gather(weights, std::max(least, kLeastWeight), candidates);
  for (size_t i = 0; i < count; ++i) candidates.keys[i] = -candidates.weights[i];
  const Cut cut = reach(candidates, count, p * whole);
  for (float& weight : weights) weight = weight >= -cut.key ? weight : 0;
  for (size_t i = static_cast<size_t>(cut.id) + 1; i < weights.size(); ++i)
    if (weights[i] == -cut.key) weights[i] = 0;
}

// Locally typical sampling (Meister et al. 2023): what is not among the fewest that reach p, those first whose surprise is nearest to the
// entropy, gets the weight 0.
void keep_typical(std::span<float> weights, double p, const Columns& candidates) {
  const double whole = sum(weights);
  const size_t count = gather(weights, kLeastWeight, candidates);
  const std::span<float> surprises{candidates.keys, count};
  std::copy_n(candidates.weights, count, candidates.keys);
  logarithms(surprises);
  const auto log_whole = static_cast<float>(std::log(whole));
  for (float& surprise : surprises) surprise = log_whole - surprise;
  const auto entropy = static_cast<float>(dot(surprises, candidates.weights) / whole);
  for (float& surprise : surprises) surprise = std::fabs(surprise - entropy);
  const Cut cut = reach(candidates, count, p * whole);
  for (size_t i = 0; i < count; ++i)
    if (!cut.keeps(candidates.keys[i], candidates.ids[i])) weights[static_cast<size_t>(candidates.ids[i])] = 0;
}

}  // namespace

Result<Sampler> Sampler::create(size_t vocabulary, const Sampling& sampling) noexcept {
  if (vocabulary == 0 || vocabulary > INT32_MAX)
    return Status::error(Code::invalid_argument, "a vocabulary of %zu tokens cannot be drawn from", vocabulary);
  LINNET_TRY(check(sampling));
  LINNET_TRY(check_adjustments(sampling, vocabulary));
  const size_t head = core::round_up(sizeof(Memory), 64);
  const core::Checked bytes =
      core::Checked(vocabulary) * (sizeof(float) + sizeof(uint32_t) + sizeof(Candidate)) + maxima_size(vocabulary) * sizeof(float) + head;
  auto* block =
      bytes.ok() && bytes.value() <= SIZE_MAX ? static_cast<uint8_t*>(core::allocate(static_cast<size_t>(bytes.value()))) : nullptr;
  if (!block) return Status::error(Code::out_of_memory, "no memory to sample from %zu tokens", vocabulary);
  auto* memory = new (block) Memory();
  memory->row = {reinterpret_cast<float*>(block + head), vocabulary};
  memory->counts = reinterpret_cast<uint32_t*>(memory->row.data() + vocabulary);
  memory->maxima = reinterpret_cast<float*>(memory->counts + vocabulary);
  memory->candidates = reinterpret_cast<Candidate*>(memory->maxima + maxima_size(vocabulary));
  memory->columns = Columns::in(memory->candidates, vocabulary);
  std::memset(memory->counts, 0, vocabulary * sizeof(uint32_t));
  return Sampler(sampling, vocabulary, memory);
}

Sampler::Sampler(Sampler&& other) noexcept : sampling_(other.sampling_), vocabulary_(other.vocabulary_), memory_(other.memory_) {
  other.memory_ = nullptr;
}

Sampler::~Sampler() { core::release(memory_); }

int32_t Sampler::draw(std::span<const float> logits, const History& history) noexcept {
  logits = logits.first(std::min(logits.size(), vocabulary_));
  const bool adjusted = adjusts(sampling_, history);
  if (sampling_.temperature == 0 && !adjusted) {
    const size_t best = largest(logits);
    return best < logits.size() ? static_cast<int32_t>(best) : 0;  // nothing but NaN and minus infinity: all are alike
  }
  const std::span<float> row = memory_->row;
  copy_finite(logits, row.data());
  std::fill(row.begin() + static_cast<ptrdiff_t>(logits.size()), row.end(), kExcluded);
  if (adjusted) adjust(sampling_, history, row, memory_->counts);
  if (sampling_.temperature > 0) return draw_weighted(history);
  const size_t best = largest(row);
  return best < row.size() ? static_cast<int32_t>(best) : -1;
}

int32_t Sampler::draw_weighted(const History& history) noexcept {
  const std::span<float> row = memory_->row;
  const float top = maximum(row);
  if (top == kExcluded) return -1;
  if (sampling_.top_k && sampling_.top_k < row.size())
    keep_most(row, sampling_.top_k, sampling_.temperature, memory_->maxima, memory_->candidates);
  else
    exponentials(row, top, sampling_.temperature);
  if (sampling_.top_p < 1) keep_nucleus(row, static_cast<double>(sampling_.top_p), memory_->columns);
  if (sampling_.min_p > 0)  // the most probable has the weight 1
    for (float& weight : row) weight = weight < sampling_.min_p ? 0 : weight;
  if (sampling_.typical < 1) keep_typical(row, static_cast<double>(sampling_.typical), memory_->columns);
  const double target = uniform(stream_key(sampling_.seed, history.stream), history.before + history.ids.size()) * sum(row);
  return static_cast<int32_t>(place_of(row, target));
}

}  // namespace linnet
