// The tensors of the file to be, as recipes: which rows of the checkpoint they are made of, in which encoding they are stored and what is
// multiplied into them. Numbers are read when a tensor is packed, one tensor at a time, so that a checkpoint of any size converts in
// the memory of its largest matrix.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "convert/checkpoint.h"
#include "convert/convert.h"
#include "convert/pack.h"
#include "convert/source.h"

namespace linnet::convert {

/// What a matrix is used for decides its encoding (docs/quantization in short: DESIGN.md, "Weights").
enum class WeightRole : uint8_t {
  linear,      // what `--weights` says
  key_value,   // k and v projections: int8 where linears are int4
  source,      // attention of an encoder that a decoder reads: a step finer, since what it loses every token of the text loses
  head,        // output heads: int8 where linears are int4, unless `--head` says otherwise
  embedding,   // as head, since the two are often one tensor
  classifier,  // poolers and classifiers: f16 where linears are quantized; a hundredth of the weights that every answer goes through
  exact,       // f32 always: norms, biases, position tables, routers
};

struct Weight {
  std::string name;                  // in the file
  std::vector<Source> sources;       // stacked row under row; their ranges are resolved: none means "all"
  std::vector<float> values;         // instead of sources: computed by the converter
  std::vector<std::string> made_of;  // tensors that `values` were computed from
  bool is_vector = false;            // one row, in which the sources' numbers stand one after the other
  uint32_t rows = 1, columns = 0;
  uint32_t count = 1;                              // stacked matrices, each of as many sources
  Encoding encoding = Encoding::f32;               // quantized ones are stored as f32 when simulating
  uint32_t turn = 0;                               // block of the turn of the input that it is multiplied with
  uint32_t uses = 0;                               // operations that read it
  std::vector<float> row_factors, column_factors;  // column folds; empty = ones
};

bool is_quantized(Encoding encoding);
/// "int4" -> Encoding::int4. Throws Error for what the converter does not write.
Encoding encoding_from_name(const std::string& name);

class Weights {
 public:
  Weights(const Checkpoint& checkpoint, const Options& options);

  /// A further checkpoint of the same model; its tensors are called `prefix` + name.
  void attach(const std::string& prefix, std::unique_ptr<Checkpoint> checkpoint);
  bool has(const std::string& name) const;
  const SourceTensor& source(const std::string& name) const;
  std::vector<float> read(const std::string& name);

  /// The tensor made of these sources; asked twice it is the same one. A vector has one row. `turn` applies where the encoding is
  /// quantized. `stored_rows`: of sources with other dimensions than two, into how many rows their numbers fall; 0 = they have two.
  uint32_t matrix(std::vector<Source> sources, WeightRole role, bool turned = false, uint32_t stored_rows = 0);
  uint32_t vector(std::vector<Source> sources, uint32_t columns);
  uint32_t values(const std::string& name, std::vector<float> numbers);
  uint32_t table(const std::string& name, uint32_t columns, std::vector<float> numbers);
  /// The same from tensors `made_of`: f16 where linears are quantized.
  uint32_t computed(const std::string& name, uint32_t rows, std::vector<float> numbers, std::vector<std::string> made_of);
  /// Matrices of one size, stacked: each of the same number of sources. Called `name` in the file.
  uint32_t stack(const std::string& name, const std::vector<std::vector<Source>>& matrices, bool turned = false);

  Weight& operator[](uint32_t index) { return weights_[index]; }
  const Weight& operator[](uint32_t index) const { return weights_[index]; }
  uint32_t size() const { return static_cast<uint32_t>(weights_.size()); }

  /// All numbers in f32 with the factors multiplied in, not turned; of a stack those of one matrix.
  std::vector<float> materialize(const Weight& weight, uint32_t matrix = 0);
  /// The tensor as it goes into the file. When simulating, the encoding of the result is f32.
  Packed pack(const Weight& weight);

  void mark_used(const std::string& name) { used_[name].all = true; }
  /// The head named `other` reads the matrix of `name`: adapters of the two find different uses of one tensor.
  void share(const std::string& name, const std::string& other) { shared_[name] = other; }
  /// The head's name for a matrix that is an embedding; "" = it has one name.
  std::string shared_with(const std::string& name) const;
  /// Tensors of the checkpoint that nothing reads, or not all of whose rows are read.
  std::vector<std::string> unused() const;
  const Options& options() const { return options_; }
  /// Throws Error when an override named no tensor.
  void check_overrides() const;

 private:
  /// Rows of a tensor that were asked for.
  struct Used {
    bool all = false;
    uint64_t rows = 0;  // that the tensor has
    std::set<RowRange> ranges;
  };
  const Checkpoint& owner(const std::string& name, std::string* local) const;
  Encoding choose(const std::string& name, const std::vector<Source>& sources, WeightRole role);
  uint32_t turn_for(const Weight& weight) const;
  bool keeps_mxfp4(const std::vector<Source>& sources) const;
  void add_source(Source* source, Weight* weight, uint64_t* rows, uint32_t stored_rows = 0);
  Packed pack_matrix(const Weight& weight, uint32_t matrix);
  void resolve(Source* source, uint32_t rows);
  void append(const Source& source, uint32_t columns, std::vector<float>* all);
  void append_transposed(const Source& source, uint32_t columns, std::vector<float>* all) const;
  void append_stacked(const Source& source, uint32_t columns, std::vector<float>* all) const;
  uint32_t add(Weight weight);

  const Checkpoint& checkpoint_;
  Options options_;
  std::vector<std::pair<std::string, std::unique_ptr<Checkpoint>>> attached_;
  std::vector<Weight> weights_;
  std::map<std::string, uint32_t> by_name_;
  std::map<std::string, std::string> shared_;
  std::map<std::string, Used> used_;
  std::set<std::string> matched_overrides_;
};

/// `*` matches any run of characters.
bool matches(const std::string& pattern, const std::string& text);

}  // namespace linnet::convert
