#include <doctest/doctest.h>

#include "ops/operations.h"
#include "trial.h"

using namespace linnet;
using namespace linnet::test;

TEST_CASE("a page holds keys, values and int8 scales of every head, each from a multiple of 64 on") {
  format::State state;
  state.heads = 3;
  state.key_width = 20;
  state.value_width = 12;
  ops::StateLayout layout;
  CHECK(ops::lay_out_state(state, kernels::StateEncoding::f16, 128, &layout) == 128 + 3 * 64 * 40 + 3 * 64 * 24);
  CHECK(layout.keys == 128);
  CHECK(layout.values == 128 + 3 * 64 * 40);
  CHECK(layout.key_row == 40);
  CHECK(ops::lay_out_state(state, kernels::StateEncoding::int8, 0, &layout) == 3 * 64 * (20 + 12) + 2 * 3 * 256);
  CHECK(layout.key_scales == 3 * 64 * 32);
  CHECK(layout.value_scales == 3 * 64 * 32 + 3 * 256);
  state.value_width = 0;
  CHECK(ops::lay_out_state(state, kernels::StateEncoding::int8, 0, &layout) == 3 * 64 * 20 + 3 * 256);
  const std::vector<uint8_t> memory(3 * 64 * 20 + 3 * 256);
  const uint8_t* page = memory.data();
  CHECK(ops::key_rows(layout, page, 2).data == page + 2 * 64 * 20);
  CHECK(reinterpret_cast<const uint8_t*>(ops::key_rows(layout, page, 2).scale) == page + 3 * 64 * 20 + 2 * 256);
}
