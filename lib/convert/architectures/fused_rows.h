// Where queries, keys and values stand in one matrix that makes all three.
#pragma once

#include "convert/architectures/decoder.h"

namespace linnet::convert::pages {

struct FusedRows {
  RowRange query, key, value;
};

/// All query heads, then all keys, then all values.
inline FusedRows stacked_rows(uint32_t heads, uint32_t kv_heads, uint32_t head_dim) {
  const uint32_t queries = heads * head_dim, keys = kv_heads * head_dim;
  return {.query = {.rows = queries}, .key = {.first = queries, .rows = keys}, .value = {.first = queries + keys, .rows = keys}};
}

/// The query heads that share a key and a value, that key, that value; then those of the next.
inline FusedRows grouped_rows(uint32_t heads, uint32_t kv_heads, uint32_t head_dim) {
  const uint32_t queries = heads / kv_heads * head_dim, group = queries + 2 * head_dim;
  return {.query = {.rows = queries, .step = group, .count = kv_heads},
          .key = {.first = queries, .rows = head_dim, .step = group, .count = kv_heads},
          .value = {.first = queries + head_dim, .rows = head_dim, .step = group, .count = kv_heads}};
}

/// q, k and v out of one matrix.
inline Projections project_fused(Graph& g, Value h, const std::string& name, const FusedRows& rows, LinearOptions linears = {}) {
  Projections p;
  p.query = g.linear(h, {name, rows.query}, linears);
  linears.role = WeightRole::key_value;
  p.key = g.linear(h, {name, rows.key}, linears);
  p.value = g.linear(h, {name, rows.value}, linears);
  return p;
}

}  // namespace linnet::convert::pages
