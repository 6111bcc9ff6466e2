// Pieces by id and ids by piece, read from the model's own tables without building anything: the converter has written the hashes.
// Both are open-addressed with linear probing over a power of two of buckets; a bucket holds an index plus one, 0 is empty.
#pragma once

#include <cstdint>
#include <string_view>

#include "linnet/status.h"
#include "linnet_generated.h"
#include "text/trie.h"

namespace linnet::text {

/// FNV-1a.
constexpr uint32_t hash_bytes(std::string_view bytes) noexcept {
  uint32_t hash = 2166136261u;
  for (char byte : bytes) hash = (hash ^ static_cast<uint8_t>(byte)) * 16777619u;
  return hash ^ hash >> 15;
}

constexpr uint32_t hash_pair(uint32_t left, uint32_t right) noexcept {
  uint64_t mixed = (static_cast<uint64_t>(left) << 32 | right) * 0x9e3779b97f4a7c15u;
  return static_cast<uint32_t>(mixed >> 32);
}

enum class PieceType : uint8_t { normal = 1, unknown = 2, control = 3, user_defined = 4, unused = 5, byte = 6 };

class Vocabulary {
 public:
  /// Checks both hashes: the only tables that opening a file does not look into. Keeps a pointer to `table`.
  Status create(const schema::Tokenizer& table) noexcept;

  size_t size() const noexcept { return pieces_; }
  /// "" outside the pieces.
  std::string_view piece(int32_t id) const noexcept;
  PieceType type(int32_t id) const noexcept {
    return types_ ? static_cast<PieceType>(types_->Get(static_cast<uint32_t>(id))) : PieceType::normal;
  }
  float score(int32_t id) const noexcept { return scores_ ? scores_->Get(static_cast<uint32_t>(id)) : 0; }
  bool has_scores() const noexcept { return scores_ != nullptr; }
  bool has_merges() const noexcept { return merge_buckets_ != nullptr; }
  /// Over the pieces that text can become, by their bytes; empty where the model does not need it.
  Trie trie() const noexcept { return trie_; }
  /// Bytes of the longest piece.
  size_t longest() const noexcept { return longest_; }
  /// -1 when there is none.
  int32_t find(std::string_view piece) const noexcept;

  struct Merge {
    uint32_t rank;
    int32_t result;  // -1: the pair does not merge
  };
  Merge merge(int32_t left, int32_t right) const noexcept;

 private:
  Status check_buckets(const char* what, const flatbuffers::Vector<uint32_t>* buckets, size_t entries) const noexcept;

  const uint8_t* bytes_ = nullptr;
  const flatbuffers::Vector<uint32_t>*ends_ = nullptr, *buckets_ = nullptr, *merge_buckets_ = nullptr;
  const flatbuffers::Vector<uint32_t>*merges_ = nullptr, *merge_results_ = nullptr;
  const flatbuffers::Vector<uint8_t>* types_ = nullptr;
  const flatbuffers::Vector<float>* scores_ = nullptr;
  size_t pieces_ = 0, longest_ = 0;
  Trie trie_;
};

}  // namespace linnet::text
