#include "core/limits.h"

#include <algorithm>

#include "plan/plan_impl.h"

namespace linnet::plan_detail {
namespace {

namespace limits = core::limits;
using schema::ProgramKind;

constexpr uint32_t kDefaultContext = 4096;
constexpr uint32_t kDefaultBatch = 512;
constexpr uint32_t kDefaultSource = 1024;
constexpr uint32_t kDefaultRank = 64;

Status at_most(const char* name, uint64_t value, uint64_t most) {
  if (value <= most) return {};
  return Status::error(Code::invalid_argument, "limits.%s is %llu; at most %llu can be served", name,
                       static_cast<unsigned long long>(value), static_cast<unsigned long long>(most));
}

Status choose_kernels(Plan::Impl* plan) {
  std::string_view isa = plan->limits.isa;
  if (isa.empty()) {
    if (const char* refused = kernels::refused_request())
      return Status::error(Code::invalid_argument, "LINNET_ISA is '%.64s', which this build or this processor does not have", refused);
    plan->kernels = &kernels::best();
  } else {
    char name[16] = {};
    kernels::Level level;
    if (isa.size() >= sizeof name || (isa.copy(name, isa.size()), !kernels::level_from_name(name, &level)) || !kernels::available(level))
      return Status::error(Code::invalid_argument, "limits.isa is '%.*s', which this build or this processor does not have",
                           static_cast<int>(isa.size()), isa.data());
    plan->kernels = &kernels::table(level);
  }
  plan->limits.isa = kernels::name(plan->kernels->level);
  return {};
}

// The positions that the model was made for: the least of its programs' bounds, those of sources aside; 0 = none.
uint32_t made_for(const Plan::Impl& plan) {
  uint32_t least = 0;
  for (const format::Program& program : plan.model_programs())
    if (program.kind != ProgramKind::encode && program.max_positions && (!least || program.max_positions < least))
      least = program.max_positions;
  return least;
}

bool writes_text(const Plan::Impl& plan) {
  for (const format::Program& program : plan.model_programs())
    if (program.kind == ProgramKind::autoregressive || program.kind == ProgramKind::decode) return true;
  return false;
}

uint32_t default_source(const Plan::Impl& plan) {
  for (const format::Program& program : plan.model_programs())
    if (program.kind == ProgramKind::encode)
      return program.max_positions ? std::min(program.max_positions, kDefaultSource) : kDefaultSource;
  return plan.limits.context;
}

}  // namespace

Status fill_limits(Plan::Impl* plan) noexcept {
  Limits& l = plan->limits;
  LINNET_TRY(choose_kernels(plan));
  uint32_t most = made_for(*plan);
  if (!l.context) l.context = std::min(most ? most : kDefaultContext, kDefaultContext);
  if (most && l.context > most)
    return Status::error(Code::invalid_argument, "limits.context is %u but the model was made for %u positions", l.context, most);
  const bool writes = writes_text(*plan);
  if (!l.sequences) l.sequences = 1;
  if (!l.batch_tokens) l.batch_tokens = std::min(l.context, writes ? kDefaultBatch : limits::kBatchTokens);
  if (!l.outputs) l.outputs = writes ? std::min(l.sequences, l.batch_tokens) : l.batch_tokens;
  if (!l.source_tokens) l.source_tokens = default_source(*plan);
  if (!l.sources) l.sources = l.sequences;
  if (!l.patches) l.patches = std::min(most ? most : l.context, limits::kBatchTokens);
  if (!l.images) l.images = l.sequences;
  if (l.adapters && !l.adapter_rank) l.adapter_rank = kDefaultRank;
  if (!l.threads) l.threads = performance_cores();
  LINNET_TRY(at_most("context", l.context, limits::kContext));
  LINNET_TRY(at_most("batch_tokens", l.batch_tokens, limits::kBatchTokens));
  LINNET_TRY(at_most("sequences", l.sequences, limits::kSequences));
  LINNET_TRY(at_most("outputs", l.outputs, l.batch_tokens));
  LINNET_TRY(at_most("source_tokens", l.source_tokens, limits::kContext));
  LINNET_TRY(at_most("sources", l.sources, l.sequences));
  LINNET_TRY(at_most("patches", l.patches, limits::kBatchTokens));
  LINNET_TRY(at_most("images", l.images, limits::kSequences));
  LINNET_TRY(at_most("threads", l.threads, limits::kThreads));
  LINNET_TRY(at_most("adapters", l.adapters, limits::kAdapters));
  LINNET_TRY(at_most("adapter_rank", l.adapter_rank, limits::kAdapterRank));
  LINNET_TRY(at_most("rewind", l.rewind, limits::kContext));
  const uint64_t counts[format::kSymbols] = {0, l.batch_tokens, l.outputs, l.sequences, l.source_tokens, l.patches, l.images};
  std::copy(std::begin(counts), std::end(counts), plan->symbols);
  return {};
}

}  // namespace linnet::plan_detail
