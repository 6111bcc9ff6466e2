// The executor: one loop over the operations.
#include <algorithm>

#include "core/platform.h"
#include "runtime/session_impl.h"

namespace linnet::runtime {
namespace {

// Fills the page tables of every state for this batch; those of sources with what is being written, or what the sequences hold.
void list_pages(Session::Impl* session, bool writes_source) {
  const Plan::Impl& plan = session->planned();
  uint8_t** pointers = session->page_pointers.data();
  size_t inputs = session->inputs;
  for (size_t r = 0; r < plan.retentions.size(); ++r)
    for (size_t i = 0; i < inputs; ++i) {
      const bool source = plan.retentions[r].source;
      const Sequence& sequence = session->sequences[session->batch[i]];
      const PageList& list = (source && writes_source ? session->pools[r].staged : session->pools[r].lists)[session->batch[i]];
      for (uint32_t p = 0; p < list.count; ++p) pointers[p] = page_address(*session, r, list.pages[p]);
      for (size_t s = 0; s < plan.layouts.size(); ++s)
        if (plan.retention_of[s] == r)
          session->pages[s * inputs + i] = {pointers, list.first_page, list.first_page * ops::kPagePositions,
                                            source ? sequence.source : sequence.length};
      pointers += list.count;
    }
}

std::ptrdiff_t adapted_inputs(const Session::Impl& session) {
  return static_cast<std::ptrdiff_t>(session.batch_adapters.empty() ? 0 : session.inputs);
}

}  // namespace

uint64_t batch_rows(const Session::Impl& session, const format::Value& value) noexcept {
  const format::Rows& rows = value.rows;
  return uint64_t{rows.multiply} * session.symbols[static_cast<size_t>(rows.symbol)] / rows.divide +
         uint64_t{rows.per_sequence} * session.inputs + rows.constant;
}

Status execute(Session::Impl* session, size_t index) noexcept {
  const Plan::Impl& plan = session->planned();
  const format::Program& program = session->file().programs()[index];
  const plan_detail::ProgramPlan& planned = plan.programs[index];
  bool stateful = planned.stateful();
  if (stateful) list_pages(session, planned.writes_source);
  // A batch whose sequences all use none takes the plain path.
  const bool with_adapters = std::any_of(session->batch_adapters.begin(), session->batch_adapters.begin() + adapted_inputs(*session),
                                         [](const format::AdapterFile* adapter) { return adapter != nullptr; });
  uint8_t* area = session->arena + plan.area_at;
  for (size_t step = 0; step < program.nodes.size(); ++step) {
    if (session->before_operation) session->before_operation(session->before_operation_user, step);
    if (session->is_cancelled()) return Status::error(Code::cancelled, "the run was cancelled before operation %zu", step);
    const format::Node& node = program.nodes[step];
    ops::RunContext context{
        .node = node,
        .values = program.values,
        .tensors = session->file().tensors(),
        .states = session->file().states(),
        .memory = {session->value_memory[index], program.values.size()},
        .capacity = {planned.rows.data(), planned.rows.size()},
        .kernels = *plan.kernels,
        .shared_scratch = area + planned.shared_scratch[step].offset,
        .worker_scratch = area + planned.worker_scratch[step].offset,
        .scratch_per_worker = planned.scratch_per_worker[step],
        .constant = session->constants[index][step],
        .sequences = session->inputs,
        .symbols = session->symbols,
        .symbol_starts = session->symbol_starts,
        .first_position = session->first_position.data(),
        .pages = stateful ? session->pages.data() : nullptr,
        .layouts = plan.layouts.data(),
        .parallel_run = ThreadPool::run_on,
        .pool = &session->pool,
        .adapters = with_adapters ? session->batch_adapters.data() : nullptr,
    };
    const ops::Operation& operation = *ops::operation(node.type);
    if (!session->profiling) {
      operation.run(context);
      continue;
    }
    uint64_t start = core::now();
    operation.run(context);
    Session::Impl::Timing& timing = session->timings[static_cast<size_t>(node.type)];
    ++timing.calls;
    timing.nanoseconds += core::now() - start;
  }
  return {};
}

}  // namespace linnet::runtime
