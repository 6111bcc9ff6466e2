#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "format/header.h"

using linnet::format::checksum;

namespace {

// FORMAT.md's definition, word for word and byte by byte.
uint64_t defined(const std::vector<uint8_t>& bytes) {
  const uint64_t prime = 1099511628211u, basis = 14695981039346656037u;
  auto step = [&](uint64_t state, uint64_t word) {
    state = (state ^ word) * prime;
    return state ^ (state >> 32);
  };
  std::vector<uint64_t> words;
  for (size_t i = 0; i < (bytes.size() + 31) / 32 * 4; ++i) {
    uint64_t word = 0;
    for (size_t b = 0; b < 8; ++b)
      if (i * 8 + b < bytes.size()) word |= uint64_t{bytes[i * 8 + b]} << (8 * b);
    words.push_back(word);
  }
  uint64_t lanes[4] = {basis, basis + 1, basis + 2, basis + 3};
  for (size_t i = 0; i < words.size(); ++i) lanes[i % 4] = step(lanes[i % 4], words[i]);
  uint64_t sum = step(basis, bytes.size());
  for (uint64_t lane : lanes) sum = step(sum, lane);
  return sum ? sum : 1;
}

}  // namespace

TEST_CASE("checksums of known texts are those of FORMAT.md") {
  CHECK(checksum("", 0) == 0x56ca11b99aa669e7u);
  CHECK(checksum("Linnet", 6) == 0x5320d5da0556c01cu);
  std::vector<uint8_t> counting(256);
  for (size_t i = 0; i < 256; ++i) counting[i] = static_cast<uint8_t>(i);
  CHECK(checksum(counting.data(), 256) == 0x9cd414882f6242b0u);
}

TEST_CASE("the checksum follows its definition for every length and any alignment") {
  std::vector<uint8_t> bytes;
  for (size_t length = 0; length < 200; ++length) {
    CHECK(checksum(bytes.data(), bytes.size()) == defined(bytes));
    std::vector<uint8_t> shifted(3, 0xee);
    shifted.insert(shifted.end(), bytes.begin(), bytes.end());
    CHECK(checksum(shifted.data() + 3, bytes.size()) == defined(bytes));
    bytes.push_back(static_cast<uint8_t>(length * 37 + 11));
  }
}

TEST_CASE("every flipped bit, and every pair of flipped highest bits, changes the checksum") {
  std::vector<uint8_t> bytes(96);
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<uint8_t>(i * 73 + 5);
  const uint64_t right = checksum(bytes.data(), bytes.size());
  for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    bytes[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
    CHECK(checksum(bytes.data(), bytes.size()) != right);
    bytes[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
  }
  // A line of memory that is stuck flips the same bit of many words.
  for (size_t a = 7; a < bytes.size(); a += 8)
    for (size_t b = a + 8; b < bytes.size(); b += 8) {
      bytes[a] ^= 0x80, bytes[b] ^= 0x80;
      CHECK(checksum(bytes.data(), bytes.size()) != right);
      bytes[a] ^= 0x80, bytes[b] ^= 0x80;
    }
}

TEST_CASE("zeros of different lengths have different checksums, none of them 0") {
  std::vector<uint8_t> zeros(129);
  std::vector<uint64_t> sums;
  for (size_t length = 0; length <= zeros.size(); ++length) {
    sums.push_back(checksum(zeros.data(), length));
    CHECK(sums.back() != 0);
    for (size_t i = 0; i + 1 < sums.size(); ++i) CHECK(sums[i] != sums.back());
  }
}
