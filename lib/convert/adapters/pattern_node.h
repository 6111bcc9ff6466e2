// What a pattern is made of.
#pragma once

#include <bitset>
#include <vector>

#include "convert/adapters/pattern.h"

namespace linnet::convert {

using LetterSet = std::bitset<256>;

struct Pattern::Node {
  enum Kind { set, begin, end, boundary, no_boundary, group, repeat, ahead, not_ahead } kind = set;
  LetterSet letters;
  std::vector<std::vector<Node>> branches;  // group, look-ahead: alternatives; repeat: one branch of one node
  size_t least = 0, most = 0;
};

/// \d, \w, \s and their complements; empty for other letters.
LetterSet class_of(char letter);
/// Throws Error naming the pattern and what in it is not understood.
Pattern::Node parse_pattern(const std::string& text);

}  // namespace linnet::convert
