// Linnet: prompts that begin like earlier ones are not computed again. The cache remembers which ids each sequence of a session holds and
// hands out the sequence that already has the most of a new prompt: the next turn of a chat, a system text that many requests share.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "linnet/session.h"

namespace linnet {

/// Keeps the sequences it made alive and gives the longest unused ones up when the session is full. One thread uses it at a time.
/// The outputs are those of a fresh sequence, bit for bit: state depends on the ids before it, on the adapter that they were computed with, and
/// on nothing else.
class LINNET_API PromptCache {
 public:
  /// `session` must outlive the cache. Up to `sequences` are kept, 0 = all that the session's plan has.
  /// Errors: invalid_argument (more than planned, with both numbers), out_of_memory.
  static Result<PromptCache> create(Session* session, uint32_t sequences = 0) noexcept;
  PromptCache(PromptCache&& other) noexcept;
  PromptCache& operator=(PromptCache&&) = delete;
  ~PromptCache();  ///< removes the sequences that are not in use

  struct Start {
    SequenceId sequence = 0;
    uint32_t held = 0;  ///< ids of the prompt that the sequence already holds: go on with prompt[held]
  };
  /// A sequence that holds a beginning of `prompt`, as long a one as any kept sequence has. At least the last id is always left to be
  /// computed, because its logits are what a caller wants. The sequence is the caller's until end().
  /// It uses `adapter`, and what it holds was computed with that one alone. What is kept goes on using it: clear() comes before
  /// Session::detach.
  /// Errors: invalid_argument (an empty prompt; no such adapter), context_full (every sequence is in use).
  Result<Start> begin(std::span<const int32_t> prompt, AdapterId adapter = kNoAdapter) noexcept;
  /// Gives the sequence back. `ids` are all that were fed to it, in order, the prompt first; ids behind the sequence's committed
  /// length (the last one drawn) are allowed and ignored. Errors: invalid_argument (not in use, or fewer ids than positions: then the
  /// sequence is removed, because what it holds is not known).
  Status end(SequenceId sequence, std::span<const int32_t> ids) noexcept;
  /// Takes in a sequence of the session that holds `ids` (one that was restored from a file). Errors: invalid_argument (it holds another
  /// number, or is in the cache already), context_full (no place); then it stays the caller's.
  Status adopt(SequenceId sequence, std::span<const int32_t> ids) noexcept;
  /// The unused sequence that holds exactly `ids`, or -1: to save it.
  int64_t find(std::span<const int32_t> ids) const noexcept;
  /// Removes every sequence that is not in use.
  void clear() noexcept;

  struct Impl;

 private:
  explicit PromptCache(Impl* impl) noexcept : impl_(impl) {}
  Impl* impl_;
};

}  // namespace linnet
