// What a stored tensor is made of: rows of the checkpoint's matrices, or numbers of its vectors. Checkpoints fuse matrices that are
// multiplied by one input, in several orders of their rows, and some store them transposed; pages say which rows they mean.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

namespace linnet::convert {

/// `count` runs of `rows` rows, `step` rows apart, the first of which begins at row `first`. The default is all rows of a matrix.
struct RowRange {
  uint32_t first = 0, rows = 0, step = 0, count = 1;
  uint64_t total() const { return uint64_t{rows} * count; }
  uint64_t end() const { return first + uint64_t{step} * (count - 1) + rows; }
  bool is_whole() const { return rows == 0; }
  auto operator<=>(const RowRange&) const = default;
};

struct Source {
  Source(const char* name) : tensor(name) {}
  Source(std::string name) : tensor(std::move(name)) {}
  Source(std::string name, RowRange range, bool stored_transposed = false)
      : tensor(std::move(name)), rows(range), transposed(stored_transposed) {}
  /// For people and for overrides: "c_attn.weight[0:64]", of runs "c_attn.weight[0:16 of 48]".
  std::string text() const;

  std::string tensor;
  RowRange rows;            // of a linear layer's [out, in], however it is stored; of a vector its numbers
  bool transposed = false;  // stored as [in, out]
  float added = 0;          // to each number: 1 for a norm that multiplies by 1 + w
  int64_t matrix = -1;      // of a tensor with three dimensions: which of its matrices; -1 = the tensor is one
};

/// A name for what several sources make together: "a.gate.weight", "a.up.weight" -> "a.{gate,up}.weight".
std::string joined_name(const std::vector<Source>& sources);

/// A linear layer of the checkpoint by its base name, or rows of it.
struct NamedRows {
  NamedRows(const char* base) : name(base) {}
  NamedRows(std::string base) : name(std::move(base)) {}
  NamedRows(std::string base, RowRange range) : name(std::move(base)), rows(range) {}
  std::string name;
  RowRange rows;
};

/// Layers that are read together, rows stacked. Written as "a.b", {"a.gate", "a.up"} or {"a.qkv", rows}.
struct Names {
  Names(const char* name) : list{name} {}
  Names(std::string name) : list{std::move(name)} {}
  Names(std::string name, RowRange rows) : list{{std::move(name), rows}} {}
  Names(std::initializer_list<NamedRows> names) : list(names) {}
  std::vector<NamedRows> list;
};

}  // namespace linnet::convert
