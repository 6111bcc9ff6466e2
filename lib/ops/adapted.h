// What operations with weights share where sequences of one batch have adapters: stretches of rows with the same one, and the product of a
// low-rank pair beside the base's. A row's result depends on its own sequence's adapter alone.
#pragma once

#include "ops/operations.h"

namespace linnet::ops {

/// Rows that go through an adapter's pair together; planned scratch holds so many.
constexpr size_t kAdaptedRows = 128;
/// Columns of a pair's result that one worker computes together.
constexpr size_t kAdaptedColumns = 64;

/// Calls work(first_row, rows, adapter) for stretches of the value's rows whose sequences agree in key(adapter), which is null for those
/// that the caller need not tell apart from a sequence without adapter.
template <class Key, class Work>
void for_each_stretch(const RunContext& context, uint32_t value, Key&& key, Work&& work) {
  const size_t rows = context.rows(value);
  size_t first = 0;
  for (size_t sequence = 0; sequence < context.sequences && first < rows;) {
    const AdapterFile* chosen = key(context.adapters[sequence]);
    while (++sequence < context.sequences && key(context.adapters[sequence]) == chosen) {
    }
    const Span last = context.span(value, sequence - 1);
    const size_t end = sequence == context.sequences ? rows : last.first + last.count;
    if (end > first) work(first, end - first, chosen);
    first = end;
  }
}

/// The adapter where it has a target on `tensor` that `wanted` accepts, else null: a key for stretches.
template <class Wanted>
const AdapterFile* with_target(const AdapterFile* adapter, int32_t tensor, Wanted&& wanted) {
  if (!adapter) return nullptr;
  for (const format::Target& target : adapter->targets_of(tensor))
    if (wanted(target)) return adapter;
  return nullptr;
}

/// The vector that an adapter puts in the place of a bias or a norm's numbers; the base's where it has none. Null where `tensor` is -1.
inline const float* numbers(const RunContext& context, int32_t tensor, const AdapterFile* adapter) {
  if (adapter)
    for (const format::Target& target : adapter->targets_of(tensor))
      if (target.kind == schema::TargetKind::replacement) return reinterpret_cast<const float*>(target.replacement.data);
  return numbers(context.tensors, tensor);
}

/// Bytes for the outputs of A for kAdaptedRows rows, and before them what else the caller keeps in shared scratch.
Scratch adapted_scratch(const PlanContext& context, uint64_t rows, uint64_t bytes_before);

/// A matrix's rows [first_row, end_row), of which the first goes to column `column` of `out`.
struct AdaptedOut {
  float* out;
  size_t stride, column;
  size_t first_row, end_row;
};
/// out += scale * (B t + bias) for `rows` <= kAdaptedRows rows of t [rows, rank].
void add_up_projection(const RunContext& context, const format::Target& target, const float* t, size_t rows, float scale,
                       const AdaptedOut& out);
/// t = A x for `rows` rows of x.
void down_projection(const RunContext& context, const format::Target& target, const float* x, size_t stride, size_t rows, float* t);
/// out = W x + bias for a dense matrix that an adapter brings; `bias` belongs to the first of the columns written.
void replaced_product(const RunContext& context, const Tensor& weights, const float* x, size_t stride, size_t rows, const float* bias,
                      const AdaptedOut& out);
/// Rows of q8 as f32, packed.
void dequantize(const RunContext& context, const kernels::QuantizedRows& from, size_t first, size_t rows, size_t columns, float* out);

}  // namespace linnet::ops
