// What the parts of Attention share: which keys a query sees (attention_readers.cpp, attention_globals.cpp), what is added to its scores
// (attention_bias.cpp, attention_relative.cpp) and the walk over blocks (attention_walk.h).
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

/// Keys of a block that are scored by relative position at a time: with a tile of 32 queries they have at most 63 distances.
constexpr size_t kRelativeKeys = 32;

inline bool has_relative_scores(const schema::Attention& options) {
  return options.relative_keys_tensor() >= 0 || options.relative_queries_tensor() >= 0;
}
/// Refuses tables by relative position of a wrong shape, and what they do not go together with.
Status verify_relative_scores(const VerifyContext& context) noexcept;
/// [distance]: bucket of the distances up to the longest of a context, at most relative_span.
void relative_score_buckets(const schema::Attention& options, uint64_t distances, uint16_t* table);

/// The terms of a score that multiply tables by relative position (schema/FORMAT.md).
struct RelativeScores {
  const schema::Attention& options;
  const kernels::AttentionKernels& kernels;
  const Tensor *keys, *queries;  // null = none
  const uint16_t* buckets;       // relative_score_buckets

  /// Queries of one head at consecutive positions from `position` on, keys of a block that begins at position `begin`.
  struct Stretch {
    const float* query;  // [count][key_width]
    size_t count, position;
    kernels::StateRows key;
    Visible seen;  // rows of the block
    size_t begin, head;
    float* scores;  // [count][64]
  };
  bool any() const { return keys || queries; }
  /// products: [max(count, kRelativeKeys)][64].
  void add(const Stretch& stretch, float* products) const;
};

/// Refuses a marker of global tokens of a wrong shape, and what it does not go together with.
Status verify_global_tokens(const VerifyContext& context) noexcept;

/// Rows of one sequence whose tokens are global, rising.
struct Globals {
  const uint32_t* rows = nullptr;
  size_t count = 0;

  /// -infinity for keys that are global: they are seen elsewhere. scores: [queries][64], of the block that begins at `begin`.
  void hide(float* scores, size_t queries, size_t begin, Visible seen) const;
};

/// All sequences' global rows in a call's scratch.
struct GlobalLists {
  uint32_t* starts = nullptr;  // [sequence + 1]
  uint32_t* rows = nullptr;    // [tokens]

  static size_t count(size_t sequences, size_t tokens) { return sequences + 1 + tokens; }  // of uint32_t
  GlobalLists() = default;
  GlobalLists(const RunContext& context, uint32_t* memory);
  Globals of(size_t sequence) const {
    return starts ? Globals{rows + starts[sequence], starts[sequence + 1] - starts[sequence]} : Globals{};
  }
};

}  // namespace linnet::ops
