// What every token adds to a text, as a trie over bytes in depth-first order: a subtree is a run of nodes, and a walk skips it by one jump.
#pragma once

#include <atomic>
#include <span>

#include "core/array.h"
#include "linnet/tokenizer.h"

namespace linnet::constrain {

constexpr uint32_t kNone = UINT32_MAX;
constexpr uint32_t kLongestSpelled = 64;  // bytes of a token that counting tokens looks at

struct TrieNode {
  uint32_t end;    // the node behind its subtree
  uint32_t first;  // its tokens are ids[first] up to the next node's first
  uint16_t depth;  // bytes up to and with its own
  uint8_t byte;
};

class TokenTrie {
 public:
  /// Fails where a decoder's tokens do not stand for fixed bytes (unsupported, by the stage's name).
  Status create(const Tokenizer& tokenizer, std::span<const int32_t> eos, size_t model_vocabulary = 0) noexcept;

  /// One more than the largest id.
  size_t vocabulary() const noexcept { return vocabulary_; }
  std::span<const int32_t> eos() const noexcept { return {eos_.data(), eos_.size()}; }
  bool is_eos(int32_t id) const noexcept;
  /// Bytes of the longest token.
  uint32_t longest() const noexcept { return longest_; }
  /// What `id` adds; "" for special tokens and those that are never allowed.
  std::string_view bytes(int32_t id) const noexcept;

  uint32_t size() const noexcept { return static_cast<uint32_t>(nodes_.size() - 1); }
  const TrieNode& node(uint32_t index) const noexcept { return nodes_[index]; }
  std::span<const int32_t> tokens(uint32_t index) const noexcept {
    return {ids_.data() + nodes_[index].first, nodes_[index + 1].first - nodes_[index].first};
  }
  /// The bytes up to and with a node.
  std::string_view bytes_of(uint32_t index) const noexcept { return bytes(ids_[nodes_[index].first]).substr(0, nodes_[index].depth); }
  bool has_token(uint32_t index) const noexcept { return nodes_[index].first != nodes_[index + 1].first; }
  /// The node of a first byte, and of a byte behind a node; kNone where no token goes on so.
  uint32_t root(uint8_t byte) const noexcept { return roots_[byte]; }
  uint32_t child(uint32_t index, uint8_t byte) const noexcept;
  /// Whether some token is this one byte.
  bool spells(uint8_t byte) const noexcept { return roots_[byte] != kNone && has_token(roots_[byte]); }

  /// The fewest tokens that spell text[at..], given those of the ends behind it in costs[at + 1..]; kNone where none do.
  uint32_t fewest_tokens(std::string_view text, size_t at, const uint32_t* costs) const noexcept;

  void retain() noexcept { references_.fetch_add(1, std::memory_order_relaxed); }
  /// True for the last one.
  bool release() noexcept { return references_.fetch_sub(1, std::memory_order_acq_rel) == 1; }

 private:
  Status collect(const Tokenizer& tokenizer) noexcept;
  Status build() noexcept;

  core::Array<TrieNode> nodes_;  // and one behind the last
  core::Array<int32_t> ids_;     // in the order of their bytes
  core::Array<char> bytes_;
  core::Array<uint32_t> begins_;  // by id, and one behind the last
  core::Array<int32_t> eos_;
  uint32_t roots_[256];
  size_t vocabulary_ = 0;
  uint32_t longest_ = 0;
  std::atomic<uint32_t> references_{1};
};

}  // namespace linnet::constrain
