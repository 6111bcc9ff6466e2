// The operations of this build, one constant per file, and what several of them share.
#pragma once

#include <algorithm>

#include "ops/operation.h"

namespace linnet::ops {

extern const Operation embed_operation, linear_operation, quantize_operation, turn_operation, norm_operation, rotary_angles_operation,
    rotary_operation, append_operation, attention_operation, unary_operation, binary_operation, binary_constant_operation, gate_operation,
    scale_operation, softcap_operation, select_rows_operation, prepend_operation, pool_operation, slice_operation, concat_operation,
    clamp_operation, route_operation, experts_operation, shift_right_operation, ngram_attention_operation, patchify_operation,
    join_rows_operation, place_rows_operation, grid_embed_operation, pool_token_operation;

/// The same number of rows for every call and for every sequence of it, however it was written down.
bool same_rows(const format::Rows& a, const format::Rows& b) noexcept;
/// One row for each unit of `symbol` and nothing else.
bool is_symbol(const format::Rows& rows, schema::Symbol symbol) noexcept;

/// Whether `columns` can be turned by the Hadamard matrix, `block` at a time.
bool turnable(uint32_t block, uint32_t columns) noexcept;

/// The state that an operation reads; -1 = none.
int32_t state_read(const Node& node) noexcept;

/// The operation's name in sentences: "Norm".
const char* name_of(const Node& node) noexcept;

inline const float* numbers(std::span<const Tensor> tensors, int32_t index) {
  return index < 0 ? nullptr : reinterpret_cast<const float*>(tensors[static_cast<size_t>(index)].data);
}

/// schema::Function and kernels::Activation have the same numbers; `known` is for options that come from a file.
inline kernels::Activation activation(schema::Function function) { return static_cast<kernels::Activation>(function); }
inline bool known(schema::Function function) { return function <= schema::Function::MAX; }

/// Shares `count` items among the workers in pieces worth waking one for: body(first, last, worker).
template <class Body>
void parallel_pieces(const RunContext& context, size_t count, size_t piece, Body&& body) {
  context.parallel((count + piece - 1) / piece,
                   [&](size_t index, size_t worker) { body(index * piece, std::min(count, (index + 1) * piece), worker); });
}

/// Rows of `columns` numbers that make a piece of about 4096 numbers.
inline size_t rows_per_piece(size_t columns) { return std::max<size_t>(1, 4096 / std::max<size_t>(1, columns)); }

}  // namespace linnet::ops
