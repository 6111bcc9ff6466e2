// Placement against an oracle that compares every pair.
#include "plan/placement.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <vector>

using namespace linnet;
using namespace linnet::plan_detail;

namespace {

core::Array<Piece> array_of(const std::vector<Piece>& pieces) {
  core::Array<Piece> array;
  for (const Piece& piece : pieces) REQUIRE(array.push(piece).ok());
  return array;
}

bool alive_together(const Piece& a, const Piece& b) { return a.first <= b.last && b.first <= a.last; }

/// Pairs that live at the same time and overlap, and pieces that end behind `total` or are misplaced.
size_t faults(const core::Array<Piece>& pieces, uint64_t total) {
  size_t count = 0;
  for (size_t i = 0; i < pieces.size(); ++i) {
    const Piece& a = pieces[i];
    count += a.offset + a.bytes > total || a.offset % 64 != 0;
    for (size_t j = 0; j < i; ++j) {
      const Piece& b = pieces[j];
      count += a.bytes && b.bytes && alive_together(a, b) && a.offset < b.offset + b.bytes && b.offset < a.offset + a.bytes;
    }
  }
  return count;
}

uint64_t slow_peak(const std::vector<Piece>& pieces) {
  uint64_t peak = 0;
  for (const Piece& at : pieces) {
    uint64_t live = 0;
    for (const Piece& piece : pieces)
      if (piece.first <= at.first && at.first <= piece.last) live += piece.bytes;
    peak = std::max(peak, live);
  }
  return peak;
}

}  // namespace

TEST_CASE("random lifetimes: no two overlap, and the block is never below the peak") {
  std::mt19937 engine(7);
  auto random = [&] { return static_cast<uint32_t>(engine()); };
  double worst = 1;
  for (int round = 0; round < 300; ++round) {
    std::vector<Piece> pieces(random() % 60 + 1);
    const uint32_t steps = random() % 40 + 1, longest = random() % steps + 1;
    for (Piece& piece : pieces) {
      piece.bytes = 64 * (random() % 5 == 0 ? random() % 1000 : random() % 20);
      piece.first = random() % steps;
      piece.last = std::min(steps - 1, piece.first + static_cast<uint32_t>(random() % longest));
    }
    core::Array<Piece> placed = array_of(pieces);
    const Result<uint64_t> peak = live_peak(placed), total = place(&placed);
    REQUIRE(peak.ok());
    REQUIRE(total.ok());
    CHECK(*peak == slow_peak(pieces));
    CHECK(faults(placed, *total) == 0);
    CHECK(*total >= *peak);
    if (*peak) worst = std::max(worst, static_cast<double>(*total) / static_cast<double>(*peak));
  }
  CHECK(worst < 1.5);   // of arbitrary lifetimes; programs are asked for more in plan_test
}

TEST_CASE("a chain, each value read by the next step, needs no more than its two largest neighbours") {
  std::vector<Piece> pieces;
  for (uint32_t i = 0; i < 50; ++i) pieces.push_back({.bytes = 64 * (i % 7 + 1), .first = i, .last = i + 1});
  core::Array<Piece> placed = array_of(pieces);
  const Result<uint64_t> total = place(&placed);
  REQUIRE(total.ok());
  CHECK(*total == slow_peak(pieces));
  CHECK(faults(placed, *total) == 0);
}

TEST_CASE("nothing, and pieces of nothing") {
  core::Array<Piece> none = array_of({});
  CHECK(*place(&none) == 0);
  core::Array<Piece> empty = array_of({{.bytes = 0, .first = 0, .last = 3}, {.bytes = 64, .first = 0, .last = 3}});
  CHECK(*place(&empty) == 64);
}

TEST_CASE("sizes whose sum does not fit are refused") {
  const uint64_t huge = UINT64_MAX / 64 * 64;
  core::Array<Piece> pieces = array_of({{.bytes = huge, .first = 0, .last = 1}, {.bytes = huge, .first = 1, .last = 2}});
  CHECK(live_peak(pieces).status().code() == Code::invalid_argument);
  CHECK(place(&pieces).status().code() == Code::invalid_argument);
}
