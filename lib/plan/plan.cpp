#include "linnet/plan.h"

#include <algorithm>
#include <new>

#include "core/checked.h"
#include "core/memory.h"
#include "plan/plan_impl.h"

namespace linnet {
namespace {

using namespace plan_detail;
using core::Checked;

// Programs of one model run one after the other, so they share the activation area.
void sum_up_programs(Plan::Impl* plan) {
  for (const ProgramPlan& program : plan->programs) {
    if (program.lower_bound) plan->ratio = std::max(plan->ratio, static_cast<double>(program.total) / static_cast<double>(program.lower_bound));
    plan->lower_bound = std::max(plan->lower_bound, program.lower_bound);
    if (program.total < plan->area) continue;
    plan->area = program.total;
    plan->activations = std::min(program.values_alone, program.total);
  }
}

Status lay_out_arena(Plan::Impl* plan) {
  plan->control = core::round_up(control_bytes(*plan), 64);
  plan->state_at = plan->control;
  Checked constants_at = Checked(plan->state_at) + plan->state;
  Checked area_at = constants_at + plan->constants;
  Checked arena = area_at + plan->area;
  if (!arena.ok() || arena.value() > SIZE_MAX / 2)
    return Status::error(Code::invalid_argument, "a session at these limits needs more memory than can be addressed");
  plan->constants_at = constants_at.value();
  plan->area_at = area_at.value();
  plan->arena = arena.value();
  return {};
}

Status fill(Plan::Impl* plan) {
  LINNET_TRY(fill_limits(plan));
  LINNET_TRY(plan_state(plan));
  LINNET_TRY(plan->programs.resize(plan->model_programs().size()));
  for (size_t i = 0; i < plan->programs.size(); ++i) LINNET_TRY(plan_program(plan, i));
  LINNET_TRY(plan_constants(plan));
  sum_up_programs(plan);
  return lay_out_arena(plan);
}

void release(Plan::Impl* plan) {
  if (!plan || plan->handles.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  plan->~Impl();
  core::release(plan);
}

}  // namespace

Result<Plan> plan(const Model& model, const Limits& limits) noexcept {
  void* memory = core::allocate(sizeof(Plan::Impl));
  if (!memory) return Status::error(Code::out_of_memory, "no memory for a plan");
  Plan planned(new (memory) Plan::Impl(model));
  Plan::Impl* impl = const_cast<Plan::Impl*>(&planned.impl());
  impl->limits = limits;
  LINNET_TRY(fill(impl));
  return planned;
}

bool fits(const Model& model, const Limits& limits, uint64_t bytes) noexcept {
  auto planned = plan(model, limits);
  return planned.ok() && (*planned).arena() <= bytes;
}

Plan::Plan(Plan&& other) noexcept : impl_(std::exchange(other.impl_, nullptr)) {}

Plan& Plan::operator=(Plan&& other) noexcept {
  std::swap(impl_, other.impl_);
  return *this;
}

Plan::~Plan() { release(impl_); }

Plan Plan::share() const noexcept {
  impl_->handles.fetch_add(1, std::memory_order_relaxed);
  return Plan(impl_);
}

const Limits& Plan::limits() const noexcept { return impl_->limits; }
uint64_t Plan::mapped_weights() const noexcept { return impl_->model.weight_bytes(); }
uint64_t Plan::state() const noexcept { return impl_->state; }
uint64_t Plan::activations() const noexcept { return impl_->activations; }
uint64_t Plan::scratch() const noexcept { return impl_->area - impl_->activations; }
uint64_t Plan::constants() const noexcept { return impl_->constants - impl_->provider; }
uint64_t Plan::provider() const noexcept { return impl_->provider; }
uint64_t Plan::control() const noexcept { return impl_->control; }
uint64_t Plan::arena() const noexcept { return impl_->arena; }
uint64_t Plan::lower_bound() const noexcept { return impl_->lower_bound; }
double Plan::ratio() const noexcept { return impl_->ratio; }

size_t Plan::lifetimes() const noexcept {
  size_t count = 0;
  for (const ProgramPlan& program : impl_->programs) count += program.values.size() + 2 * program.shared_scratch.size();
  return count;
}

Plan::Lifetime Plan::lifetime(size_t i) const noexcept {
  for (size_t p = 0; p < impl_->programs.size(); ++p) {
    const ProgramPlan& program = impl_->programs[p];
    const format::Program& source = impl_->model_programs()[p];
    const schema::Program& table = *impl_->model.file().root().programs()->Get(static_cast<uint32_t>(p));
    auto piece = [&](const Piece& at, std::string_view name, bool scratch) {
      return Lifetime{source.name, name, at.offset, at.bytes, at.first, at.last, scratch};
    };
    if (i < program.values.size()) {
      const flatbuffers::String* name = table.values()->Get(static_cast<uint32_t>(i))->name();
      return piece(program.values[i], name ? std::string_view(name->c_str(), name->size()) : std::string_view(), false);
    }
    i -= program.values.size();
    size_t steps = program.shared_scratch.size();
    if (i < 2 * steps) {
      const Piece& at = i < steps ? program.shared_scratch[i] : program.worker_scratch[i - steps];
      return piece(at, ops::operation(source.nodes[i % steps].type)->name, true);
    }
    i -= 2 * steps;
  }
  return {};
}

}  // namespace linnet
