// Column folds (arXiv 2211.10438 without calibration): where few input columns of a matrix are far larger than the rest, rounding the
// input of that matrix loses the others. A factor moved from the producer of such a column into the consumers' columns evens them out and
// leaves the function as it was. Producers are a norm's weight, the value rows before attention and the `up` rows before a gate.
#include <algorithm>

#include "convert/graph.h"

namespace linnet::convert {

namespace {

using Operation = Graph::Operation;
using Matrix = std::vector<float>;

/// Who reads and who writes each value of a program.
struct Uses {
  explicit Uses(const Graph::Program& program)
      : readers(program.values.size()), writer(program.values.size(), nullptr), is_output(readers.size()) {
    for (const Operation& operation : program.operations) {
      for (uint32_t value : operation.inputs) readers[value].push_back(&operation);
      for (uint32_t value : operation.outputs) writer[value] = &operation;
    }
    for (const Graph::Port& port : program.outputs) is_output[port.value] = true;
  }
  std::vector<std::vector<const Operation*>> readers;
  std::vector<const Operation*> writer;
  std::vector<bool> is_output;
};

void multiply(std::vector<float>* factors, size_t count, size_t first, const std::vector<float>& by, bool inverse) {
  if (factors->empty()) factors->assign(count, 1.0f);
  for (size_t i = 0; i < by.size(); ++i) (*factors)[first + i] *= inverse ? 1 / by[i] : by[i];
}

bool all_ones(const std::vector<float>& factors) {
  return std::all_of(factors.begin(), factors.end(), [](float factor) { return factor == 1; });
}

class Folder {
 public:
  Folder(Graph& graph, const Graph::Program& program) : weights_(graph.weights()), program_(program), uses_(program) {}

  void run() {
    // Values and gates first: their rows belong to matrices that also read a norm.
    for (const Operation& operation : program_.operations) {
      if (operation.type == schema::Options::Attention) fold_values(operation);
      if (operation.type == schema::Options::Gate) fold_gate(operation);
    }
    for (const Operation& operation : program_.operations)
      if (operation.type == schema::Options::Norm) fold_norm(operation);
  }

 private:
  // The tensors of all linears that read a value, if nothing but such linears reads it and nobody else uses those tensors; else nothing.
  std::vector<uint32_t> consumers(uint32_t value) const {
    std::vector<uint32_t> tensors;
    std::vector<uint32_t> values = {value};
    bool quantized = false;
    while (!values.empty()) {
      uint32_t next = values.back();
      values.pop_back();
      if (uses_.is_output[next]) return {};
      for (const Operation* reader : uses_.readers[next]) {
        if (reader->type == schema::Options::Quantize) {
          values.push_back(reader->outputs[0]);
          continue;
        }
        if (reader->type != schema::Options::Linear || weights_[reader->tensor].uses != 1) return {};
        tensors.push_back(static_cast<uint32_t>(reader->tensor));
        quantized = quantized || is_quantized(weights_[reader->tensor].encoding);
      }
    }
    return quantized ? tensors : std::vector<uint32_t>{};
  }

  // Factors for the columns of the consumers: one for each of kv_heads * width columns, shared by the query heads of a group.
  std::vector<float> factors(const std::vector<uint32_t>& tensors, uint32_t heads, uint32_t kv_heads, uint32_t width) {
    std::vector<Matrix> parts;
    std::vector<const Matrix*> views;
    for (uint32_t tensor : tensors) {
      Matrix matrix = weights_.materialize(weights_[tensor]);
      for (uint32_t member = 0; member < heads / kv_heads; ++member)
        parts.push_back(shared_columns(matrix, heads * width, heads / kv_heads, member, width));
    }
    for (const Matrix& part : parts) views.push_back(&part);
    return fold_factors(views, kv_heads * width);
  }

  // Query head h * group + member reads the value head h: the columns of one member of every group, side by side.
  static Matrix shared_columns(const Matrix& matrix, uint32_t columns, uint32_t group, uint32_t member, uint32_t width) {
    if (group == 1) return matrix;
    Matrix part;
    part.reserve(matrix.size() / group);
    for (size_t row = 0; row < matrix.size(); row += columns)
      for (size_t head = member; head < columns / width; head += group)
        part.insert(part.end(), matrix.begin() + row + head * width, matrix.begin() + row + (head + 1) * width);
    return part;
  }

