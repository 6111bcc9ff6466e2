// One program: how many rows each value has at most, when it lives, and where.
#include <algorithm>

#include "core/checked.h"
#include "ops/operations.h"
#include "plan/plan_impl.h"

namespace linnet::plan_detail {
namespace {

using core::Checked;
using format::Program;

constexpr uint64_t kAlignment = 64;

Status count_rows(const Plan::Impl& plan, const Program& program, ProgramPlan* out) {
  LINNET_TRY(out->rows.resize(program.values.size()));
  for (size_t i = 0; i < program.values.size(); ++i) {
    const format::Rows& rows = program.values[i].rows;
    uint64_t symbol = plan.symbols[static_cast<size_t>(rows.symbol)];
    Checked count = Checked(rows.multiply) * symbol;
    count = Checked(count.value() / rows.divide) + Checked(rows.per_sequence) * plan.limits.sequences + Checked(rows.constant);
    if (!count.ok() || count.value() > UINT32_MAX)
      return Status::error(Code::invalid_argument, "program '%s': value %zu would have %llu rows at these limits", program.name.data(), i,
                           static_cast<unsigned long long>(count.value()));
    out->rows[i] = count.value();
  }
  return {};
}

// Values live from the operation that makes them (inputs: from the start) to the last that reads them (outputs: to the end).
Status find_lifetimes(const Program& program, ProgramPlan* out) {
  LINNET_TRY(out->values.resize(program.values.size()));
  uint32_t steps = static_cast<uint32_t>(program.nodes.size());
  for (size_t i = 0; i < program.values.size(); ++i) {
    Checked bytes = Checked(ops::value_bytes(program.values[i], out->rows[i])).round_up(kAlignment);
    if (!bytes.ok() || bytes.value() > INT64_MAX / 4)
      return Status::error(Code::invalid_argument, "program '%s': value %zu is too large at these limits", program.name.data(), i);
    out->values[i].bytes = bytes.value();
  }
  for (uint32_t step = 0; step < steps; ++step) {
    for (uint32_t value : program.nodes[step].outputs) out->values[value].first = out->values[value].last = step;
    for (uint32_t value : program.nodes[step].inputs) out->values[value].last = step;
  }
  for (const format::Port& port : program.inputs) out->values[port.value].first = 0;
  for (const format::Port& port : program.outputs) out->values[port.value].last = steps - 1;
  return {};
}

Status find_scratch(const Plan::Impl& plan, size_t index, const Program& program, ProgramPlan* out) {
  size_t steps = program.nodes.size();
  LINNET_TRY(out->shared_scratch.resize(steps));
  LINNET_TRY(out->worker_scratch.resize(steps));
  LINNET_TRY(out->scratch_per_worker.resize(steps));
  for (uint32_t step = 0; step < steps; ++step) {
    const ops::Operation& operation = *ops::operation(program.nodes[step].type);
    ops::Scratch scratch = operation.scratch ? operation.scratch(plan.context(index, program.nodes[step])) : ops::Scratch();
    Checked shared = Checked(scratch.shared).round_up(kAlignment), worker = Checked(scratch.per_worker).round_up(kAlignment);
    Checked workers = worker * plan.limits.threads;
    if (!shared.ok() || !workers.ok() || shared.value() > INT64_MAX / 4 || workers.value() > INT64_MAX / 4)
      return Status::error(Code::invalid_argument, "program '%s': operation %u (%s) needs too much scratch at these limits",
                           program.name.data(), step, operation.name);
    out->shared_scratch[step] = {shared.value(), step, step, 0};
    out->worker_scratch[step] = {workers.value(), step, step, 0};
    out->scratch_per_worker[step] = static_cast<size_t>(worker.value());
  }
  return {};
}

Status add_pieces(const core::Array<Piece>& from, core::Array<Piece>* to) {
  for (const Piece& piece : from) LINNET_TRY(to->push(piece));
  return {};
}

Status place_all(ProgramPlan* out) {
  core::Array<Piece> pieces;
  LINNET_TRY(pieces.reserve(out->values.size() + 2 * out->shared_scratch.size()));
  LINNET_TRY(add_pieces(out->values, &pieces));
  LINNET_ASSIGN(out->values_alone, place(&pieces));
  LINNET_TRY(add_pieces(out->shared_scratch, &pieces));
  LINNET_TRY(add_pieces(out->worker_scratch, &pieces));
  LINNET_ASSIGN(out->lower_bound, live_peak(pieces));
  LINNET_ASSIGN(out->total, place(&pieces));
  const Piece* at = pieces.data();
  for (Piece& piece : out->values) piece.offset = (at++)->offset;
  for (Piece& piece : out->shared_scratch) piece.offset = (at++)->offset;
  for (Piece& piece : out->worker_scratch) piece.offset = (at++)->offset;
  return {};
}

void note_state(std::span<const format::State> states, const Program& program, ProgramPlan* out) {
  const auto is_source = [&](uint32_t state) { return states[state].kind == schema::StateKind::source; };
  for (const format::Node& node : program.nodes) {
    if (node.type == schema::Options::Append) (is_source(node.as<schema::Append>().state()) ? out->writes_source : out->writes_state) = true;
    if (const int32_t state = ops::state_read(node); state >= 0)
      (is_source(static_cast<uint32_t>(state)) ? out->reads_source : out->reads_state) = true;
  }
}

}  // namespace

Status plan_program(Plan::Impl* plan, size_t index) noexcept {
  const Program& program = plan->model_programs()[index];
  ProgramPlan* out = &plan->programs[index];
  LINNET_TRY(count_rows(*plan, program, out));
  LINNET_TRY(find_lifetimes(program, out));
  LINNET_TRY(find_scratch(*plan, index, program, out));
  note_state(plan->model.file().states(), program, out);
  return place_all(out);
}

Status plan_constants(Plan::Impl* plan) noexcept {
  uint64_t left = plan->limits.provider_memory;
  Checked end(0);
  for (size_t p = 0; p < plan->programs.size(); ++p) {
    const Program& program = plan->model_programs()[p];
    ProgramPlan& out = plan->programs[p];
    LINNET_TRY(out.constants.resize(program.nodes.size()));
    for (size_t i = 0; i < program.nodes.size(); ++i) {
      out.constants[i] = kNone;
      const ops::Operation& operation = *ops::operation(program.nodes[i].type);
      if (!operation.constant_bytes) continue;
      ops::PlanContext context = plan->context(p, program.nodes[i]);
      context.provider_memory = left;
      const size_t bytes = operation.constant_bytes(context);
      if (bytes == 0) continue;
      if (operation.provided) {
        left -= bytes;
        plan->provider += bytes;
      }
      out.constants[i] = end.value();
      end = (end + bytes).round_up(kAlignment);
    }
  }
  if (!end.ok()) return Status::error(Code::invalid_argument, "the constants of the model's operations are too large");
  plan->constants = end.value();
  return {};
}

}  // namespace linnet::plan_detail
