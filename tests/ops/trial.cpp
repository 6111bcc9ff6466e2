#include "trial.h"

namespace linnet::test {
namespace {

/// Runs tasks on `threads` threads, each index once, whoever comes first.
void parallel_run(void* pool, size_t count, void (*task)(void*, size_t, size_t), void* argument) {
  const uint32_t threads = *static_cast<uint32_t*>(pool);
  std::atomic<size_t> next{0};
  const auto work = [&](size_t worker) {
    for (size_t index; (index = next.fetch_add(1)) < count;) task(argument, index, worker);
  };
  std::vector<std::thread> helpers;
  for (uint32_t worker = 1; worker < threads; ++worker) helpers.emplace_back(work, worker);
  work(0);
  for (std::thread& helper : helpers) helper.join();
}

}  // namespace

std::vector<uint64_t> Trial::totals() const {
  std::vector<uint64_t> totals(format::kSymbols);
  for (const auto& [symbol, per_sequence] : counts)
    for (uint32_t count : per_sequence) totals[static_cast<size_t>(symbol)] += count;
  totals[static_cast<size_t>(Symbol::sequences)] = sequences;
  return totals;
}

size_t Trial::rows(uint32_t value) const {
  const Rows& rule = values_[value].rows;
  const uint64_t symbol = rule.symbol == Symbol::none ? 0 : totals()[static_cast<size_t>(rule.symbol)];
  return static_cast<size_t>(symbol * rule.multiply / rule.divide + uint64_t{rule.per_sequence} * sequences + rule.constant);
}

void Trial::grow_state() {
  held_.resize(states_.size() * sequences);
  layouts_.resize(states_.size());
  for (size_t state = 0; state < states_.size(); ++state) {
    const auto bytes = static_cast<size_t>(ops::lay_out_state(states_[state], encoding, 0, &layouts_[state]));
    for (size_t s = 0; s < sequences; ++s) {
      Held& held = held_[state * sequences + s];
      const size_t positions = first_position[s] + counts[Symbol::tokens][s];
      while ((held.first_page + held.pages.size()) * ops::kPagePositions < positions) {
        held.blocks.emplace_back(bytes);
        held.pages.push_back(held.blocks.back().data());
      }
    }
  }
}

void Trial::give_up(uint32_t position) {
  for (Held& held : held_) {
    for (; (held.first_page + 1) * ops::kPagePositions <= position; ++held.first_page) {
      held.pages.erase(held.pages.begin());
      held.blocks.pop_front();
    }
  }
}

ops::Scratch Trial::scratch_of_last() const {
  std::vector<uint64_t> capacity;
  for (uint32_t v = 0; v < values_.size(); ++v) capacity.push_back(rows(v));
  const format::Node& node = steps_.back().node;
  const std::vector<uint64_t> symbols = totals();
  return ops::operation(node.type)->scratch(
      {node, values_, tensors_, states_, capacity, symbols, kernels::table(level), threads, context, encoding});
}

void Trial::run() {
  first_position.resize(sequences);
  counts[Symbol::tokens].resize(sequences);
  grow_state();
  const std::vector<uint64_t> symbols = totals();
  std::vector<std::vector<uint32_t>> starts(format::kSymbols);
  std::vector<const uint32_t*> start_pointers(format::kSymbols, nullptr);
  for (auto& [symbol, per_sequence] : counts) {
    auto& prefix = starts[static_cast<size_t>(symbol)];
    prefix.push_back(0);
    for (uint32_t count : per_sequence) prefix.push_back(prefix.back() + count);
    start_pointers[static_cast<size_t>(symbol)] = prefix.data();
  }
  std::vector<ops::StatePages> pages;
  for (size_t i = 0; i < held_.size(); ++i)
    pages.push_back({held_[i].pages.data(), held_[i].first_page, held_[i].first_page * ops::kPagePositions, first_position[i % sequences]});

  std::deque<Block> blocks;
  std::vector<void*> memory;
  std::vector<uint64_t> capacity;
  for (uint32_t v = 0; v < values_.size(); ++v) {
    capacity.push_back(rows(v));
    const size_t bytes = static_cast<size_t>(ops::value_bytes(values_[v], capacity[v]));
    blocks.emplace_back(bytes);
    if (!data_[v].empty()) std::memcpy(blocks.back().data(), data_[v].data(), std::min(bytes, data_[v].size()));
    memory.push_back(blocks.back().data());
  }
  const kernels::Kernels& table = kernels::table(level);
  for (const Step& step : steps_) {
    const ops::Operation& operation = *ops::operation(step.node.type);
    const ops::PlanContext plan{step.node, values_, tensors_, states_, capacity, symbols, table, threads, context, encoding};
    const ops::Scratch scratch = operation.scratch ? operation.scratch(plan) : ops::Scratch{};
    const size_t per_worker = (scratch.per_worker + 63) / 64 * 64;
    Block shared(scratch.shared), workers(per_worker * threads), constant(operation.constant_bytes ? operation.constant_bytes(plan) : 0);
    if (operation.prepare) static_cast<void>(operation.prepare(plan, constant.data()).ok());
    operation.run({step.node, values_, tensors_, states_, memory, capacity, table, shared.data(), workers.data(), per_worker,
                   constant.data(), sequences, symbols, start_pointers.data(), first_position.data(), pages.data(), layouts_.data(),
                   parallel_run, &threads});
    if (operation.release) operation.release(constant.data());
  }
  for (uint32_t v = 0; v < values_.size(); ++v) {
    if (values_[v].type == ValueType::q8) continue;
    data_[v].resize(capacity[v] * values_[v].columns * sizeof(float));
    if (!data_[v].empty()) std::memcpy(data_[v].data(), memory[v], data_[v].size());
  }
  for (size_t s = 0; s < sequences; ++s) first_position[s] += counts[Symbol::tokens][s];
}

}  // namespace linnet::test
