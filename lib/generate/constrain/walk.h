// Walks of tokens through everything that a text may be: states above frames, going on below a frame where it is left.
#pragma once

#include <utility>

#include "core/limits.h"
#include "generate/constrain/masks.h"
#include "generate/constrain/spelling.h"

namespace linnet::constrain {

/// A set of threads in `base`, which is a frame of the text's own. Where they are in a local repetition, that belongs to the state, with
/// counts no larger than matters within one token; what was cut off is here.
struct Window {
  uint32_t base, state;
  uint32_t node;  // of the repetition, or kNone
  uint32_t more_need, more_room;
  friend bool operator==(const Window& a, const Window& b) noexcept {
    return a.base == b.base && a.state == b.state && a.node == b.node && a.more_need == b.more_need && a.more_room == b.more_room;
  }
};

/// What a compiled grammar's texts need while they are written, whichever text it is.
struct Workspace {
  Workspace(const Program& program, const TokenTrie& trie) noexcept
      : states(program), masks(trie), spelling(program, trie), expansion(program) {}
  Status create() noexcept;
  /// Forgets what was kept where it has become too much. Numbers of states mean nothing afterwards.
  void tidy() noexcept;

  States states;
  Masks masks;
  Spelling spelling;
  Expansion expansion;  // over the text's frames
  core::Array<uint64_t> bits;
};

class Walk {
 public:
  /// `frames` are the text's; they may grow.
  Walk(const Program& program, const TokenTrie& trie, Frames* frames, Workspace* work) noexcept
      : program_(program), trie_(trie), frames_(*frames), work_(*work) {}

  /// Sets the bits of the tokens behind which `threads` can come to their end with `budget` more tokens.
  Status allow(std::span<const Thread> threads, uint32_t budget, std::span<uint64_t> bits) noexcept;
  /// The threads behind `token`, the one that ends soonest first, and whether the text may end there.
  Status follow(std::span<const Thread> threads, std::string_view token, core::Array<Thread>* after, bool* ends) noexcept;
  /// The fewest tokens from the threads to an end; kNone where that cannot be counted.
  Result<uint32_t> tokens(std::span<const Thread> threads) noexcept;

 private:
  struct Exit {
    uint32_t base, begin, count;  // of exits_windows_
    bool ends;
    uint64_t followed[core::limits::kConstraintToken / 64 + 1] = {};  // [byte of the token behind which it was taken]: bits
    bool is_followed(size_t at) noexcept {
      return std::exchange(followed[at / 64], followed[at / 64] | uint64_t{1} << at % 64) >> at % 64 & 1;
    }
  };

  Status open(std::span<const Thread> threads, size_t most, core::Array<Window>* windows) noexcept;
  Result<Thread> cut(const Thread& thread, Window* window) noexcept;
  Result<Exit*> exit(uint32_t base) noexcept;
  Status advance(const Window& window, uint8_t byte, size_t begin, bool* ends) noexcept;
  Status add_window(const Window& window, size_t begin) noexcept;
  Status allow_window(const Window& window, uint32_t budget, std::span<uint64_t> bits) noexcept;
  Status allow_groups(const Window& window, const Mask& mask, uint32_t budget, std::span<uint64_t> bits) noexcept;
  Status allow_below(uint32_t node, const Exit& exit, uint32_t budget, std::span<uint64_t> bits) noexcept;
  Result<bool> fits(const Window& window, uint32_t budget) noexcept;
  uint32_t cost_below(const Window& window) const noexcept;
  bool is_shallow(const Window& window, const Thread& thread) const noexcept;
  uint32_t least_cost(const Window& window) const noexcept;
  Result<uint32_t> exact(const Window& window, uint32_t least) noexcept;
  Status settle(const Window& window, core::Array<Thread>* threads) noexcept;
  Status follow_exit(uint32_t base, std::string_view token, size_t at, core::Array<Thread>* threads, bool* ends) noexcept;
  void keep_soonest(core::Array<Thread>* threads) const noexcept;

  const Program& program_;
  const TokenTrie& trie_;
  Frames& frames_;
  Workspace& work_;
  core::Array<Window> windows_;  // along a path of the trie: a stack of sets
  core::Array<Window> exit_windows_;
  core::Array<Exit> exits_;
  core::Array<uint32_t> exit_of_;  // by frame, plus one; 0: not looked for
  uint32_t work_done_ = 0, settled_ = 0;
  core::Array<Thread> scratch_;
};

}  // namespace linnet::constrain
