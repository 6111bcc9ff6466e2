#include "generate/lookup.h"

#include <doctest/doctest.h>

#include <random>
#include <vector>

using linnet::generation::Lookup;

namespace {

struct Proposal {
  std::vector<int32_t> ids;
  size_t match;
  bool operator==(const Proposal&) const = default;
};

Proposal propose(const std::vector<int32_t>& text, size_t room, size_t capacity = 1000) {
  linnet::Result<Lookup> lookup = Lookup::create(capacity);
  REQUIRE(lookup.ok());
  lookup->add(text);
  Proposal proposal{std::vector<int32_t>(room), 0};
  proposal.ids.resize(lookup->propose(proposal.ids, &proposal.match));
  return proposal;
}

/// The definition, by comparing with every earlier place.
Proposal by_hand(const std::vector<int32_t>& text, size_t room) {
  Proposal best{{}, 0};
  for (size_t end = text.size() - 1; end-- > 1;) {
    size_t length = 0;
    while (length < 32 && length <= end && text[end - length] == text[text.size() - 1 - length]) ++length;
    if (length < 2 || length <= best.match) continue;
    best = {{text.begin() + static_cast<ptrdiff_t>(end) + 1, text.begin() + static_cast<ptrdiff_t>(std::min(end + 1 + room, text.size()))},
            length};
  }
  return best;
}

}  // namespace

TEST_CASE("what followed the last two ids is proposed, after the longest agreement") {
  CHECK(propose({1, 2, 3, 4, 5, 9, 1, 2}, 3) == Proposal{{3, 4, 5}, 2});
  CHECK(propose({7, 1, 2, 3, 8, 1, 2, 4, 7, 1, 2}, 2) == Proposal{{3, 8}, 3});  // 7 1 2 beats the later 1 2
  CHECK(propose({1, 2, 3, 1, 2, 4, 1, 2}, 1) == Proposal{{4}, 2});              // of equal ones the latest
  CHECK(propose({1, 2, 3, 4}, 3) == Proposal{{}, 0});
  CHECK(propose({5, 5, 5, 5}, 4) == Proposal{{5}, 3});  // it may overlap the end
  CHECK(propose({}, 3) == Proposal{{}, 0});
  CHECK(propose({1, 2, 1}, 3) == Proposal{{}, 0});
  CHECK(propose({1, 2, 3, 1, 2}, 0) == Proposal{{}, 0});
}

TEST_CASE("texts of few different ids agree with the definition") {
  std::mt19937 random(3);
  for (int round = 0; round < 500; ++round) {
    std::vector<int32_t> text(3 + random() % 12);  // at most 16 places with the same pair
    for (int32_t& id : text) id = static_cast<int32_t>(random() % 3);
    CHECK(propose(text, 5) == by_hand(text, 5));
  }
}

TEST_CASE("ids beyond the capacity are ignored") {
  CHECK(propose({1, 2, 3, 1, 2, 9, 9, 9, 9}, 2, 5) == Proposal{{3, 1}, 2});
  CHECK(propose({1, 2, 3, 1, 2}, 2, 0) == Proposal{{}, 0});
}

TEST_CASE("any ids are taken, and one id a million times takes no longer") {
  CHECK(propose({INT32_MIN, -1, INT32_MAX, INT32_MIN, -1}, 1) == Proposal{{INT32_MAX}, 2});
  const std::vector<int32_t> same(1000000, 4);
  linnet::Result<Lookup> lookup = Lookup::create(same.size());
  REQUIRE(lookup.ok());
  std::vector<int32_t> out(8);
  size_t match = 0;
  for (int32_t id : same) {
    lookup->add({&id, 1});
    (void)lookup->propose(out, &match);
  }
  CHECK(match == 32);
}
