// The session's own tables within the arena. One function walks them: without an arena it only counts, so that plan and session agree.
#include <cstring>
#include <new>

#include "core/checked.h"
#include "runtime/session_impl.h"

namespace linnet {
namespace {

// Hands out consecutive pieces of memory, or with a null base only counts them.
class Bump {
 public:
  explicit Bump(uint8_t* base) : base_(base) {}
  template <class T>
  T* take(uint64_t count) {
    uint64_t at = core::round_up(size_, 64);
    size_ = at + count * sizeof(T);
    if (!base_) return nullptr;
    T* items = reinterpret_cast<T*>(base_ + at);
    for (uint64_t i = 0; i < count; ++i) new (items + i) T();
    return items;
  }
  template <class T>
  std::span<T> take_span(uint64_t count) {
    T* items = take<T>(count);
    return {items, items ? static_cast<size_t>(count) : 0};
  }
  void skip(uint64_t bytes) { size_ += bytes; }
  uint64_t size() const { return size_; }

 private:
  uint8_t* base_;
  uint64_t size_ = 0;
};

void lay_out_pools(const Plan::Impl& plan, Bump* bump, Session::Impl* session) {
  std::span<runtime::Pool> pools = bump->take_span<runtime::Pool>(plan.retentions.size());
  uint64_t pointers = 0;
  for (size_t r = 0; r < plan.retentions.size(); ++r) {
    const plan_detail::Retention& retention = plan.retentions[r];
    uint32_t* references = bump->take<uint32_t>(retention.pages);
    uint32_t* free = bump->take<uint32_t>(retention.pages);
    // What one list can hold, for each sequence: sequences may share pages.
    const uint64_t listed = uint64_t{retention.pages_per_sequence} * plan.limits.sequences;
    runtime::PageList* lists = bump->take<runtime::PageList>(plan.limits.sequences);
    uint32_t* numbers = bump->take<uint32_t>(listed);
    runtime::PageList* staged = bump->take<runtime::PageList>(retention.source ? plan.limits.sequences : 0);
    uint32_t* staged_numbers = bump->take<uint32_t>(retention.source ? listed : 0);
    pointers += listed;
    if (!session) continue;
    pools[r] = {session->arena + plan.state_at + retention.pool, references, free,
                static_cast<uint32_t>(retention.pages),          lists,      retention.source ? staged : nullptr};
    // Low numbers come off the stack first.
    for (uint32_t i = 0; i < retention.pages; ++i) free[i] = static_cast<uint32_t>(retention.pages) - 1 - i;
    for (uint32_t s = 0; s < plan.limits.sequences; ++s) lists[s].pages = numbers + uint64_t{s} * retention.pages_per_sequence;
    for (uint32_t s = 0; s < (retention.source ? plan.limits.sequences : 0); ++s)
      staged[s].pages = staged_numbers + uint64_t{s} * retention.pages_per_sequence;
  }
  std::span<uint8_t*> page_pointers = bump->take_span<uint8_t*>(pointers);
  if (!session) return;
  session->pools = pools;
  session->page_pointers = page_pointers;
}

void lay_out_programs(const Plan::Impl& plan, Bump* bump, Session::Impl* session) {
  std::span<void**> values = bump->take_span<void**>(plan.programs.size());
  std::span<void**> constants = bump->take_span<void**>(plan.programs.size());
  for (size_t p = 0; p < plan.programs.size(); ++p) {
    const plan_detail::ProgramPlan& program = plan.programs[p];
    void** of_values = bump->take<void*>(program.values.size());
    void** of_operations = bump->take<void*>(program.constants.size());
    if (!session) continue;
    for (size_t i = 0; i < program.values.size(); ++i) of_values[i] = session->arena + plan.area_at + program.values[i].offset;
    for (size_t i = 0; i < program.constants.size(); ++i)
      if (program.constants[i] != plan_detail::kNone) of_operations[i] = session->arena + plan.constants_at + program.constants[i];
    values[p] = of_values;
    constants[p] = of_operations;
  }
  if (!session) return;
  session->value_memory = values;
  session->constants = constants;
}

uint64_t walk(const Plan::Impl& plan, uint8_t* base, Session::Impl* session) {
  Bump bump(base);
  bump.skip(sizeof(Session::Impl));  // the Impl itself, which is made first and stands already
  uint64_t sequences = plan.limits.sequences;
  auto alive = bump.take_span<runtime::Sequence>(sequences);
  auto batch = bump.take_span<uint32_t>(sequences);
  auto in_batch = bump.take_span<uint8_t>(sequences);
  auto first = bump.take_span<uint32_t>(sequences);
  uint32_t* starts[format::kSymbols];
  for (uint32_t*& start : starts) start = bump.take<uint32_t>(sequences + 1);
  auto chosen = bump.take_span<runtime::Chosen>(plan.limits.adapters ? sequences : 0);
  auto attached = bump.take_span<const format::AdapterFile*>(plan.limits.adapters);
  auto batch_adapters = bump.take_span<const format::AdapterFile*>(plan.limits.adapters ? sequences : 0);
  auto pages = bump.take_span<ops::StatePages>(plan.layouts.size() * sequences);
  lay_out_pools(plan, &bump, session);
  lay_out_programs(plan, &bump, session);
  if (session) {
    session->sequences = alive;
    session->batch = batch;
    session->in_batch = in_batch;
    session->first_position = first;
    std::memcpy(session->symbol_starts, starts, sizeof starts);
    session->pages = pages;
    session->chosen = chosen;
    session->attached = attached;
    session->batch_adapters = batch_adapters;
  }
  return bump.size();
}

}  // namespace

namespace plan_detail {

uint64_t control_bytes(const Plan::Impl& plan) noexcept { return walk(plan, nullptr, nullptr); }

}  // namespace plan_detail

namespace runtime {

void lay_out_control(Session::Impl* session) noexcept { walk(session->planned(), session->arena, session); }

}  // namespace runtime
}  // namespace linnet
