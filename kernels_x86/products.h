// The exact products as the kernel table wants them: panels in turn, rows of x in tiles, sums scaled and stored.
#pragma once

#include <utility>

#include "tiles.h"

namespace linnet::kernels::x86 {
namespace {  // private to each level's file, as what V instantiates

/// Stores the rows of one panel for one row of x; rows outside of [first_row, end_row) are left out.
struct Store {
  const LinearTask& task;

  // Lanes of panel rows n .. n + 7 that are stored.
  __m256i lanes(size_t n) const {
    const __m256i row = _mm256_add_epi32(_mm256_set1_epi32(static_cast<int>(n)), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
    const __m256i below = _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(task.first_row)), row);
    return _mm256_andnot_si256(below, _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(task.end_row)), row));
  }
  void operator()(size_t m, size_t n, __m256 y) const {
    const ptrdiff_t column = static_cast<ptrdiff_t>(n) - static_cast<ptrdiff_t>(task.first_row);
    float* out = task.out + static_cast<ptrdiff_t>(m * task.out_stride) + column;
    if (n >= task.first_row && n + kPanelRows <= task.end_row) {
      if (task.bias) y = _mm256_add_ps(y, _mm256_loadu_ps(task.bias + column));
      _mm256_storeu_ps(out, y);
    } else {
      const __m256i stored = lanes(n);
      if (task.bias) y = _mm256_add_ps(y, _mm256_maskload_ps(task.bias + column, stored));
      _mm256_maskstore_ps(out, stored, y);
    }
  }
};

inline __m256 as_floats(const int32_t* sums) {
  return _mm256_cvtepi32_ps(_mm256_load_si256(reinterpret_cast<const __m256i*>(sums)));
}

inline PanelSpan span_at(const LinearTask& task, size_t panel_bytes, size_t panel, size_t together) {
  const size_t stride = panel + 1 < task.last_panel ? panel_bytes : 0;
  return {task.weights + panel * panel_bytes, stride, together * panel_bytes};
}

inline size_t least(size_t a, size_t b) { return a < b ? a : b; }

}  // namespace

/// One tile each: tokens [first_token, first_token + Tokens) by panels [panel, panel + Panels).
template <class V, size_t Tokens, size_t Panels, Fetch fetch>
void int8_tile(const LinearTask& task, PanelSpan span, size_t panel, size_t first_token) {
  alignas(64) int32_t sums[Tokens * Panels * kPanelRows];
  int8_sums<V, Tokens, Panels, false, fetch>(span, task.x, first_token, sums);
  const float* scales = reinterpret_cast<const float*>(task.weights + panels(task.rows) * int8_panel_bytes(task.columns));
  const Store store{task};
  for (size_t m = 0; m < Tokens; ++m) {
    const __m256 token = _mm256_set1_ps(task.x.scale[first_token + m]);
    for (size_t p = 0; p < Panels && panel + p < task.last_panel; ++p) {
      const size_t n = (panel + p) * kPanelRows;
      const __m256 scale = _mm256_mul_ps(token, _mm256_loadu_ps(scales + n));
      store(first_token + m, n, _mm256_mul_ps(scale, as_floats(sums + (m * Panels + p) * kPanelRows)));
    }
  }
}

/// `Expanded`: `expanded` holds the panels' int8 lines.
template <class V, size_t Tokens, size_t Panels, bool Expanded, Fetch fetch>
void int4_tile(const LinearTask& task, PanelSpan span, PanelSpan expanded, size_t panel, size_t first_token) {
  alignas(64) int32_t sums[Tokens * Panels * kPanelRows], offsets[Tokens * Panels * kPanelRows];
  if constexpr (Expanded) {
    int8_sums<V, Tokens, Panels, true, Fetch::none>(expanded, task.x, first_token, sums);
  } else {
    int4_sums<V, Tokens, Panels, fetch>(span, task.x, first_token, sums);
  }
  offset_sums<V, Tokens, Panels>(span, task.x, first_token, offsets);
  const float* scales = reinterpret_cast<const float*>(task.weights + panels(task.rows) * int4_panel_bytes(task.columns));
  const float* steps = scales + panels(task.rows) * kPanelRows;
  const Store store{task};
  for (size_t m = 0; m < Tokens; ++m) {
    const __m256 token = _mm256_set1_ps(task.x.scale[first_token + m]);
    for (size_t p = 0; p < Panels && panel + p < task.last_panel; ++p) {
      const size_t n = (panel + p) * kPanelRows, at = (m * Panels + p) * kPanelRows;
      const __m256 product = _mm256_mul_ps(_mm256_loadu_ps(scales + n), as_floats(sums + at));
      const __m256 offset = _mm256_mul_ps(_mm256_loadu_ps(steps + n), as_floats(offsets + at));
      store(first_token + m, n, _mm256_mul_ps(token, _mm256_sub_ps(product, offset)));
    }
  }
}

using Int8Tile = void (*)(const LinearTask&, PanelSpan, size_t, size_t);
using Int4Tile = void (*)(const LinearTask&, PanelSpan, PanelSpan, size_t, size_t);

