// An adapter being made: its targets, and their numbers packed as the file stores them.
#pragma once

#include <string>
#include <vector>

#include "convert/adapters/adapter_config.h"
#include "convert/adapters/adapter_names.h"
#include "convert/adapters/base_places.h"
#include "convert/pack.h"

namespace linnet::convert {

struct DraftTensor {
  std::string name;
  uint32_t rows, columns;
  Packed packed;
};

struct DraftTarget {
  std::string base;
  uint32_t base_rows, base_columns;
  schema::TargetKind kind;
  schema::Use use = schema::Use::every;
  uint32_t first_row, rows;
  int32_t a = -1, b = -1, bias = -1;  // draft tensors
  uint32_t rank = 0;
};

/// Puts the modules of an adapter where they belong in the base: scales, the base's factors and turns are multiplied in, so that a pair
/// sees exactly what its layer sees. Throws Error, naming module or tensor, for what the base lacks and for shapes that do not fit.
class AdapterDraft {
 public:
  AdapterDraft(const SafetensorsFile& file, const AdapterConfig& config, const BasePlaces& base)
      : file_(file), config_(config), base_(base) {}
  void add(const std::string& path, const AdaptedModule& module);
  /// After all modules: biases that stand together in one vector of the base become one target.
  void finish();

  const std::vector<DraftTensor>& tensors() const { return tensors_; }
  const std::vector<DraftTarget>& targets() const { return targets_; }

 private:
  void add_pair(const std::string& path, const AdaptedModule& module);
  void add_pair_at(const BasePlace& place, const std::string& name, const AdaptedModule& module, double scale, uint32_t rank);
  void add_embedding(const std::string& path, const AdaptedModule& module);
  void add_weight(const std::string& path, const std::string& name, bool for_all);
  void add_bias(const std::string& path, const std::string& name);
  void add_weight_at(const BasePlace& place, const std::string& name, std::vector<float> numbers, const std::string& type, bool for_all);
  void add_vector(const BaseSpread& places, const std::string& name);

  bool is_turned_over(const BasePlace& place, const std::string& name, uint32_t rows, uint32_t columns) const;
  BaseSpread expect(const std::string& path, const std::string& kind) const;
  const std::vector<uint64_t>& shape(const std::string& name) const { return file_.entries().at(name).shape; }
  void expect_shape(const std::string& name, const std::vector<uint64_t>& expected) const;
  uint32_t expect_rank(const std::string& path, const std::string& a, const std::string& b) const;
  int32_t store(const std::string& name, const std::vector<float>& numbers, uint32_t rows, uint32_t columns,
                Encoding encoding = Encoding::f32);
  DraftTarget target_at(const BasePlace& place, schema::TargetKind kind) const;
  void see_input(const BasePlace& place, std::vector<float>* rows) const;
  bool is_seen_plainly(const BasePlace& place) const;

  const SafetensorsFile& file_;
  const AdapterConfig& config_;
  const BasePlaces& base_;
  std::vector<DraftTensor> tensors_;
  std::vector<DraftTarget> targets_;
  std::map<uint32_t, std::vector<float>> vectors_;  // of the base, with what the adapter puts in
};

}  // namespace linnet::convert