  void fold_norm(const Operation& norm) {
    if (norm.tensor < 0 || weights_[norm.tensor].uses != 1) return;
    const uint32_t columns = program_.values[norm.outputs[0]].columns;
    if (weights_[norm.tensor].columns != columns || (norm.bias >= 0 && weights_[norm.bias].uses != 1)) return;
    std::vector<uint32_t> tensors = consumers(norm.outputs[0]);
    if (tensors.empty()) return;
    std::vector<float> by = factors(tensors, 1, 1, columns);
    if (all_ones(by)) return;
    multiply(&weights_[norm.tensor].column_factors, columns, 0, by, true);
    if (norm.bias >= 0) multiply(&weights_[norm.bias].column_factors, columns, 0, by, true);
    for (uint32_t tensor : tensors) multiply(&weights_[tensor].column_factors, columns, 0, by, false);
  }

  // Rows [first, first + by.size()) of a producing linear, and of its bias, are divided.
  void divide_rows(const Operation& linear, size_t first, const std::vector<float>& by) {
    Weight& weight = weights_[linear.tensor];
    multiply(&weight.row_factors, weight.rows, first, by, true);
    if (linear.bias >= 0) multiply(&weights_[linear.bias].column_factors, weight.rows, first, by, true);
  }

  bool is_own_linear(const Operation* operation) const {
    return operation && operation->type == schema::Options::Linear && weights_[operation->tensor].uses == 1 &&
           (operation->bias < 0 || weights_[operation->bias].uses == 1);
  }

  // The linear whose rows are the values of an attention: its third input, or what was appended to its state.
  const Operation* value_linear(const Operation& attention) const {
    if (attention.state < 0) {
      uint32_t values = attention.inputs[2];
      return uses_.readers[values].size() == 1 && !uses_.is_output[values] ? uses_.writer[values] : nullptr;
    }
    const Operation* append = nullptr;
    for (const Operation& operation : program_.operations) {
      if (operation.state != attention.state || &operation == &attention) continue;
      if (operation.type != schema::Options::Append || append) return nullptr;  // the state has another reader or writer
      append = &operation;
    }
    if (!append || append->inputs.size() != 2) return nullptr;
    uint32_t values = append->inputs[1];
    return uses_.readers[values].size() == 1 && !uses_.is_output[values] ? uses_.writer[values] : nullptr;
  }

  void fold_values(const Operation& attention) {
    if (attention.inputs.size() > 4) return;  // rows of other tokens come along that no value row made
    const Operation* linear = value_linear(attention);
    if (!is_own_linear(linear)) return;
    std::vector<uint32_t> tensors = consumers(attention.outputs[0]);
    if (tensors.empty()) return;
    uint32_t width = program_.values[attention.outputs[0]].columns / attention.heads;
    std::vector<float> by = factors(tensors, attention.heads, attention.kv_heads, width);
    if (all_ones(by)) return;
    divide_rows(*linear, 0, by);
    std::vector<float> spread;  // query head h * group + member uses value head h
    for (uint32_t head = 0; head < attention.heads; ++head) {
      auto first = by.begin() + head / (attention.heads / attention.kv_heads) * width;
      spread.insert(spread.end(), first, first + width);
    }
    for (uint32_t tensor : tensors) multiply(&weights_[tensor].column_factors, spread.size(), 0, spread, false);
  }

  void fold_gate(const Operation& gate) {
    uint32_t both = gate.inputs[0];
    const Operation* linear = uses_.writer[both];
    if (!is_own_linear(linear) || uses_.readers[both].size() != 1 || uses_.is_output[both]) return;
    std::vector<uint32_t> tensors = consumers(gate.outputs[0]);
    if (tensors.empty()) return;
    uint32_t columns = program_.values[gate.outputs[0]].columns;
    std::vector<float> by = factors(tensors, 1, 1, columns);
    if (all_ones(by)) return;
    divide_rows(*linear, columns, by);  // [gate | up]
    for (uint32_t tensor : tensors) multiply(&weights_[tensor].column_factors, columns, 0, by, false);
  }

  Weights& weights_;
  const Graph::Program& program_;
  Uses uses_;
};

}  // namespace

void Graph::fold() {
  if (!weights_.options().fold) return;
  for (const Program& program : programs_) Folder(*this, program).run();
}

}  // namespace linnet::convert
