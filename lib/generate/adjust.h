// What is done to a row of logits before anything is chosen from it, by the sampler and by beam search alike.
#pragma once

#include <cstdint>

#include "linnet/sampling.h"

namespace linnet::generation {

/// Errors: invalid_argument, by the option's name.
Status check_adjustments(const Sampling& sampling, size_t vocabulary) noexcept;

/// Whether any logit can change.
bool adjusts(const Sampling& sampling, const History& history) noexcept;

/// Bans, constraint, bias, penalties and repeated n-grams, in this order. `row` holds finite numbers or kExcluded, before and after.
/// `counts` has as many zeros, before and after.
void adjust(const Sampling& sampling, const History& history, std::span<float> row, uint32_t* counts) noexcept;

/// Excludes every id whose bit is not set.
void exclude_others(std::span<const uint64_t> allowed, std::span<float> row) noexcept;

/// Excludes the ids that would complete a group of `length` ids that is in `ids` already. length > 0.
void exclude_repeats(std::span<const int32_t> ids, uint32_t length, std::span<float> row) noexcept;

}  // namespace linnet::generation
