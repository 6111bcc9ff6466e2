// Adapters beside the tiny models, described in memory so that a test changes one thing.
#pragma once

#include "format/tiny_models.h"

namespace linnet::tests {

struct TinyTarget {
  std::string base;
  uint32_t base_rows, base_columns;
  schema::TargetKind kind;
  schema::Use use = schema::Use::every;
  uint32_t first_row, rows;
  int32_t a = -1, b = -1, bias = -1;
};

struct TinyAdapter {
  TinyModel container;
  std::vector<TinyTarget> targets;
  uint64_t base_hash = 0;
  std::string base_name = "a tiny model";

  int32_t add(const std::string& name, uint32_t rows, uint32_t columns) {
    return container.add({.name = name, .rows = rows, .columns = columns}, f32_bytes(size_t{rows} * columns, 0.01f));
  }
  Bytes structure() const {
    TinyModel whole = container;
    whole.adapter = [this](FlatBufferBuilder& builder) {
      std::vector<Offset<schema::Target>> tables;
      for (const TinyTarget& t : targets)
        tables.push_back(schema::CreateTargetDirect(builder, t.base.c_str(), t.base_rows, t.base_columns, t.kind, t.use, t.first_row,
                                                    t.rows, t.a, t.b, t.bias));
      return schema::CreateAdapterDirect(builder, base_hash, base_name.c_str(), &tables);
    };
    return whole.structure();
  }
  Bytes file() const { return seal(structure(), container.weights); }
};

/// Everything at once beside tiny_decoder(): pairs on a fused part and on a whole matrix, an embedding's pair, the head's own matrix, a
/// norm.
inline TinyAdapter tiny_adapter(uint64_t base_hash) {
  using schema::TargetKind;
  TinyAdapter adapter;
  adapter.base_hash = base_hash;
  adapter.container.requirements = {"file:adapter", "encoding:f32"};
  const int32_t a = adapter.add("k.A", 3, kTinyHidden), b = adapter.add("k.B", 12, 3), bias = adapter.add("k.bias", 1, 12);
  adapter.targets.push_back({.base = "qkv",
                             .base_rows = 36,
                             .base_columns = kTinyHidden,
                             .kind = TargetKind::low_rank,
                             .first_row = 12,
                             .rows = 12,
                             .a = a,
                             .b = b,
                             .bias = bias});
  const int32_t c = adapter.add("output.A", 9, kTinyHidden), d = adapter.add("output.B", 12, 9);
  adapter.targets.push_back({.base = "output",
                             .base_rows = 12,
                             .base_columns = kTinyHidden,
                             .kind = TargetKind::low_rank,
                             .first_row = 0,
                             .rows = 12,
                             .a = c,
                             .b = d});
  const int32_t e = adapter.add("embedding.A", kTinyVocabulary, 2), f = adapter.add("embedding.B", kTinyHidden, 2);
  adapter.targets.push_back({.base = "embedding",
                             .base_rows = kTinyVocabulary,
                             .base_columns = kTinyHidden,
                             .kind = TargetKind::embedding,
                             .first_row = 0,
                             .rows = kTinyVocabulary,
                             .a = e,
                             .b = f});
  const int32_t head = adapter.add("head", kTinyVocabulary, kTinyHidden), norm = adapter.add("norm", 1, kTinyHidden);
  adapter.targets.push_back({.base = "embedding",
                             .base_rows = kTinyVocabulary,
                             .base_columns = kTinyHidden,
                             .kind = TargetKind::replacement,
                             .use = schema::Use::linear,
                             .first_row = 0,
                             .rows = kTinyVocabulary,
                             .b = head});
  adapter.targets.push_back({.base = "norm.weight",
                             .base_rows = 1,
                             .base_columns = kTinyHidden,
                             .kind = TargetKind::replacement,
                             .first_row = 0,
                             .rows = 1,
                             .b = norm});
  return adapter;
}

}  // namespace linnet::tests
