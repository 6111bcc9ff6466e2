// How many tokens the shortest end of a text takes. The least for its bytes, whatever the words that a tokenizer would cut it into.
#pragma once

#include <string_view>

#include "generate/constrain/stacks.h"

namespace linnet::constrain {

class Spelling {
 public:
  Spelling(const Program& program, const TokenTrie& trie) noexcept : program_(program), trie_(trie) {}
  /// Frames have been forgotten: so is what was known of them.
  void clear() noexcept;

  /// Tokens from a thread of `inner` frames to the end of everything below `base`, which is a frame of `outer`. `more`: repetitions that
  /// the frame marked outer needs besides its own count. kNone where no tokens spell it, or it is longer than limits::kConstraintShortest.
  Result<uint32_t> tokens(const Frames& inner, Thread thread, uint32_t more, const Frames& outer, uint32_t base) noexcept;
  /// Where the shortest text from a node of the root's cannot be spelled.
  struct Gap {
    bool found;
    char bytes[8];  // the character, zero-terminated
  };
  Result<Gap> find_gap(uint32_t node) noexcept;

 private:
  struct Head {
    uint32_t begin = kNone, size = 0;  // of the bytes; costs begin at the same place and are one more
  };
  struct Pending {
    uint32_t node, times;
  };
  Result<bool> spell(uint32_t node, uint32_t times) noexcept;
  Result<bool> spell_frame(const Frame& frame, uint32_t more) noexcept;
  Result<Head> head(const Frames& frames, uint32_t frame) noexcept;
  Status count(const Head& rest) noexcept;

  const Program& program_;
  const TokenTrie& trie_;
  core::Array<char> text_;
  core::Array<uint32_t> costs_;
  core::Array<Pending> pending_;
  core::Array<Head> heads_;  // by frame
  core::Array<char> head_bytes_;
  core::Array<uint32_t> head_costs_;
  core::Array<uint32_t> chain_;
};

}  // namespace linnet::constrain
