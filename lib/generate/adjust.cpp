#include "generate/adjust.h"

#include <algorithm>
#include <cmath>

#include "core/try.h"
#include "generate/row.h"

namespace linnet::generation {
namespace {

bool is_in(int32_t id, std::span<const float> row) { return id >= 0 && static_cast<size_t>(id) < row.size(); }

// Where the logit is not excluded.
template <class Change>
void change(std::span<float> row, int32_t id, Change to) {
  if (is_in(id, row) && row[static_cast<size_t>(id)] != kExcluded) row[static_cast<size_t>(id)] = finite(to(row[static_cast<size_t>(id)]));
}

void add_bias(std::span<const LogitBias> biases, std::span<float> row) {
  for (const LogitBias& bias : biases) {
    if (bias.value == kExcluded) row[static_cast<size_t>(bias.id)] = kExcluded;
    change(row, bias.id, [&](float logit) { return logit + bias.value; });
  }
}

// Every id of the history once, however often it occurs.
template <class Change>
void for_each_once(std::span<const int32_t> ids, std::span<float> row, uint32_t* counts, Change to) {
  for (int32_t id : ids)
    if (is_in(id, row)) ++counts[id];
  for (int32_t id : ids) {
    if (!is_in(id, row) || counts[id] == 0) continue;
    change(row, id, [&](float logit) { return to(logit, counts[id]); });
    counts[id] = 0;
  }
}

void penalize(const Sampling& sampling, const History& history, std::span<float> row, uint32_t* counts) {
  if (sampling.repetition_penalty != 1)
    for_each_once(history.ids, row, counts, [&](float logit, uint32_t) {
      return logit > 0 ? logit / sampling.repetition_penalty : logit * sampling.repetition_penalty;
    });
  if (sampling.presence_penalty != 0 || sampling.frequency_penalty != 0)
    for_each_once(history.ids.subspan(std::min(history.prompt, history.ids.size())), row, counts, [&](float logit, uint32_t times) {
      return logit - sampling.presence_penalty - sampling.frequency_penalty * static_cast<float>(times);
    });
}

}  // namespace

Status check_adjustments(const Sampling& sampling, size_t vocabulary) noexcept {
  if (!(sampling.repetition_penalty > 0) || std::isinf(sampling.repetition_penalty))
    return Status::error(Code::invalid_argument, "repetition_penalty must be a positive number");
  if (!std::isfinite(sampling.presence_penalty)) return Status::error(Code::invalid_argument, "presence_penalty must be a finite number");
  if (!std::isfinite(sampling.frequency_penalty)) return Status::error(Code::invalid_argument, "frequency_penalty must be a finite number");
  for (const LogitBias& bias : sampling.logit_bias) {
    if (bias.id < 0 || static_cast<size_t>(bias.id) >= vocabulary)
      return Status::error(Code::invalid_argument, "logit_bias names id %d; it must be at least 0 and below %zu", bias.id, vocabulary);
    if (!(bias.value < INFINITY))
      return Status::error(Code::invalid_argument, "logit_bias of id %d must be a number or minus infinity", bias.id);
  }
  return {};
}

bool adjusts(const Sampling& sampling, const History& history) noexcept {
  return !sampling.banned.empty() || !sampling.logit_bias.empty() || !history.allowed.empty() || !history.excluded.empty() ||
         sampling.repetition_penalty != 1 || sampling.presence_penalty != 0 || sampling.frequency_penalty != 0 ||
         sampling.no_repeat_ngram != 0;
}

void adjust(const Sampling& sampling, const History& history, std::span<float> row, uint32_t* counts) noexcept {
  for (std::span<const int32_t> ids : {sampling.banned, history.excluded})
    for (int32_t id : ids)
      if (is_in(id, row)) row[static_cast<size_t>(id)] = kExcluded;
  if (!history.allowed.empty()) exclude_others(history.allowed, row);
  add_bias(sampling.logit_bias, row);
  penalize(sampling, history, row, counts);
  if (sampling.no_repeat_ngram) exclude_repeats(history.ids, sampling.no_repeat_ngram, row);
}

void exclude_others(std::span<const uint64_t> allowed, std::span<float> row) noexcept {
  for (size_t word = 0; word * 64 < row.size(); ++word) {
    const uint64_t bits = word < allowed.size() ? allowed[word] : 0;
    if (bits == UINT64_MAX) continue;
    const size_t end = std::min(row.size() - word * 64, size_t{64});
    for (size_t i = 0; i < end; ++i)
      if (!(bits >> i & 1)) row[word * 64 + i] = kExcluded;
  }
}

void exclude_repeats(std::span<const int32_t> ids, uint32_t length, std::span<float> row) noexcept {
  if (ids.size() < length) return;
  const std::span<const int32_t> begun = ids.last(length - 1);
  for (size_t i = 0; i + length <= ids.size(); ++i)
    if (is_in(ids[i + length - 1], row) && std::equal(begun.begin(), begun.end(), ids.begin() + static_cast<ptrdiff_t>(i)))
      row[static_cast<size_t>(ids[i + length - 1])] = kExcluded;
}

}  // namespace linnet::generation
