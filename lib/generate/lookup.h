// Drafts from the text itself (prompt lookup decoding): what followed the last time that the latest ids occurred.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/array.h"

namespace linnet::generation {

/// All ids so far, indexed by their pairs. Adding and proposing take constant time and, up to `capacity` ids, no memory.
class Lookup {
 public:
  /// Errors: out_of_memory. Ids beyond `capacity` are ignored.
  static Result<Lookup> create(size_t capacity) noexcept;

  void add(std::span<const int32_t> ids) noexcept;
  /// Writes the ids that followed the occurrence which agrees with the end for the longest stretch (of equal ones the latest), at most
  /// out.size(). `match` gets that stretch's length. Returns how many; 0 where the last two ids are new.
  size_t propose(std::span<int32_t> out, size_t* match) const noexcept;

 private:
  static constexpr uint32_t kNone = UINT32_MAX;
  static constexpr size_t kCandidates = 16, kLongestMatch = 32;
  size_t slot(size_t end) const noexcept;
  size_t agreement(size_t earlier, size_t end) const noexcept;

  core::Array<int32_t> ids_;
  core::Array<uint32_t> latest_;    // [hash of a pair]: position of its second id
  core::Array<uint32_t> previous_;  // [position]: the one before with the same hash
  size_t capacity_ = 0;
};

}  // namespace linnet::generation
