#include "plan/placement.h"

#include <algorithm>

#include "core/checked.h"

namespace linnet::plan_detail {
namespace {

using core::Array;

// Above this many pieces only the order of first use is tried, whose search looks at living pieces alone.
constexpr size_t kManyPieces = 2048;
// Further attempts in each order, and the pairs of pieces that they may look at.
constexpr size_t kAttempts = 64;
constexpr size_t kPairs = size_t{1} << 23;

bool together(const Piece& a, const Piece& b) { return a.first <= b.last && b.first <= a.last; }

enum class Fit { best, first };

// The smallest gap that fits between the neighbours (sorted by offset), or the lowest; else behind them all.
uint64_t gap_for(uint64_t bytes, const Array<Piece>& pieces, const Array<uint32_t>& neighbours, Fit fit) {
  uint64_t end = 0, best = UINT64_MAX, best_gap = UINT64_MAX;
  for (uint32_t index : neighbours) {
    const Piece& piece = pieces[index];
    if (piece.offset > end && piece.offset - end >= bytes && piece.offset - end < best_gap) {
      if (fit == Fit::first) return end;
      best = end;
      best_gap = piece.offset - end;
    }
    end = std::max(end, piece.offset + piece.bytes);
  }
  return best == UINT64_MAX ? end : best;
}

struct Work {
  Array<uint32_t> order, placed, neighbours;
  Array<uint64_t> best;
};

// Places in the given order. `by_first_use`: the order is by first step, so that pieces that have ended can be forgotten and all others
// live together with the next; they stay sorted by offset.
uint64_t place_in_order(Array<Piece>* pieces, Work* work, bool by_first_use, Fit fit = Fit::best) {
  uint64_t total = 0;
  work->placed.clear();
  const auto by_offset = [&](uint32_t a, uint32_t b) { return (*pieces)[a].offset < (*pieces)[b].offset; };
  for (uint32_t index : work->order) {
    Piece& piece = (*pieces)[index];
    piece.offset = 0;
    if (piece.bytes == 0) continue;
    work->neighbours.clear();
    size_t kept = 0;
    for (uint32_t other : work->placed) {
      if (by_first_use && (*pieces)[other].last < piece.first) continue;
      work->placed[kept++] = other;
      if (!by_first_use && together((*pieces)[other], piece)) (void)work->neighbours.push(other);  // reserved: cannot fail
    }
    while (work->placed.size() > kept) work->placed.pop();
    if (!by_first_use) std::sort(work->neighbours.begin(), work->neighbours.end(), by_offset);
    piece.offset = gap_for(piece.bytes, *pieces, by_first_use ? work->placed : work->neighbours, fit);
    total = std::max(total, piece.offset + piece.bytes);
    (void)work->placed.push(index);
    uint32_t* last = work->placed.end() - 1;
    if (by_first_use) std::rotate(std::upper_bound(work->placed.begin(), last, index, by_offset), last, work->placed.end());
  }
  return total;
}

enum class Order { first_use, size, area, lifetime };

void sort_order(const Array<Piece>& pieces, Order order, Array<uint32_t>* indices) {
  for (size_t i = 0; i < indices->size(); ++i) (*indices)[i] = static_cast<uint32_t>(i);
  auto length = [&](uint32_t i) { return uint64_t{pieces[i].last} - pieces[i].first + 1; };
  auto key = [&](uint32_t i) -> uint64_t {
    switch (order) {
      case Order::size:
        return UINT64_MAX - pieces[i].bytes;
      case Order::lifetime:
        return UINT64_MAX - length(i);
      case Order::area:
        return UINT64_MAX - (pieces[i].bytes / 64) * length(i);
      default:
        return pieces[i].first;
    }
  };
  // Ties: longer lives, larger ones, then the file's order, so that a plan is the same on every machine.
  std::sort(indices->begin(), indices->end(), [&](uint32_t a, uint32_t b) {
    if (key(a) != key(b)) return key(a) < key(b);
    if (length(a) != length(b)) return length(a) > length(b);
    if (pieces[a].bytes != pieces[b].bytes) return pieces[a].bytes > pieces[b].bytes;
    return a < b;
  });
}

Status check_sizes(const Array<Piece>& pieces) {
  core::Checked sum(0);
  for (const Piece& piece : pieces) sum = sum + piece.bytes;
  if (!sum.ok() || sum.value() > INT64_MAX)
    return Status::error(Code::invalid_argument, "the values of one program take more than 2^63 bytes; lower the limits");
  return {};
}

void keep(const Array<Piece>& pieces, Work* work) {
  for (size_t i = 0; i < pieces.size(); ++i) work->best[i] = pieces[i].offset;
}

// Whatever lies on top goes first the next time: what is hard to place gets its place before the rest.
uint64_t insist(Array<Piece>* pieces, Order order, Fit fit, Work* work, uint64_t best, uint64_t peak) {
  const size_t count = pieces->size(), attempts = std::min(kAttempts, kPairs / std::max<size_t>(1, count * count));
  sort_order(*pieces, order, &work->order);
  for (size_t attempt = 0; attempt < attempts && best > peak; ++attempt) {
    const uint64_t total = place_in_order(pieces, work, false, fit);
    if (total < best) keep(*pieces, work);
    best = std::min(best, total);
    uint32_t* top = std::max_element(work->order.begin(), work->order.end(), [&](uint32_t a, uint32_t b) {
      return (*pieces)[a].offset + (*pieces)[a].bytes < (*pieces)[b].offset + (*pieces)[b].bytes;
    });
    std::rotate(work->order.begin(), top, top + 1);
  }
  return best;
}

}  // namespace

Result<uint64_t> live_peak(const Array<Piece>& pieces) noexcept {
  LINNET_TRY(check_sizes(pieces));
  uint32_t steps = 0;
  for (const Piece& piece : pieces) steps = std::max(steps, piece.last + 1);
  Array<int64_t> change;
  LINNET_TRY(change.resize(size_t{steps} + 1));
  for (const Piece& piece : pieces) {
    change[piece.first] += static_cast<int64_t>(piece.bytes);
    change[piece.last + 1] -= static_cast<int64_t>(piece.bytes);
  }
  int64_t live = 0, peak = 0;
  for (int64_t step : change) {
    live += step;
    peak = std::max(peak, live);
  }
  return static_cast<uint64_t>(peak);
}

Result<uint64_t> place(Array<Piece>* pieces) noexcept {
  LINNET_ASSIGN(const uint64_t peak, live_peak(*pieces));
  Work work;
  LINNET_TRY(work.order.resize(pieces->size()));
  LINNET_TRY(work.placed.reserve(pieces->size()));
  LINNET_TRY(work.neighbours.reserve(pieces->size()));
  LINNET_TRY(work.best.resize(pieces->size()));
  uint64_t best = UINT64_MAX;
  for (Order order : {Order::first_use, Order::size, Order::area, Order::lifetime}) {
    if (order != Order::first_use && pieces->size() > kManyPieces) break;
    sort_order(*pieces, order, &work.order);
    uint64_t total = place_in_order(pieces, &work, order == Order::first_use);
    if (total >= best) continue;
    best = total;
    keep(*pieces, &work);
  }
  for (Order order : {Order::size, Order::area, Order::lifetime, Order::first_use})
    for (Fit fit : {Fit::best, Fit::first})
      if (pieces->size() <= kManyPieces) best = insist(pieces, order, fit, &work, best, peak);
  for (size_t i = 0; i < pieces->size(); ++i) (*pieces)[i].offset = work.best[i];
  return pieces->empty() ? 0 : best;
}

}  // namespace linnet::plan_detail
