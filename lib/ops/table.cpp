// Every operation of this build. A build that leaves operations out leaves their lines out; files that need them are refused by name.
#include <cstring>

#include "core/checked.h"
#include "ops/operations.h"

namespace linnet::ops {
namespace {

const Operation* const kOperations[] = {
    &embed_operation,  &linear_operation, &quantize_operation,  &turn_operation,        &norm_operation,    &rotary_angles_operation,
    &rotary_operation, &append_operation, &attention_operation, &unary_operation,       &binary_operation,  &binary_constant_operation,
    &gate_operation,   &scale_operation,  &softcap_operation,   &select_rows_operation, &prepend_operation, &pool_operation,
    &slice_operation,  &concat_operation, &clamp_operation,     &route_operation,       &experts_operation,
    &shift_right_operation, &ngram_attention_operation,
    &patchify_operation, &join_rows_operation, &place_rows_operation, &grid_embed_operation, &pool_token_operation,
};
constexpr std::string_view kPrefix = "operation:";

}  // namespace

const Operation* operation(schema::Options type) noexcept {
  for (const Operation* candidate : kOperations)
    if (candidate->type == type) return candidate;
  return nullptr;
}

const Operation* operation_by_name(std::string_view name) noexcept {
  for (const Operation* candidate : kOperations)
    if (name == candidate->name + kPrefix.size()) return candidate;
  return nullptr;
}

uint64_t value_bytes(const Value& value, uint64_t rows) noexcept {
  if (value.type == schema::ValueType::q8) return kernels::quantized_rows_bytes(rows, value.columns);
  return core::round_up(rows * value.columns * 4, kernels::kLine);
}

}  // namespace linnet::ops
