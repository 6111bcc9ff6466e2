#include <algorithm>
#include <new>

#include "core/checked.h"
#include "core/memory.h"
#include "core/try.h"
#include "generate/selection.h"
#include "linnet/sampling.h"

namespace linnet {

using namespace generation;

// One allocation: this, and behind it the arrays that it points to.
struct LogProbabilities::Memory {
  std::span<float> row;
  float* maxima;
  Candidate* candidates;
  TokenProbability* top;
  size_t found = 0;
  float largest = 0;
  double log_sum = 0;  // of the row minus its largest
};

Result<LogProbabilities> LogProbabilities::create(size_t vocabulary, size_t most) noexcept {
  most = std::min(most, vocabulary);
  const size_t head = core::round_up(sizeof(Memory), 64);
  const core::Checked bytes = core::Checked(vocabulary) * (sizeof(float) + sizeof(Candidate)) + maxima_size(vocabulary) * sizeof(float) +
                              core::Checked(most) * sizeof(TokenProbability) + head;
  auto* block =
      bytes.ok() && bytes.value() <= SIZE_MAX ? static_cast<uint8_t*>(core::allocate(static_cast<size_t>(bytes.value()))) : nullptr;
  if (!block) return Status::error(Code::out_of_memory, "no memory for the log-probabilities of %zu tokens", vocabulary);
  auto* memory = new (block) Memory();
  memory->row = {reinterpret_cast<float*>(block + head), vocabulary};
  memory->maxima = memory->row.data() + vocabulary;
  memory->candidates = reinterpret_cast<Candidate*>(memory->maxima + maxima_size(vocabulary));
  memory->top = reinterpret_cast<TokenProbability*>(memory->candidates + vocabulary);
  return LogProbabilities(vocabulary, most, memory);
}

LogProbabilities::LogProbabilities(LogProbabilities&& other) noexcept
    : vocabulary_(other.vocabulary_), most_(other.most_), memory_(other.memory_) {
  other.memory_ = nullptr;
}

LogProbabilities::~LogProbabilities() { core::release(memory_); }

void LogProbabilities::read(std::span<const float> logits) noexcept {
  const std::span<float> row = memory_->row;
  logits = logits.first(std::min(logits.size(), vocabulary_));
  copy_finite(logits, row.data());
  std::fill(row.begin() + static_cast<ptrdiff_t>(logits.size()), row.end(), -FLT_MAX);
  memory_->largest = maximum(row);
  memory_->log_sum = log_sum_exp(row, memory_->largest);
  memory_->found = most_ ? most(row, most_, memory_->maxima, memory_->candidates) : 0;
  std::sort(memory_->candidates, memory_->candidates + memory_->found);
  for (size_t i = 0; i < memory_->found; ++i) memory_->top[i] = {memory_->candidates[i].id, of(memory_->candidates[i].id)};
}

float LogProbabilities::of(int32_t id) const noexcept {
  return static_cast<float>(static_cast<double>(memory_->row[static_cast<size_t>(id)]) - static_cast<double>(memory_->largest) -
                            memory_->log_sum);
}

std::span<const TokenProbability> LogProbabilities::top() const noexcept { return {memory_->top, memory_->found}; }

}  // namespace linnet
