// One text that keeps to a compiled grammar, and what all texts of that grammar share.
#pragma once

#include <atomic>

#include "generate/constrain/walk.h"

namespace linnet::constrain {

/// A program for one vocabulary, counted by its readers. A workspace is lent to one reader at a time; those that find none make their own.
struct Compiled {
  Compiled(Program&& compiled, TokenTrie* tokens) noexcept : program(std::move(compiled)), trie(tokens) { trie->retain(); }
  ~Compiled();
  Compiled(const Compiled&) = delete;

  Result<Workspace*> take() noexcept;
  void give(Workspace* workspace) noexcept;

  Program program;
  TokenTrie* trie;  // counted
  uint32_t shortest = 0;
  std::atomic<uint32_t> references{1};
  std::atomic<Workspace*> spare{nullptr};
};

/// Compiles and makes sure that the vocabulary spells what is needed. The caller holds the one reference.
Result<Compiled*> compile_for(const Grammar& grammar, TokenTrie* trie) noexcept;
void release(Compiled* compiled) noexcept;
void release(TokenTrie* trie) noexcept;

class Reader {
 public:
  explicit Reader(Compiled* compiled) noexcept : compiled_(*compiled), frames_(compiled->program) { ++compiled->references; }
  ~Reader() { release(&compiled_); }
  Reader(const Reader&) = delete;

  Status create() noexcept;
  Status reset() noexcept;
  Status copy(const Reader& other) noexcept;

  Status allowed(uint32_t budget, std::span<uint64_t> bits) noexcept;
  Status accept(int32_t id) noexcept;
  Result<uint32_t> remaining() noexcept;
  bool may_end() const noexcept { return may_end_; }
  bool finished() const noexcept { return ended_ || (may_end_ && threads_.empty()); }
  Compiled& compiled() const noexcept { return compiled_; }

 private:
  Status rebuild(const Frames& frames, std::span<const Thread> threads) noexcept;
  Result<uint32_t> remaining_with(Workspace* work) noexcept;

  Compiled& compiled_;
  Frames frames_;
  core::Array<Thread> threads_;
  bool may_end_ = false, ended_ = false;
};

}  // namespace linnet::constrain
