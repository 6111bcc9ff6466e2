// Token state as operations see it: pages of 64 positions. A page holds, for every state of its retention group, keys and values of
// every head: [head][64][key_width], [head][64][value_width] in the state's encoding, and for int8 one scale per row:
// [head][64] f32 for keys, then for values. Every part starts on a multiple of 64 bytes.
#pragma once

#include <cstddef>
#include <cstdint>

#include "format/program.h"
#include "kernels/attention_kernels.h"

namespace linnet::ops {

constexpr uint32_t kPagePositions = 64;
static_assert(kPagePositions == kernels::kBlockPositions);

/// Where one state lies within a page, in bytes from the page's start.
struct StateLayout {
  kernels::StateEncoding encoding = kernels::StateEncoding::f32;
  uint32_t heads = 0, key_width = 0, value_width = 0;
  size_t key_row = 0, value_row = 0;            // bytes of one row
  size_t keys = 0, values = 0;                  // offset of head 0; head h: + h * 64 * row bytes
  size_t key_scales = 0, value_scales = 0;      // int8: offset of head 0's scales; head h: + h * 256
};

/// Lays one state out at `offset` within a page; returns the offset behind it (a multiple of 64).
uint64_t lay_out_state(const format::State& state, kernels::StateEncoding encoding, uint64_t offset, StateLayout* layout) noexcept;

/// One sequence's pages of one state's retention group: position p lies in pages[p / 64 - first_page].
struct StatePages {
  uint8_t* const* pages = nullptr;
  uint32_t first_page = 0;      // pages before it are gone (a window)
  uint32_t first_position = 0;  // positions before it are gone
  uint32_t length = 0;          // committed positions
};

inline kernels::StateRows key_rows(const StateLayout& layout, const uint8_t* page, size_t head) {
  return {page + layout.keys + head * kPagePositions * layout.key_row, layout.key_row,
          reinterpret_cast<const float*>(page + layout.key_scales + head * kPagePositions * sizeof(float)), layout.encoding};
}
inline kernels::StateRows value_rows(const StateLayout& layout, const uint8_t* page, size_t head) {
  return {page + layout.values + head * kPagePositions * layout.value_row, layout.value_row,
          reinterpret_cast<const float*>(page + layout.value_scales + head * kPagePositions * sizeof(float)), layout.encoding};
}

}  // namespace linnet::ops
