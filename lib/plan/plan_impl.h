// What a plan holds: every offset that a session needs, so that making one is arithmetic only.
#pragma once

#include <atomic>

#include "core/array.h"
#include "format/model_file.h"
#include "kernels/kernels.h"
#include "linnet/plan.h"
#include "ops/operation.h"
#include "plan/placement.h"

namespace linnet {

namespace plan_detail {

constexpr uint64_t kNone = UINT64_MAX;

/// One program at the planned limits. Offsets count from the start of the activation area.
struct ProgramPlan {
  core::Array<uint64_t> rows;              // of each value
  core::Array<Piece> values;               // of each value
  core::Array<Piece> shared_scratch;       // of each operation; 0 bytes: none
  core::Array<Piece> worker_scratch;       // of each operation, all workers together
  core::Array<size_t> scratch_per_worker;  // of each operation
  core::Array<uint64_t> constants;         // of each operation: offset in the constant area, or kNone
  uint64_t total = 0, lower_bound = 0, values_alone = 0;
  bool reads_state = false, writes_state = false;    // of tokens
  bool reads_source = false, writes_source = false;
  bool stateful() const { return reads_state || writes_state || reads_source || writes_source; }
};

/// States that keep the same positions share pages and page lists.
struct Retention {
  uint32_t window = 0;  // 0: everything
  bool source = false;
  uint64_t page_bytes = 0;
  uint32_t pages_per_sequence = 0;
  uint64_t pages = 0;  // in the pool
  uint64_t pool = 0;   // offset in the state area
};

}  // namespace plan_detail

struct Plan::Impl {
  Impl(const Model& shared) noexcept : model(shared.share()) {}

  std::atomic<uint32_t> handles{1};
  Model model;
  Limits limits;
  const kernels::Kernels* kernels = nullptr;
  uint64_t symbols[format::kSymbols] = {};
  kernels::StateEncoding state_encoding = kernels::StateEncoding::f32;  // of the first state; what operations plan with

  core::Array<plan_detail::ProgramPlan> programs;
  core::Array<ops::StateLayout> layouts;  // of each state
  core::Array<uint32_t> retention_of;     // of each state
  core::Array<plan_detail::Retention> retentions;

  // The arena: control | state | constants (providers' included) | activation area. Each starts on a multiple of 64.
  uint64_t control = 0, state = 0, constants = 0, provider = 0, area = 0;
  uint64_t state_at = 0, constants_at = 0, area_at = 0, arena = 0;
  uint64_t activations = 0, lower_bound = 0;
  double ratio = 1;

  std::span<const format::Program> model_programs() const { return model.file().programs(); }
  ops::PlanContext context(size_t program, const format::Node& node) const {
    return {node,
            model_programs()[program].values,
            model.file().tensors(),
            model.file().states(),
            {programs[program].rows.data(), programs[program].rows.size()},
            symbols,
            *kernels,
            limits.threads,
            model_programs()[program].kind == schema::ProgramKind::encode ? limits.source_tokens : limits.context,
            state_encoding,
            0,
            limits.adapters ? limits.adapter_rank : 0};
  }
};

namespace plan_detail {

/// Fills every 0 of the limits; invalid_argument where the model cannot serve one.
Status fill_limits(Plan::Impl* plan) noexcept;
/// Rows, lifetimes, scratch, placement of one program.
Status plan_program(Plan::Impl* plan, size_t program) noexcept;
/// Constants and providers' copies of all programs.
Status plan_constants(Plan::Impl* plan) noexcept;
/// Layouts, pages and pools.
Status plan_state(Plan::Impl* plan) noexcept;
/// Bytes of a session's own tables at these limits (lib/runtime knows them; declared here because a plan counts them).
uint64_t control_bytes(const Plan::Impl& plan) noexcept;
/// Cores worth computing on: those at the highest clock.
uint32_t performance_cores() noexcept;

}  // namespace plan_detail
}  // namespace linnet
