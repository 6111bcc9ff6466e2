#include "ops/attention_walk.h"

#include <cstring>
#include <limits>

namespace linnet::ops {

using kernels::kBlockPositions;
using kernels::StateRows;

size_t Tile::floats(const schema::Attention& options, size_t rows) {
  size_t count = rows * (options.key_width() + kBlockPositions + options.value_width() + 3);
  if (has_relative_scores(options)) count += std::max(rows, kRelativeKeys) * kBlockPositions;
  if (options.global_tokens()) count += kBlockPositions * (options.key_width() + options.value_width());
  return count;
}

Tile::Tile(const schema::Attention& options, size_t rows, uint8_t* memory) {
  queries = reinterpret_cast<float*>(memory);
  scores = queries + rows * options.key_width();
  out = scores + rows * kBlockPositions;
  maximum = out + rows * options.value_width();
  sum = maximum + rows;
  rescale = sum + rows;
  products = rescale + rows;
  keys = products + (has_relative_scores(options) ? std::max(rows, kRelativeKeys) * kBlockPositions : 0);
  values = keys + kBlockPositions * options.key_width();
}

Visible Walk::visible(size_t token) const {
  Visible seen = reach.of(first_position + token);
  if (source.pages) seen.first = std::max<size_t>(seen.first, size_t{source.pages->first_page} * kBlockPositions);
  return seen;
}

// A sink is a first logit without a value: the running softmax begins with it instead of with nothing.
void Walk::start(const float* q, size_t q_stride) const {
  const float* sinks = numbers(context.tensors, options.sinks_tensor());
  const size_t width = options.key_width();
  for (size_t t = 0; t < tokens; ++t) std::memcpy(tile.queries + t * group * width, q + row(t) * q_stride, group * width * sizeof(float));
  for (size_t r = 0; r < tokens * group; ++r) {
    tile.maximum[r] = sinks ? sinks[source.head * group + r % group] : -std::numeric_limits<float>::infinity();
    tile.sum[r] = sinks ? 1.0f : 0.0f;
  }
  std::memset(tile.out, 0, tokens * group * options.value_width() * sizeof(float));
}

void Walk::run() const {
  if (globals.count > 0) gather_globals();
  const size_t from = visible(0).first / kBlockPositions;
  const size_t to = (visible(tokens - 1).last + kBlockPositions - 1) / kBlockPositions;
  for (size_t index = from; index < to; ++index) block(index);
}

// Global tokens stand anywhere: their rows are brought together, a block's worth at a time.
void Walk::gather_globals() const {
  const size_t key_width = options.key_width(), value_width = options.value_width();
  const auto rows = [](float* memory, size_t width) {
    return StateRows{reinterpret_cast<uint8_t*>(memory), width * sizeof(float), nullptr, kernels::StateEncoding::f32};
  };
  for (size_t first = 0; first < globals.count; first += kBlockPositions) {
    const size_t count = std::min(kBlockPositions, globals.count - first);
    for (size_t i = 0; i < count; ++i) {
      const size_t from = globals.rows[first + i] * options.kv_heads() + source.head;
      std::memcpy(tile.keys + i * key_width, source.keys + from * key_width, key_width * sizeof(float));
      std::memcpy(tile.values + i * value_width, source.values + from * value_width, value_width * sizeof(float));
    }
    const Stretch stretch{0, tokens, 0, {0, count}, rows(tile.keys, key_width), rows(tile.values, value_width)};
    score(stretch);
    take(stretch);
  }
}

void Walk::block(size_t index) const {
  const size_t begin = index * kBlockPositions;
  const auto within = [&](size_t token) {
    const Visible seen = visible(token);
    return Visible{std::clamp(seen.first, begin, begin + kBlockPositions) - begin,
                   std::clamp(seen.last, begin, begin + kBlockPositions) - begin};
  };
  Stretch stretch{0, 0, begin, {0, 0}, source.keys_of(index), source.values_of(index)};
  // Tokens that see the same stretch of the block go through the kernels together.
  for (; stretch.first < tokens; stretch.first = stretch.last) {
    stretch.seen = within(stretch.first);
    for (stretch.last = stretch.first + 1; stretch.last < tokens; ++stretch.last)
      if (const Visible other = within(stretch.last); other.first != stretch.seen.first || other.last != stretch.seen.last) break;
    if (stretch.seen.first >= stretch.seen.last) continue;
    score(stretch);
    float* scores = tile.scores + stretch.first * group * kBlockPositions;
    const size_t rows = (stretch.last - stretch.first) * group;
    if (relative.any())
      relative.add({tile.queries + stretch.first * options.key_width(), rows, first_position + stretch.first, stretch.keys, stretch.seen,
                    begin, source.head, scores},
                   tile.products);
    globals.hide(scores, rows, begin, stretch.seen);
    for (size_t r = 0; r < rows && bias.any(); ++r)
      bias.apply(scores + r * kBlockPositions, begin, stretch.seen.first, stretch.seen.last, first_position + stretch.first + r / group,
                 source.head * group + r % group);
    take(stretch);
  }
}

void Walk::score(const Stretch& s) const {
  const size_t width = options.key_width(), first = s.first * group, rows = (s.last - s.first) * group;
  context.kernels.attention.scores(tile.queries + first * width, width, rows, width, s.keys, s.seen.first, s.seen.last, options.scale(),
                                   tile.scores + first * kBlockPositions);
}

void Walk::take(const Stretch& s) const {
  const auto& kernels = context.kernels.attention;
  const size_t width = options.value_width(), first = s.first * group, rows = (s.last - s.first) * group;
  float* scores = tile.scores + first * kBlockPositions;
  for (size_t r = 0; r < rows; ++r)
    tile.rescale[first + r] =
        kernels.softmax_step(scores + r * kBlockPositions, s.seen.first, s.seen.last, tile.maximum + first + r, tile.sum + first + r);
  kernels.accumulate(scores, rows, s.values, width, s.seen.first, s.seen.last, tile.rescale + first, tile.out + first * width, width);
}

// A row that saw nothing is zero.
void Walk::finish(float* out, size_t out_stride) const {
  const size_t width = options.value_width();
  for (size_t r = 0; r < tokens * group; ++r) {
    const float factor = tile.sum[r] == 0 ? 0.0f : 1 / tile.sum[r];
    context.kernels.vector.scale(tile.out + r * width, factor, width, out + row(r / group) * out_stride + r % group * width);
  }
}

}  // namespace linnet::ops
