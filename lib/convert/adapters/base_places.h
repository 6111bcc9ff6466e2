// Where the modules of a checkpoint stand in the .linnet file that was made of it, and what its converter multiplied into them.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "format/model_file.h"

namespace linnet::convert {

/// Rows of a tensor of the checkpoint within one of the base: rows of a matrix, or columns of a vector.
struct BasePlace {
  struct Run {
    uint32_t first, count;
  };
  uint32_t tensor = 0;
  uint32_t first_row = 0, rows = 0;
  uint32_t first_column = 0, columns = 0;
  schema::Use use = schema::Use::every;  // a table that is also the head: which of the two the name means
  bool transposed = false;               // the checkpoint has it as [in, out]
  float added = 0;                       // to the checkpoint's numbers
  std::vector<Run> runs = {};                 // of the checkpoint's rows (of a vector: numbers), in the order in which they stand here
};

/// Where a tensor of the checkpoint stands: more than one place where it was a fused one.
using BaseSpread = std::vector<BasePlace>;
/// Its rows, or a vector's numbers.
uint32_t source_rows(const BaseSpread& places);
/// Those of `numbers`, [source_rows, width], that stand in a place.
std::vector<float> rows_at(const BasePlace& place, const std::vector<float>& numbers, size_t width);

/// What reads a tensor, and how its linears see their input.
struct BaseReaders {
  bool linear = false, embedding = false, vector = false;
  uint32_t turn = 0;
  int32_t multiplier = -1;  // tensor
};

class BasePlaces {
 public:
  /// Throws Error where the file was made by a converter that did not write down its factors and may have used some.
  explicit BasePlaces(const format::ModelFile& base);

  /// A tensor by its name in the checkpoint; also where adapter and checkpoint differ in the model's own prefix ("bert.", "transformer.").
  /// Empty: it stands nowhere.
  BaseSpread find(const std::string& name) const;
  const format::Tensor& tensor(uint32_t index) const { return base_.tensors()[index]; }
  const BaseReaders& readers(uint32_t index) const { return readers_[index]; }
  /// A factor for each row or column; empty = ones.
  std::vector<float> row_factors(uint32_t index) const;
  std::vector<float> column_factors(uint32_t index) const;
  /// The f32 numbers of a vector.
  std::vector<float> numbers(uint32_t index) const;
  /// Whether the checkpoint has the tensor, but nothing in the model reads it.
  bool is_left_out(const std::string& name) const;
  /// Whether the converter computed a table from it besides (scores by relative position), which an adapter does not reach.
  bool is_in_table(const std::string& name) const;
  const format::ModelFile& file() const { return base_; }
  std::string name() const;  // for people

 private:
  const schema::Tensor& table(uint32_t index) const { return *base_.root().tensors()->Get(index); }
  void collect_parts();
  void collect_readers(const format::Program& program);
  void note_table(int32_t tensor);
  void note_linear(const format::Program& program, const std::map<uint32_t, const format::Node*>& writers, const format::Node& node);
  void add(const std::string& source, const BasePlace& place);

  const format::ModelFile& base_;
  std::map<std::string, BaseSpread> places_, without_prefix_;
  std::set<std::string> left_out_, in_tables_;
  std::vector<BaseReaders> readers_;
};

}  // namespace linnet::convert
