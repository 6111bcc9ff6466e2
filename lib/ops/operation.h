// The contract of an operation. Each is one file, lib/ops/<name>.cpp, with four functions in this order:
//   verify   operand count, types, options, tensors: everything that could fail is refused here, by a sentence
//   shape    what the outputs are, given verified inputs
//   scratch  bytes needed while running, for the planned limits
//   run      the work; cannot fail
// and one constant of type Operation, listed in lib/ops/table.cpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "format/adapter_file.h"
#include "kernels/kernels.h"
#include "linnet/status.h"
#include "ops/page.h"

namespace linnet::ops {

using format::AdapterFile;
using format::Node;
using format::Program;
using format::State;
using format::Tensor;
using format::Value;

/// What an operation may look at while it is verified.
struct VerifyContext {
  const Node& node;
  std::span<const Value> values;
  std::span<const Tensor> tensors;
  std::span<const State> states;

  const Value& input(size_t i) const { return values[node.inputs[i]]; }
  size_t inputs() const { return node.inputs.size(); }
  /// The tensor with this index, of `rows` x `columns` (0 = any); `what` names it in errors ("bias").
  Result<const Tensor*> tensor(int32_t index, const char* what, uint32_t rows, uint32_t columns) const noexcept;
  /// The same for a vector of f32 with `columns` numbers.
  Result<const Tensor*> vector(int32_t index, const char* what, uint32_t columns) const noexcept;
  /// Refuses unless there are exactly `count` inputs, input i is of `type`.
  Status expect_inputs(size_t count) const noexcept;
  Status expect_type(size_t input, schema::ValueType type) const noexcept;
};

/// Largest sizes, known when planning.
struct PlanContext {
  const Node& node;
  std::span<const Value> values;
  std::span<const Tensor> tensors;
  std::span<const State> states;
  std::span<const uint64_t> rows;    // planned rows of each value
  std::span<const uint64_t> limits;  // of each symbol, by schema::Symbol
  const kernels::Kernels& kernels;
  uint32_t threads;
  uint64_t context;  // planned positions of one sequence
  kernels::StateEncoding state_encoding;
  uint64_t provider_memory = 0;  // what is left of limits.provider_memory for this operation's packed copy
  uint32_t adapter_rank = 0;     // the largest of an adapter's pairs; 0 = the session takes no adapters
};

struct Scratch {
  size_t shared = 0;      // one piece for the whole operation
  size_t per_worker = 0;  // and one for each worker
};

/// Rows [first, first + count) of a value belong to one sequence.
struct Span {
  size_t first, count;
};

/// Everything `run` may touch. Lives on the executor's stack; nothing in it is owned.
struct RunContext {
  const Node& node;
  std::span<const Value> values;
  std::span<const Tensor> tensors;
  std::span<const State> states;
  std::span<void* const> memory;       // of each value, planned
  std::span<const uint64_t> capacity;  // planned rows of each value
  const kernels::Kernels& kernels;
  uint8_t* shared_scratch;
  uint8_t* worker_scratch;  // worker w: + w * scratch_per_worker
  size_t scratch_per_worker;
  void* constant;  // what `prepare` wrote

  // This call's batch.
  size_t sequences;
  std::span<const uint64_t> symbols;     // this call's count of each symbol
  const uint32_t* const* symbol_starts;  // [symbol][sequence + 1]: prefix counts per sequence; null where unused
  const uint32_t* first_position;        // [sequence]: committed positions before this call (0 without state)
  const StatePages* pages;               // [state * sequences + sequence]; null without state
  const StateLayout* layouts;            // [state]

  // Work sharing: task(context, index, worker) for every index in [0, count), on any worker.
  void (*parallel_run)(void* pool, size_t count, void (*task)(void*, size_t, size_t), void* argument);
  void* pool;
  const AdapterFile* const* adapters = nullptr;  // [sequence]: null = none; null itself where the session takes none

  size_t rows(uint32_t value) const;                 // of this call
  Span span(uint32_t value, size_t sequence) const;  // its rows that belong to one sequence
  const float* f32(uint32_t value) const { return static_cast<const float*>(memory[value]); }
  float* f32_out(uint32_t value) const { return static_cast<float*>(memory[value]); }
  const int32_t* index(uint32_t value) const { return static_cast<const int32_t*>(memory[value]); }
  kernels::QuantizedRows quantized(uint32_t value) const {
    return kernels::quantized_rows_view(memory[value], capacity[value], values[value].columns);
  }
  template <class Task>
  void parallel(size_t count, Task&& task) const {
    parallel_run(
        pool, count, [](void* argument, size_t index, size_t worker) { (*static_cast<Task*>(argument))(index, worker); }, &task);
  }
};

struct Operation {
  schema::Options type;
  const char* name;  // as a file's requirements list it: "operation:Linear"
  uint32_t outputs;
  Status (*verify)(const VerifyContext&);
  void (*shape)(const VerifyContext&, Value* outputs);
  Scratch (*scratch)(const PlanContext&);  // null: none
  void (*run)(const RunContext&);
  // Numbers that depend on the file and the limits alone (rotary frequencies, a provider's packed weights), kept in the arena
  // and written once when a session is made. Null: none. Where constant_bytes is 0, `prepare` is not called and
  // RunContext::constant is null.
  size_t (*constant_bytes)(const PlanContext&) = nullptr;
  Status (*prepare)(const PlanContext&, void* constant) = nullptr;
  // Gives back what `prepare` holds outside of `constant` (a provider's operators): once for each prepare that succeeded. Null: nothing.
  void (*release)(void* constant) = nullptr;
  // The constant is a provider's packed copy of weights: the planner asks for each operation in order, takes constant_bytes off
  // limits.provider_memory and reports them as such.
  bool provided = false;
};

/// All operations of this build, by schema::Options; null where the build lacks one.
const Operation* operation(schema::Options type) noexcept;
/// By the name in a requirement ("Linear"); null when unknown.
const Operation* operation_by_name(std::string_view name) noexcept;

/// Bytes of a value with `rows` rows.
uint64_t value_bytes(const Value& value, uint64_t rows) noexcept;

/// Verifies a whole program: operands exist and are defined before use, once; every operation's own verify; declared shapes are
/// what `shape` says; row expressions divide exactly; inputs and outputs have roles and types that fit.
Status verify_program(const Program& program, std::span<const Tensor> tensors, std::span<const State> states) noexcept;

/// Verifies programs against each other, once each is verified: one program of kind encode fills every source state and reads none;
/// programs of kind decode alone read them.
Status verify_source(std::span<const Program> programs, std::span<const State> states) noexcept;

/// Whether every target of an adapter, bound to `base`, is one that the operations reading its tensor take. unsupported, by name.
Status verify_adapter(const AdapterFile& adapter, const format::ModelFile& base) noexcept;

}  // namespace linnet::ops
