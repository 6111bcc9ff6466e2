// Runs a program of an opened model without planner and session: every value, scratch piece and state page in memory of its own and
// of exactly the size that its operation asked for, so that a sanitizer sees the first byte out of bounds. Inputs are as unkind as a
// caller may be: the largest indices, numbers that are none.
#pragma once

#include <cstdlib>
#include <cstring>
#include <limits>
#include <memory>
#include <vector>

#include "format/model_file.h"
#include "linnet/model.h"
#include "ops/operation.h"

namespace linnet::tests {

class ProgramRun {
 public:
  ProgramRun(const Model& model, size_t program, kernels::StateEncoding encoding)
      : file_(model.file()), program_(file_.programs()[program]), encoding_(encoding), layouts_(file_.states().size()) {
    for (size_t s = 0; s < file_.states().size(); ++s) {
      const auto bytes = static_cast<size_t>(ops::lay_out_state(file_.states()[s], encoding_, 0, &layouts_[s]));
      for (size_t i = 0; i < kSequences; ++i) pages_.push_back(block(bytes));
    }
    for (const format::Value& value : values()) {
      capacity_.push_back(rows(value));
      memory_.push_back(block(ops::value_bytes(value, capacity_.back())));
    }
  }

  /// Runs all operations on three tokens and one, then again behind those. False where memory beyond 64 MiB would be needed.
  bool run() {
    for (uint32_t call = 0; call < 2; ++call) {
      if (too_large_) return false;
      fill_inputs();
      const uint32_t first[kSequences] = {3 * call, call};
      for (const format::Node& node : program_.nodes)
        if (!run(node, first)) return false;
    }
    return true;
  }

 private:
  static constexpr size_t kSequences = 2;
  static constexpr size_t kMostBytes = 64u << 20;
  // Units of each symbol: none, tokens, outputs, sequences, source tokens, patches, images; then how they fall on the two sequences.
  static constexpr uint64_t kSymbols[format::kSymbols] = {0, 4, 2, 2, 4, 4, 1};
  static constexpr uint32_t kStarts[format::kSymbols][3] = {{0, 0, 0}, {0, 3, 4}, {0, 1, 2}, {0, 1, 2}, {0, 2, 4}, {0, 4, 4}, {0, 1, 1}};
  struct Free {
    void operator()(void* memory) const { std::free(memory); }
  };
  using Block = std::unique_ptr<uint8_t, Free>;

  std::span<const format::Value> values() const { return {program_.values.data(), program_.values.size()}; }

  uint64_t rows(const format::Value& value) const {
    const format::Rows& r = value.rows;
    return kSymbols[static_cast<size_t>(r.symbol)] * r.multiply / r.divide + uint64_t{r.per_sequence} * kSequences + r.constant;
  }

  Block block(uint64_t bytes) {
    bytes_ += bytes;
    if (bytes > kMostBytes || bytes_ > kMostBytes) too_large_ = true;
    if (too_large_ || bytes == 0) return nullptr;
    Block memory(static_cast<uint8_t*>(std::aligned_alloc(64, static_cast<size_t>((bytes + 63) / 64 * 64))));
    std::memset(memory.get(), 0xff, static_cast<size_t>(bytes));  // NaN, or an index that is out of every bound
    return memory;
  }

  void fill_inputs() {
    const float numbers[] = {0.5f, std::numeric_limits<float>::quiet_NaN(), -1e38f, std::numeric_limits<float>::infinity()};
    for (const format::Port& port : program_.inputs) {
      const format::Value& value = program_.values[port.value];
      const uint32_t most = value.bound ? value.bound - 1 : 3;  // bound 0 counts the four tokens
      for (uint64_t i = 0; i < capacity_[port.value] * value.columns; ++i) {
        uint8_t* to = memory_[port.value].get() + i * 4;
        const int32_t index = static_cast<int32_t>(i % 2 ? 0 : most);
        std::memcpy(to, value.type == schema::ValueType::index ? static_cast<const void*>(&index) : &numbers[i % 4], 4);
      }
    }
  }

  bool run(const format::Node& node, const uint32_t* first) {
    const ops::Operation& operation = *ops::operation(node.type);
    const kernels::Kernels& kernels = kernels::table(kernels::Level::portable);
    const ops::PlanContext plan{node, values(), file_.tensors(), file_.states(), capacity_, kSymbols, kernels, 1, 64, encoding_};
    const ops::Scratch scratch = operation.scratch ? operation.scratch(plan) : ops::Scratch{};
    const size_t constant_bytes = operation.constant_bytes ? operation.constant_bytes(plan) : 0;
    const uint64_t kept = bytes_;
    const Block shared = block(scratch.shared), worker = block(scratch.per_worker), constant = block(constant_bytes);
    if (too_large_) return false;
    bytes_ = kept;
    if (constant && operation.prepare && !operation.prepare(plan, constant.get()).ok()) return false;
    std::vector<void*> memory;
    for (const Block& value : memory_) memory.push_back(value.get());
    std::vector<uint8_t*> page_list;
    std::vector<ops::StatePages> pages;
    for (const Block& page : pages_) page_list.push_back(page.get());
    for (size_t i = 0; i < page_list.size(); ++i) pages.push_back({&page_list[i], 0, 0, first[i % kSequences]});
    const uint32_t* starts[format::kSymbols];
    for (size_t i = 0; i < format::kSymbols; ++i) starts[i] = kStarts[i];
    operation.run({node, values(), file_.tensors(), file_.states(), memory, capacity_, kernels, shared.get(), worker.get(),
                   scratch.per_worker, constant.get(), kSequences, kSymbols, starts, first, pages.data(), layouts_.data(),
                   [](void*, size_t count, void (*task)(void*, size_t, size_t), void* argument) {
                     for (size_t i = 0; i < count; ++i) task(argument, i, 0);
                   },
                   nullptr});
    if (constant && operation.release) operation.release(constant.get());
    return true;
  }

  const format::ModelFile& file_;
  const format::Program& program_;
  kernels::StateEncoding encoding_;
  std::vector<ops::StateLayout> layouts_;
  std::vector<Block> pages_, memory_;
  std::vector<uint64_t> capacity_;
  uint64_t bytes_ = 0;
  bool too_large_ = false;
};

/// Runs every program, its state as f32 and as int8. Returns how many runs came to their end.
inline size_t run_programs(const Model& model) {
  size_t runs = 0;
  for (size_t p = 0; p < model.programs(); ++p)
    for (kernels::StateEncoding encoding : {kernels::StateEncoding::f32, kernels::StateEncoding::int8})
      runs += ProgramRun(model, p, encoding).run();
  return runs;
}

}  // namespace linnet::tests