/// Tiles of 1 .. sizeof...(I) tokens, by tokens - 1.
template <class V, size_t Panels, Fetch fetch, size_t... I>
Int8Tile int8_tiles(size_t tokens, std::index_sequence<I...>) {
  static constexpr Int8Tile tiles[] = {int8_tile<V, I + 1, Panels, fetch>...};
  return tiles[tokens - 1];
}
template <class V, size_t Panels, bool Expanded, Fetch fetch, size_t... I>
Int4Tile int4_tiles(size_t tokens, std::index_sequence<I...>) {
  static constexpr Int4Tile tiles[] = {int4_tile<V, I + 1, Panels, Expanded, fetch>...};
  return tiles[tokens - 1];
}

template <class V>
void int8_product(const LinearTask& task) {
  const size_t panel_bytes = int8_panel_bytes(task.columns);
  constexpr auto kStreams = std::make_index_sequence<V::kStreamTokens>();
  constexpr auto kTiles = std::make_index_sequence<V::kInt8Tokens>();
  if (task.tokens <= V::kStreamTokens) {
    const Int8Tile tile = int8_tiles<V, 1, Fetch::stream>(task.tokens, kStreams);
    for (size_t p = task.first_panel; p < task.last_panel; ++p) tile(task, span_at(task, panel_bytes, p, 1), p, 0);
    return;
  }
  for (size_t p = task.first_panel; p < task.last_panel; p += V::kPanels) {
    const PanelSpan span = span_at(task, panel_bytes, p, V::kPanels);
    const size_t first = least(task.tokens, V::kInt8Tokens);
    int8_tiles<V, V::kPanels, Fetch::next>(first, kTiles)(task, span, p, 0);
    for (size_t m = first; m < task.tokens; m += V::kInt8Tokens)
      int8_tiles<V, V::kPanels, Fetch::none>(least(task.tokens - m, V::kInt8Tokens), kTiles)(task, span, p, m);
  }
}

template <class V>
void int4_product_direct(const LinearTask& task) {
  const size_t panel_bytes = int4_panel_bytes(task.columns);
  constexpr auto kStreams = std::make_index_sequence<V::kStreamTokens>();
  constexpr auto kTiles = std::make_index_sequence<V::kInt4Tokens>();
  if (task.tokens <= V::kStreamTokens) {
    const Int4Tile tile = int4_tiles<V, 1, false, Fetch::stream>(task.tokens, kStreams);
    for (size_t p = task.first_panel; p < task.last_panel; ++p) tile(task, span_at(task, panel_bytes, p, 1), {}, p, 0);
    return;
  }
  for (size_t p = task.first_panel; p < task.last_panel; p += V::kPanels) {
    const PanelSpan span = span_at(task, panel_bytes, p, V::kPanels);
    const size_t first = least(task.tokens, V::kInt4Tokens);
    int4_tiles<V, V::kPanels, false, Fetch::next>(first, kTiles)(task, span, {}, p, 0);
    for (size_t m = first; m < task.tokens; m += V::kInt4Tokens)
      int4_tiles<V, V::kPanels, false, Fetch::none>(least(task.tokens - m, V::kInt4Tokens), kTiles)(task, span, {}, p, m);
  }
}

/// Many tokens: panels become int8 lines in scratch once, and the int8 loop runs.
template <class V>
void int4_product_expanded(const LinearTask& task) {
  const size_t panel_bytes = int4_panel_bytes(task.columns), expanded_bytes = int8_panel_bytes(task.columns);
  constexpr auto kTiles = std::make_index_sequence<V::kInt8Tokens>();
  uint8_t* scratch = static_cast<uint8_t*>(task.scratch);
  for (size_t p = task.first_panel; p < task.last_panel; p += V::kPanels) {
    const PanelSpan span = span_at(task, panel_bytes, p, V::kPanels);
    const PanelSpan expanded = {scratch, span.stride ? expanded_bytes : 0, 0};
    for (size_t i = 0; i < V::kPanels && p + i < task.last_panel; ++i)
      expand<V>(span.first + i * panel_bytes, int4_groups(task.columns), scratch + i * expanded_bytes);
    for (size_t m = 0; m < task.tokens; m += V::kInt8Tokens)
      int4_tiles<V, V::kPanels, true, Fetch::none>(least(task.tokens - m, V::kInt8Tokens), kTiles)(task, span, expanded, p, m);
  }
}

template <class V>
void int4_product(const LinearTask& task) {
  if constexpr (V::kExpandFrom > 0) {
    if (task.tokens >= V::kExpandFrom) return int4_product_expanded<V>(task);
  }
  int4_product_direct<V>(task);
}

template <class V>
size_t product_scratch(size_t tokens, size_t columns) {
  return V::kExpandFrom > 0 && tokens >= V::kExpandFrom ? V::kPanels * int8_panel_bytes(columns) : 0;
}

}  // namespace linnet::kernels::x86
