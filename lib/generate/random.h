// Random numbers by their place in a stream (splitmix64): the same everywhere, and none depends on how many were drawn before it.
#pragma once

#include <cstdint>

namespace linnet::generation {

constexpr uint64_t kGolden = 0x9e3779b97f4a7c15u;

constexpr uint64_t mix(uint64_t z) noexcept {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

/// Streams of one seed, and the same stream of different seeds, are unrelated.
constexpr uint64_t stream_key(uint64_t seed, uint32_t stream) noexcept { return mix(mix(seed + kGolden) + stream * kGolden); }

/// In [0, 1).
constexpr double uniform(uint64_t key, uint64_t place) noexcept {
  return static_cast<double>(mix(key + (place + 1) * kGolden) >> 11) * 0x1p-53;
}

}  // namespace linnet::generation
