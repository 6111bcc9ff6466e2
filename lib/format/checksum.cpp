#include <bit>
#include <cstring>

#include "format/header.h"

namespace linnet::format {
namespace {

constexpr uint64_t kPrime = 0x100000001b3u;
constexpr uint64_t kBasis = 0xcbf29ce484222325u;
constexpr size_t kLanes = 4;  // four chains run side by side, so that the multiplications' latency is hidden

// A multiplication carries upwards only: without the fold, two words with a wrong highest bit would cancel.
uint64_t mix(uint64_t state, uint64_t word) {
  state = (state ^ word) * kPrime;
  return state ^ state >> 32;
}

void mix_lanes(uint64_t* lanes, const uint8_t* bytes) {
  for (size_t i = 0; i < kLanes; ++i) {
    uint64_t word;
    std::memcpy(&word, bytes + i * sizeof word, sizeof word);
    lanes[i] = mix(lanes[i], word);
  }
}

}  // namespace

static_assert(std::endian::native == std::endian::little, "the file format is little-endian");

uint64_t checksum(const void* data, size_t bytes) noexcept {
  constexpr size_t kStep = kLanes * sizeof(uint64_t);
  uint64_t lanes[kLanes] = {kBasis, kBasis + 1, kBasis + 2, kBasis + 3};
  const uint8_t* at = static_cast<const uint8_t*>(data);
  size_t left = bytes;
  for (; left >= kStep; left -= kStep, at += kStep) mix_lanes(lanes, at);
  if (left > 0) {
    uint8_t last[kStep] = {};
    std::memcpy(last, at, left);
    mix_lanes(lanes, last);
  }
  uint64_t sum = mix(kBasis, bytes);
  for (uint64_t lane : lanes) sum = mix(sum, lane);
  return sum != 0 ? sum : 1;  // 0 means "none stored"
}

}  // namespace linnet::format
