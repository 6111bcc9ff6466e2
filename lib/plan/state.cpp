// State of tokens and of sources: states that keep the same positions share pages, and each such group has one pool.
#include <algorithm>

#include "core/checked.h"
#include "plan/plan_impl.h"

namespace linnet::plan_detail {
namespace {

using core::Checked;
using kernels::StateEncoding;

Result<StateEncoding> encoding_of(const Plan::Impl& plan, const format::State& state) {
  switch (plan.limits.state) {
    case linnet::StateEncoding::f32: return StateEncoding::f32;
    case linnet::StateEncoding::f16: return StateEncoding::f16;
    case linnet::StateEncoding::int8: return StateEncoding::int8;
    default: break;
  }
  if (state.encoding == schema::StateEncoding::int4)
    return Status::error(Code::unsupported, "state '%s' is kept as int4, which this build does not have; choose limits.state", state.name.data());
  return static_cast<StateEncoding>(state.encoding);
}

Result<uint32_t> retention_for(Plan::Impl* plan, const format::State& state) {
  if (state.sinks) return Status::error(Code::unsupported, "state '%s' keeps its first %u positions besides a window, which this build cannot", state.name.data(), state.sinks);
  bool source = state.kind == schema::StateKind::source;
  for (size_t i = 0; i < plan->retentions.size(); ++i)
    if (plan->retentions[i].window == state.window && plan->retentions[i].source == source) return static_cast<uint32_t>(i);
  Retention retention;
  retention.window = state.window;
  retention.source = source;
  LINNET_TRY(plan->retentions.push(retention));
  return static_cast<uint32_t>(plan->retentions.size() - 1);
}

// Pages that one sequence holds at most: its source, all of its positions, or those that a window, one run and the rewind limit span.
uint32_t pages_of(const Limits& limits, const Retention& retention) {
  uint64_t positions = retention.source ? limits.source_tokens : limits.context;
  uint64_t pages = core::ceil_divide(positions, ops::kPagePositions);
  if (retention.window) {
    uint64_t kept = uint64_t{retention.window} + limits.rewind + limits.batch_tokens;
    pages = std::min(pages, core::ceil_divide(kept, ops::kPagePositions) + 1);
  }
  return static_cast<uint32_t>(pages);
}

// Pages of all sequences. Sources are shared; beside those that are kept, one run writes a new one of all of its tokens.
uint64_t pages_in_pool(const Limits& limits, const Retention& retention) {
  if (!retention.source) return uint64_t{retention.pages_per_sequence} * limits.sequences;
  return uint64_t{retention.pages_per_sequence} * (uint64_t{limits.sources} + 1) + limits.sources - 1;
}

}  // namespace

Status plan_state(Plan::Impl* plan) noexcept {
  std::span<const format::State> states = plan->model.file().states();
  LINNET_TRY(plan->layouts.resize(states.size()));
  LINNET_TRY(plan->retention_of.resize(states.size()));
  for (size_t i = 0; i < states.size(); ++i) {
    LINNET_ASSIGN(StateEncoding encoding, encoding_of(*plan, states[i]));
    LINNET_ASSIGN(uint32_t index, retention_for(plan, states[i]));
    plan->retention_of[i] = index;
    Retention& retention = plan->retentions[index];
    retention.page_bytes = ops::lay_out_state(states[i], encoding, retention.page_bytes, &plan->layouts[i]);
    if (retention.page_bytes > SIZE_MAX / 4)
      return Status::error(Code::invalid_argument, "the pages of state '%s' are larger than can be addressed", states[i].name.data());
    if (i == 0) plan->state_encoding = encoding;
  }
  Checked end(0);
  for (Retention& retention : plan->retentions) {
    retention.pages_per_sequence = pages_of(plan->limits, retention);
    retention.pages = pages_in_pool(plan->limits, retention);
    retention.pool = end.value();
    end = (end + Checked(retention.pages) * retention.page_bytes).round_up(64);
    if (!end.ok() || end.value() > INT64_MAX / 2 || retention.pages > UINT32_MAX)
      return Status::error(Code::invalid_argument, "state for %u sequences of %u positions is more than can be addressed", plan->limits.sequences, plan->limits.context);
  }
  plan->state = end.value();
  return {};
}

}  // namespace linnet::plan_detail
