#include "ops/page.h"

#include "core/checked.h"

namespace linnet::ops {
namespace {

size_t row_bytes(uint32_t width, kernels::StateEncoding encoding) {
  switch (encoding) {
    case kernels::StateEncoding::f32: return size_t{width} * 4;
    case kernels::StateEncoding::f16: return size_t{width} * 2;
    default: return width;
  }
}

}  // namespace

uint64_t lay_out_state(const format::State& state, kernels::StateEncoding encoding, uint64_t offset, StateLayout* layout) noexcept {
  layout->encoding = encoding;
  layout->heads = state.heads;
  layout->key_width = state.key_width;
  layout->value_width = state.value_width;
  layout->key_row = row_bytes(state.key_width, encoding);
  layout->value_row = row_bytes(state.value_width, encoding);
  const auto place = [&](uint64_t bytes) {
    const uint64_t at = offset;
    offset += core::round_up(bytes, 64);
    return static_cast<size_t>(at);   // a page that cannot be addressed is refused by whoever asked
  };
  layout->keys = place(uint64_t{state.heads} * kPagePositions * layout->key_row);
  layout->values = place(uint64_t{state.heads} * kPagePositions * layout->value_row);
  const uint64_t scales = encoding == kernels::StateEncoding::int8 ? uint64_t{state.heads} * kPagePositions * sizeof(float) : 0;
  layout->key_scales = place(scales);
  layout->value_scales = place(state.value_width ? scales : 0);
  return offset;
}

}  // namespace linnet::ops
