// What `linnet run` reads and writes: a padded batch of the reference's tensors, and its rows without their padding.
#pragma once

#include <string>
#include <vector>

#include "command.h"
#include "tensor_file.h"

namespace linnet::tool {

// One row of the batch, without its padding.
struct Row {
  std::vector<int32_t> tokens, types, positions, globals;
  std::vector<size_t> columns;  // where each token stood
  const float* features = nullptr;
  size_t feature_numbers = 0;
};

struct Batch {
  size_t rows = 0, columns = 0;
  std::vector<Row> row;
};

/// The name of a program's input of this role; "" = none.
std::string input_name(const Model& model, size_t program, std::string_view role);
/// Rows of `ids_name` [batch, tokens] under the mask `mask_name`. Failure names what is missing or has another shape.
Batch token_batch(const TensorFile& file, const Model& model, size_t program, const std::string& ids_name,
                  const std::string& mask_name = "attention_mask");
Batch feature_batch(const TensorFile& file, const PortInfo& port);
RunOptions all_outputs();

/// Collects output rows over runs, then lays them out as [batch, columns of the input, columns].
class Collector {
 public:
  Collector(const Model& model, size_t program, const Batch& batch);
  /// The run held the next `counts` rows of each listed batch row.
  void add(const Session& session, const std::vector<size_t>& batch_rows, const std::vector<size_t>& counts);
  /// Puts every output into `file`.
  void finish(TensorFile* file) const;

 private:
  bool per_token(size_t p) const;
  bool squeezed(size_t p) const;
  HostTensor padded(size_t p) const;
  HostTensor plain(size_t p) const;

  const Batch& batch_;
  std::vector<PortInfo> ports_;
  std::vector<std::vector<std::vector<float>>> rows_;  // [port][batch row]
};

}  // namespace linnet::tool
