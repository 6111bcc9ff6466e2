// What the parts of Attention share: which keys a query sees (attention_readers.cpp), the biases of its scores
// (attention_bias.cpp) and the walk over blocks (attention.cpp).
#pragma once

#include "ops/operations.h"

namespace linnet::ops {

/// Positions [first, last) of the sequence.
struct Visible {
  size_t first, last;
};

/// What a reader looks at. `keys` is the number of positions that hold keys, `known` how many of them were there before this call.
struct Reach {
  schema::Reader reader;
  bool both_sides;
  size_t window, keys;

  Visible of(size_t position) const;
};

/// Refuses readers that this build lacks and combinations that mean nothing.
Status verify_reader(const VerifyContext& context) noexcept;

/// Refuses sinks, slopes and relative biases of a wrong shape.
Status verify_bias(const VerifyContext& context) noexcept;

/// Bytes of the table of T5 buckets by distance, and the table.
size_t relative_bucket_bytes(const schema::Attention& options);
/// The bucket of each distance from 0 to `most`, where `buckets` serve one direction.
void bucket_table(uint32_t buckets, uint32_t most, uint16_t* table);
void relative_buckets(const schema::Attention& options, uint32_t buckets, uint16_t* table);

/// Soft-cap, ALiBi and relative bias of one query row's scores [first, last) of the block that begins at `block` (a position).
struct Bias {
  const schema::Attention& options;
  const kernels::VectorKernels& kernels;
  const float* slopes;    // [heads] or null
  const float* relative;  // [buckets][heads] or null
  uint32_t buckets;
  const uint16_t* bucket_table;  // relative_buckets

  bool any() const { return options.softcap() > 0 || slopes || relative; }
  void apply(float* scores, size_t block, size_t first, size_t last, size_t position, size_t head) const;
};

}  // namespace linnet::ops
