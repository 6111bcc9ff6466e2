// The numbers of the tensors of the file to be: read from the checkpoint when a tensor is packed, and not before.
#include <fmt/format.h>

#include <algorithm>

#include "convert/graph_weights.h"
#include "format/program.h"

namespace linnet::convert {

// In strips of the stored rows, which are columns here.
void Weights::append_transposed(const Source& from, uint32_t columns, std::vector<float>* all) const {
  constexpr uint64_t kStrip = 64;
  std::string local;
  const Checkpoint& checkpoint = owner(from.tensor, &local);
  const size_t begin = all->size(), stored = source(from.tensor).shape[1];
  all->resize(begin + from.rows.total() * columns);
  for (uint64_t column = 0; column < columns; column += kStrip) {
    const uint64_t strip = std::min<uint64_t>(kStrip, columns - column);
    const std::vector<float> numbers = checkpoint.read_rows(local, column, strip);
    size_t row = begin;
    for (uint64_t run = 0; run < from.rows.count; ++run)
      for (uint64_t r = 0; r < from.rows.rows; ++r, row += columns)
        for (uint64_t c = 0; c < strip; ++c) (*all)[row + column + c] = numbers[c * stored + from.rows.first + run * from.rows.step + r];
  }
}

// One matrix of a stack is small enough to be read whole.
void Weights::append_stacked(const Source& from, uint32_t columns, std::vector<float>* all) const {
  std::string local;
  const std::vector<float> numbers = owner(from.tensor, &local).read_rows(local, static_cast<uint64_t>(from.matrix), 1);
  const size_t stored = numbers.size() / columns;  // rows
  for (uint64_t run = 0; run < from.rows.count; ++run)
    for (uint64_t r = from.rows.first + run * from.rows.step, end = r + from.rows.rows; r < end; ++r)
      for (uint64_t c = 0; c < columns; ++c) all->push_back(from.transposed ? numbers[c * stored + r] : numbers[r * columns + c]);
}

void Weights::append(const Source& from, uint32_t columns, std::vector<float>* all) {
  const size_t begin = all->size();
  std::string local;
  const Checkpoint& checkpoint = owner(from.tensor, &local);
  if (from.matrix >= 0) {
    append_stacked(from, columns, all);
  } else if (from.transposed) {
    append_transposed(from, columns, all);
  } else if (from.rows.count == 1 && from.rows.total() == used_[from.tensor].rows) {
    std::vector<float> numbers = checkpoint.read(local);
    if (all->empty())
      *all = std::move(numbers);
    else
      all->insert(all->end(), numbers.begin(), numbers.end());
  } else {
    for (uint64_t run = 0; run < from.rows.count; ++run) {
      const std::vector<float> numbers = checkpoint.read_rows(local, from.rows.first + run * from.rows.step, from.rows.rows);
      all->insert(all->end(), numbers.begin(), numbers.end());
    }
  }
  for (size_t i = begin; i < all->size() && from.added != 0; ++i) (*all)[i] += from.added;
}

std::vector<float> Weights::materialize(const Weight& weight, uint32_t matrix) {
  std::vector<float> all = weight.values;
  const size_t parts = weight.sources.size() / weight.count;
  if (parts > 1) all.reserve(size_t{weight.rows} * weight.columns);
  for (size_t i = matrix * parts; i < (matrix + 1) * parts; ++i) append(weight.sources[i], weight.columns, &all);
  const uint64_t columns = weight.columns;
  if (all.size() != columns * weight.rows)
    throw Error(fmt::format("tensor {} holds {} values, expected {} x {}", weight.name, all.size(), weight.rows, columns));
  for (uint64_t r = 0; r < weight.rows && !weight.row_factors.empty(); ++r)
    for (uint64_t c = 0; c < columns; ++c) all[r * columns + c] *= weight.row_factors[r];
  for (uint64_t r = 0; r < weight.rows && !weight.column_factors.empty(); ++r)
    for (uint64_t c = 0; c < columns; ++c) all[r * columns + c] *= weight.column_factors[c];
  return all;
}

Packed Weights::pack_matrix(const Weight& weight, uint32_t matrix) {
  std::vector<float> numbers = materialize(weight, matrix);
  if (weight.turn != 0) turn_columns(numbers, weight.columns, weight.turn);
  Packed packed = convert::pack(weight.name, numbers, weight.rows, weight.columns, 1, weight.encoding);
  if (!options_.simulate || weight.encoding == Encoding::f32) return packed;
  numbers = unpack(packed, weight.rows, weight.columns, 1);
  // The Hadamard turn is its own inverse: stored as f32, the weights multiply the input as it is.
  if (weight.turn != 0) turn_columns(numbers, weight.columns, weight.turn);
  Packed plain = convert::pack(weight.name, numbers, weight.rows, weight.columns, 1, Encoding::f32);
  plain.squared_error = packed.squared_error;
  plain.squared_weight = packed.squared_weight;
  return plain;
}

// A stack in the memory of what it becomes and of one of its matrices.
Packed Weights::pack(const Weight& weight) {
  Packed all = pack_matrix(weight, 0);
  if (weight.count == 1) return all;
  const uint64_t bytes = format::tensor_bytes(all.encoding, weight.rows, weight.columns, weight.count);
  if (bytes == 0)
    throw Error(fmt::format("{}: {} matrices of {} x {} pass a limit", weight.name, weight.count, weight.rows, weight.columns));
  all.bytes.resize(bytes);
  for (uint32_t i = 1; i < weight.count; ++i) {
    const Packed one = pack_matrix(weight, i);
    std::copy(one.bytes.begin(), one.bytes.end(), all.bytes.begin() + static_cast<ptrdiff_t>(i * (bytes / weight.count)));
    all.squared_error += one.squared_error;
    all.squared_weight += one.squared_weight;
  }
  return all;
}

}  // namespace linnet::convert
