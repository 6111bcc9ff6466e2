// A small program put together in a test: values, tensors, states and operations by hand, verified and run as the executor would,
// with chosen kernels and threads. Values keep memory of their own, so that any of them can be looked at afterwards.
#pragma once

#include <flatbuffers/flatbuffers.h>

#include <atomic>
#include <cstring>
#include <deque>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "kernels/available_levels.h"
#include "ops/operation.h"

namespace linnet::test {

using format::Rows;
using schema::Symbol;
using schema::ValueType;

inline Rows tokens() { return {.symbol = Symbol::tokens}; }
inline Rows outputs() { return {.symbol = Symbol::outputs}; }
inline Rows sequences() { return {.symbol = Symbol::sequences}; }

/// Numbers that are the same everywhere, about normally distributed.
inline std::vector<float> random_numbers(size_t count, unsigned seed) {
  std::mt19937 engine(seed);
  std::vector<float> numbers(count);
  for (float& number : numbers) {
    float sum = 0;
    for (int i = 0; i < 4; ++i) sum += static_cast<float>(engine() % 2001) / 1000.0f - 1.0f;
    number = sum;
  }
  return numbers;
}

/// Memory aligned to 64 bytes, filled with NaN so that what nobody wrote shows.
class Block {
 public:
  explicit Block(size_t bytes = 0) : storage_(bytes + 64, 0xff) {}
  uint8_t* data() { return storage_.data() + (64 - reinterpret_cast<uintptr_t>(storage_.data()) % 64) % 64; }

 private:
  std::vector<uint8_t> storage_;
};

class Trial {
 public:
  // ---- the batch: how many units of each symbol every sequence brings
  size_t sequences = 1;
  std::map<Symbol, std::vector<uint32_t>> counts;
  std::vector<uint32_t> first_position;  // 0 when shorter

  // ---- how it is run
  kernels::Level level = kernels::Level::portable;
  uint32_t threads = 1;
  kernels::StateEncoding encoding = kernels::StateEncoding::f32;
  uint32_t context = 1024;

  uint32_t value(ValueType type, uint32_t columns, Rows rows, uint32_t bound = 0) {
    values_.push_back({type, columns, rows, bound});
    data_.emplace_back();
    return static_cast<uint32_t>(values_.size() - 1);
  }
  uint32_t output(uint32_t columns, Rows rows = tokens()) { return value(ValueType::f32, columns, rows); }

  uint32_t input(std::vector<float> numbers, uint32_t columns, Rows rows = tokens(), schema::Role role = schema::Role::features) {
    const uint32_t index = value(ValueType::f32, columns, rows);
    set(index, numbers);
    inputs_.push_back({role, "input", index});
    return index;
  }
  uint32_t input(std::vector<int32_t> numbers, uint32_t columns, uint32_t bound, Rows rows = tokens(),
                 schema::Role role = schema::Role::positions) {
    const uint32_t index = value(ValueType::index, columns, rows, bound);
    set(index, numbers);
    inputs_.push_back({role, "input", index});
    return index;
  }
  template <class Number>
  void set(uint32_t index, const std::vector<Number>& numbers) {
    data_[index].resize(numbers.size() * sizeof(Number));
    if (!numbers.empty()) std::memcpy(data_[index].data(), numbers.data(), data_[index].size());
  }

  int32_t tensor(const char* name, uint32_t rows, uint32_t columns, const std::vector<float>& numbers) {
    tensor_data_.emplace_back(numbers.size() * sizeof(float));
    if (!numbers.empty()) std::memcpy(tensor_data_.back().data(), numbers.data(), numbers.size() * sizeof(float));
    format::Tensor tensor;
    tensor.name = name;
    tensor.rows = rows;
    tensor.columns = columns;
    tensor.data = tensor_data_.back().data();
    tensor.bytes = numbers.size() * sizeof(float);
    tensors_.push_back(tensor);
    return static_cast<int32_t>(tensors_.size() - 1);
  }
  uint32_t state(uint32_t heads, uint32_t key_width, uint32_t value_width, schema::StateKind kind = schema::StateKind::token,
                 uint32_t window = 0) {
    format::State state;
    state.name = "state";
    state.kind = kind;
    state.heads = heads;
    state.key_width = key_width;
    state.value_width = value_width;
    state.window = window;
    states_.push_back(state);
    return static_cast<uint32_t>(states_.size() - 1);
  }

