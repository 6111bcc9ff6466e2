// Where in one block of memory pieces lie that live for a while each: pieces that live at the same time must not overlap.
// The problem is hard in general; best-fit over lifetimes, in a few orders and then with what lay on top placed first, of which the best
// counts, comes within a few percent of the lower bound on every program that we have (docs/performance.md), and plan() reports how near.
#pragma once

#include <cstdint>

#include "core/array.h"

namespace linnet::plan_detail {

struct Piece {
  uint64_t bytes = 0;             // a multiple of 64
  uint32_t first = 0, last = 0;   // steps, both inclusive
  uint64_t offset = 0;            // the answer
};

/// The most bytes that are alive at one step: no placement needs less.
Result<uint64_t> live_peak(const core::Array<Piece>& pieces) noexcept;

/// Sets every offset; returns the bytes of the block. Errors: out_of_memory for working space; invalid_argument when sizes overflow.
Result<uint64_t> place(core::Array<Piece>* pieces) noexcept;

}  // namespace linnet::plan_detail
