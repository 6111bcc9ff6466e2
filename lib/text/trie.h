// Keys by their bytes in a double array, in the layout of Darts-clone that SentencePiece's files have: has_leaf is bit 8 of a unit, the
// label bits 0-7 (and 31, so that values match no byte), the offset bits 10-30, times 256 where bit 9 is set. Nothing about the units is
// trusted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace linnet::text {

class Trie {
 public:
  Trie() noexcept = default;
  /// `bytes` holds `count` little-endian units; no alignment is needed.
  Trie(const uint8_t* bytes, size_t count) noexcept : bytes_(bytes), count_(count) {}

  bool empty() const noexcept { return count_ == 0; }
  /// Where walks begin; only in a trie that is not empty.
  size_t root() const noexcept { return offset(unit(0)); }
  /// Follows `byte`. False when no key goes on so. `value` is that of the key that ends here, or -1.
  bool step(size_t* node, uint8_t byte, int32_t* value) const noexcept {
    const size_t next = *node ^ byte;
    if (byte == 0 || next >= count_) return false;
    const uint32_t found = unit(next);
    if ((found & 0x800000FFu) != byte) return false;
    *node = next ^ offset(found);
    *value = -1;
    if ((found & 0x100u) != 0) {
      if (*node >= count_) return false;
      *value = static_cast<int32_t>(unit(*node) & 0x7FFFFFFFu);
    }
    return true;
  }

 private:
  uint32_t unit(size_t index) const noexcept {
    uint32_t value;
    std::memcpy(&value, bytes_ + index * 4, 4);
    return value;
  }
  static size_t offset(uint32_t unit) noexcept { return static_cast<size_t>(unit >> 10) << ((unit & 0x200u) >> 6); }

  const uint8_t* bytes_ = nullptr;
  size_t count_ = 0;
};

}  // namespace linnet::text