  /// create(builder) gives the offset of the options table of type `Table`.
  template <class Table, class Create>
  void operation(Create create, std::vector<uint32_t> inputs, std::vector<uint32_t> outputs) {
    Step step;
    step.builder = std::make_unique<flatbuffers::FlatBufferBuilder>();
    step.builder->Finish(create(*step.builder));
    step.inputs = std::make_unique<std::vector<uint32_t>>(std::move(inputs));
    step.outputs = std::make_unique<std::vector<uint32_t>>(std::move(outputs));
    step.node.type = schema::OptionsTraits<Table>::enum_value;
    step.node.options = flatbuffers::GetRoot<Table>(step.builder->GetBufferPointer());
    step.node.inputs = *step.inputs;
    step.node.outputs = *step.outputs;
    steps_.push_back(std::move(step));
  }
  void wants(uint32_t value, schema::Role role = schema::Role::hidden) { outputs_.push_back({role, "output", value}); }

  /// The program as the verifier takes it.
  Status verify() {
    format::Program program;
    program.name = "trial";
    for (const auto& value : values_) static_cast<void>(program.values.push(value).ok());
    for (const auto& port : inputs_) static_cast<void>(program.inputs.push(port).ok());
    for (const auto& port : outputs_) static_cast<void>(program.outputs.push(port).ok());
    for (const auto& step : steps_) static_cast<void>(program.nodes.push(step.node).ok());
    return ops::verify_program(program, tensors_, states_);
  }

  std::vector<format::Value>& values() { return values_; }
  std::vector<format::Tensor>& tensors() { return tensors_; }
  std::vector<format::State>& states() { return states_; }
  std::vector<format::Port>& inputs() { return inputs_; }

  /// Wants `value`, verifies, runs; the sentence of a refusal, "" when all went well.
  std::string run_verified(uint32_t value) {
    wants(value);
    const Status status = verify();
    if (status.ok()) run();
    return status.message();
  }
  /// Runs every operation, then counts the tokens as committed.
  void run();
  /// What the last operation asks for, all rows planned.
  ops::Scratch scratch_of_last() const;
  /// Gives up whole pages before `position`, as a windowed state does.
  void give_up(uint32_t position);

  std::vector<float> result(uint32_t value) const {
    std::vector<float> numbers(data_[value].size() / sizeof(float));
    if (!numbers.empty()) std::memcpy(numbers.data(), data_[value].data(), data_[value].size());
    return numbers;
  }
  std::vector<int32_t> indices(uint32_t value) const {
    std::vector<int32_t> numbers(data_[value].size() / sizeof(int32_t));
    if (!numbers.empty()) std::memcpy(numbers.data(), data_[value].data(), data_[value].size());
    return numbers;
  }
  size_t rows(uint32_t value) const;

 private:
  struct Step {
    std::unique_ptr<flatbuffers::FlatBufferBuilder> builder;
    std::unique_ptr<std::vector<uint32_t>> inputs, outputs;
    format::Node node;
  };
  struct Held {  // one sequence's pages of one state
    std::deque<Block> blocks;
    std::vector<uint8_t*> pages;
    uint32_t first_page = 0;
  };

  std::vector<uint64_t> totals() const;
  void grow_state();

  std::vector<format::Value> values_;
  std::vector<std::vector<uint8_t>> data_;
  std::vector<format::Port> inputs_, outputs_;
  std::deque<Block> tensor_data_;
  std::vector<format::Tensor> tensors_;
  std::vector<format::State> states_;
  std::vector<Step> steps_;
  std::vector<Held> held_;  // [state * sequences + sequence]
  std::vector<ops::StateLayout> layouts_;
};

}  // namespace linnet::test
