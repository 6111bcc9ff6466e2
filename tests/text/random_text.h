// Texts for property tests: the same in every run.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace linnet::tests {

class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  size_t below(size_t limit) {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return static_cast<size_t>((state_ >> 33) % limit);
  }

 private:
  uint64_t state_;
};

inline std::string random_bytes(Random& random, size_t length) {
  std::string bytes;
  for (size_t i = 0; i < length; ++i) bytes += static_cast<char>(random.below(256));
  return bytes;
}

/// Of a few characters that the scanners and normalizers treat each in their own way.
inline std::string random_characters(Random& random, size_t length) {
  static const std::vector<std::string> kCharacters = {"a",
                                                       "A",
                                                       "s",
                                                       "z",
                                                       "0",
                                                       "9",
                                                       " ",
                                                       " ",
                                                       "\t",
                                                       "\n",
                                                       "\r",
                                                       "'",
                                                       "'s",
                                                       ".",
                                                       ",",
                                                       "-",
                                                       "/",
                                                       "$",
                                                       "_",
                                                       "<",
                                                       "\xC3\xA9",
                                                       "\xC3\x9F",
                                                       "\xCC\x81",
                                                       "\xE4\xB8\xAD",
                                                       "\xE3\x81\x82",
                                                       "\xED\x95\x9C",
                                                       "\xC2\xA0",
                                                       "\xE3\x80\x80",
                                                       "\xE2\x80\x8B",
                                                       "\xF0\x9F\x98\x80",
                                                       "\xE2\x80\x8D",
                                                       "\xC2\xBD",
                                                       "\xEF\xAC\x81",
                                                       "\xE2\x96\x81",
                                                       "\xEF\xBF\xBD",
                                                       "##",
                                                       "[UNK]",
                                                       "<|end|>"};
  std::string text;
  for (size_t i = 0; i < length; ++i) text += kCharacters[random.below(kCharacters.size())];
  return text;
}

}  // namespace linnet::tests
