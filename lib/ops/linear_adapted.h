// A linear over a batch whose sequences have adapters.
#pragma once

#include "ops/adapted.h"

namespace linnet::ops {

/// Rows of x that go through one product: with the base's bias or another one. `own` keeps a provider out, which has packed the base's.
struct BaseRows {
  size_t first, count;
  const float* bias;
  bool own;
};

/// The part of the matrix that the operation multiplies with.
struct Slice {
  uint32_t first, rows;
};

/// Scratch beside the base's own product.
Scratch scratch_of_adapted(const PlanContext& context, const Tensor& tensor, bool quantized);

/// Products of the base, through base(context, rows), then what each stretch's adapter puts in their place or beside them. What is added
/// sees what the layer sees: where that is q8, its numbers.
void run_adapted(const RunContext& context, const Tensor& tensor, const Slice& slice, bool quantized,
                 void (*base)(const RunContext& context, const BaseRows& rows));

}  // namespace linnet::ops
