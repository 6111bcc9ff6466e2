// Builds the double array that lib/text/trie.h walks.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace linnet::convert {

struct TrieKey {
  std::string key;  // not empty, without zero bytes, unlike all others
  uint32_t value;   // below 2^31
};

std::vector<uint32_t> build_trie(std::vector<TrieKey> keys);

}  // namespace linnet::convert
