// The walk of a few query rows over the blocks of keys that they see, with a running maximum and sum for each row.
#pragma once

#include "ops/attention_plan.h"

namespace linnet::ops {

/// One worker's memory for a tile of query rows.
struct Tile {
  float* queries;                  // [rows][key_width]
  float* scores;                   // [rows][64]
  float* out;                      // [rows][value_width]
  float *maximum, *sum, *rescale;  // [rows]
  float* products;                 // with tables by relative position: [rows or kRelativeKeys][64]
  float *keys, *values;            // with global tokens: [64][key_width], [64][value_width]

  static size_t floats(const schema::Attention& options, size_t rows);
  Tile(const schema::Attention& options, size_t rows, uint8_t* memory);
};

/// Keys and values of one sequence and head, block by block.
struct Source {
  const schema::Attention& options;
  const StateLayout* layout = nullptr;  // state: pages
  const StatePages* pages = nullptr;
  const float* keys = nullptr;  // this call's rows: position 0 of the sequence, head 0
  const float* values = nullptr;
  size_t head = 0;

  kernels::StateRows rows(const float* base, size_t width, size_t block) const {
    const size_t columns = options.kv_heads() * width;
    const float* first = base + block * kernels::kBlockPositions * columns + head * width;
    return {reinterpret_cast<const uint8_t*>(first), columns * sizeof(float), nullptr, kernels::StateEncoding::f32};
  }
  kernels::StateRows keys_of(size_t block) const {
    if (pages) return key_rows(*layout, pages->pages[block - pages->first_page], head);
    return rows(keys, options.key_width(), block);
  }
  kernels::StateRows values_of(size_t block) const {
    if (options.value_prefix()) return keys_of(block);
    if (pages) return value_rows(*layout, pages->pages[block - pages->first_page], head);
    return rows(values, options.value_width(), block);
  }
};

/// One task: a few query tokens of a sequence, all heads of one group.
struct Walk {
  const RunContext& context;
  const schema::Attention& options;
  const Bias& bias;
  const RelativeScores& relative;
  const Source source;
  const Reach reach;
  const Tile tile;
  const Globals globals;  // that every token sees besides its reach
  size_t group, first_position, tokens;
  const uint32_t* listed = nullptr;  // [tokens]: they are these rows; null: consecutive ones from first_position on

  /// q, out: the first token's row; where rows are listed, row 0.
  void start(const float* q, size_t q_stride) const;
  void run() const;
  void finish(float* out, size_t out_stride) const;

 private:
  /// Tokens [first, last) of the tile, and keys [seen.first, seen.last) of a block whose row 0 has position `begin`.
  struct Stretch {
    size_t first, last, begin;
    Visible seen;
    kernels::StateRows keys, values;
  };
  size_t row(size_t token) const { return listed ? listed[token] : token; }
  Visible visible(size_t token) const;
  void gather_globals() const;
  void block(size_t index) const;
  void score(const Stretch& stretch) const;
  void take(const Stretch& stretch) const;
};

}  // namespace linnet::ops
