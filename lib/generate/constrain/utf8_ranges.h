// A range of characters as sequences of byte ranges, after the method of utf8-ranges (Russ Cox, "Regular Expression Matching in the Wild").
#pragma once

#include <cstdint>

namespace linnet::constrain {

struct Utf8Sequence {
  uint32_t length = 0;
  uint8_t low[4], high[4];
};

/// Cuts a range without surrogates into pieces whose characters have the same length and differ in whole trailing bytes only.
class Utf8Sequences {
 public:
  Utf8Sequences(char32_t first, char32_t last) noexcept : next_(first), last_(last) {}
  bool next(Utf8Sequence* sequence) noexcept;

 private:
  char32_t next_, last_;
};

}  // namespace linnet::constrain
