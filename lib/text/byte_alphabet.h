// The printable characters that byte-level tokenizers write bytes as: 33-126, 161-172 and 174-255 as themselves, the other 68 as U+0100 on.
#pragma once

#include <array>
#include <cstdint>

namespace linnet::text {

constexpr bool is_printable_byte(uint32_t byte) noexcept {
  return (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
}

constexpr std::array<uint16_t, 256> make_byte_alphabet() noexcept {
  std::array<uint16_t, 256> alphabet{};
  uint16_t next = 0x100;
  for (uint32_t byte = 0; byte < 256; ++byte) alphabet[byte] = is_printable_byte(byte) ? static_cast<uint16_t>(byte) : next++;
  return alphabet;
}

inline constexpr std::array<uint16_t, 256> kByteAlphabet = make_byte_alphabet();

/// -1 for characters outside the alphabet.
constexpr int32_t byte_of(char32_t code) noexcept {
  if (code < 256) return is_printable_byte(code) ? static_cast<int32_t>(code) : -1;
  if (code >= 0x144) return -1;
  const uint32_t i = code - 0x100;  // bytes 0-32, 127-160, 173
  return static_cast<int32_t>(i < 33 ? i : i < 67 ? i - 33 + 127 : 173);
}

}  // namespace linnet::text
