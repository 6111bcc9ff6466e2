// The fixed header of a .linnet file, little-endian. FORMAT.md draws it.
#pragma once

#include <cstddef>
#include <cstdint>

namespace linnet::format {

constexpr uint8_t kMagic[8] = {'L', 'I', 'N', 'N', 'E', 'T', '\r', '\n'};
constexpr uint32_t kVersion = 1;  // of the header and the rules; contents grow by requirements instead
constexpr uint64_t kMetadataAlignment = 64;
constexpr uint64_t kWeightAlignment = 16384;  // the largest page of the systems we run on
constexpr uint64_t kTensorAlignment = 64;

struct Header {
  uint8_t magic[8];
  uint32_t version;
  uint32_t header_bytes;  // 64; a newer writer may make it longer
  uint64_t file_bytes;
  uint64_t metadata_offset;  // a multiple of 64
  uint64_t metadata_bytes;
  uint64_t weight_offset;      // a multiple of 16384
  uint64_t metadata_checksum;  // checksum() of the structural part
  uint64_t header_checksum;    // checksum() of the header with this field 0
};
static_assert(sizeof(Header) == 64);

/// FNV-1a's steps over little-endian 64-bit words, the rest padded with zeros, four interleaved lanes joined at the end (FORMAT.md).
/// Never 0. Against accidents, not against forgers.
uint64_t checksum(const void* data, size_t bytes) noexcept;

}  // namespace linnet::format
