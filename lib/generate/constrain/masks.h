// The tokens that are possible in a state whatever the frame below it, found by one walk over the trie and kept. Tokens that go beyond the
// frame are not decided: the walk leaves the nodes where that happens.
#pragma once

#include "generate/constrain/states.h"

namespace linnet::constrain {

/// Tokens that lead to the same state.
struct Group {
  uint32_t state;
  uint32_t first, count;  // of ids
  bool borrowed = false;  // of the source's ids
};

struct Mask {
  core::Array<Group> groups;  // the largest first
  core::Array<int32_t> ids;
  uint32_t source = kNone;                 // the mask that this one was derived from
  core::Array<uint64_t> bits;              // of all ids, where those are many; else empty
  core::Array<uint32_t> escapes;           // nodes with whose byte the frame below is reached, and that go on
  uint32_t most_cost = 0, most_reach = 0;  // of all groups' states

  size_t bytes() const noexcept {
    return sizeof(Mask) + groups.size() * sizeof(Group) + ids.size() * sizeof(int32_t) + bits.size() * 8 + escapes.size() * 4;
  }
};

class Masks {
 public:
  explicit Masks(const TokenTrie& trie) noexcept : trie_(trie) {}
  void clear() noexcept;
  /// More is kept than limits::kConstraintMaskBytes allows.
  bool full() const noexcept;
  /// Valid until clear or the next call.
  Result<const Mask*> find(States& states, uint32_t state) noexcept;
  std::span<const int32_t> ids(const Mask& mask, const Group& group) const noexcept {
    const core::Array<int32_t>& all = group.borrowed ? masks_[mask.source].ids : mask.ids;
    return {all.data() + group.first, group.count};
  }

 private:
  struct Hit {
    uint32_t state, node;
  };
  Result<uint32_t> keep(uint32_t state, Mask&& mask) noexcept;
  Result<uint32_t> make(States& states, uint32_t state) noexcept;
  Status walk(States& states, uint32_t state, Mask* mask) noexcept;
  Status collect(States& states, Mask* mask) noexcept;
  // derived_masks.cpp
  Result<uint32_t> widen(States& states, uint32_t state) noexcept;
  Result<uint32_t> narrowed(States& states, uint32_t state, const Frame& own, uint32_t most) noexcept;
  Status derive(States& states, uint32_t state, uint32_t source, Mask* mask) noexcept;
  Result<uint32_t> follow(States& states, uint32_t state, std::string_view bytes) noexcept;
  Status add_own(core::Array<Hit>* hits, Mask* mask) noexcept;

  const TokenTrie& trie_;
  core::Array<Mask> masks_;
  core::Array<uint32_t> numbers_;  // by state, plus one; 0: none
  core::Array<Hit> hits_;
  core::Array<uint32_t> counts_;
  size_t bytes_ = 0;
};

}  // namespace linnet::constrain
