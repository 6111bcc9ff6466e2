#include "linnet/session.h"

#include <algorithm>
#include <iterator>
#include <new>

#include "core/memory.h"
#include "runtime/session_impl.h"

namespace linnet {
namespace {

using namespace runtime;

Status prepare_operations(Session::Impl* session, size_t* prepared) {
  const Plan::Impl& plan = session->planned();
  for (size_t p = 0; p < plan.programs.size(); ++p)
    for (size_t i = 0; i < plan.programs[p].constants.size(); ++i) {
      const format::Node& node = session->file().programs()[p].nodes[i];
      const ops::Operation& operation = *ops::operation(node.type);
      if (session->constants[p][i] && operation.prepare) LINNET_TRY(operation.prepare(plan.context(p, node), session->constants[p][i]));
      ++*prepared;
    }
  return {};
}

// Releases what the first `prepared` operations hold outside of the arena.
void release_operations(Session::Impl* session, size_t prepared) {
  const Plan::Impl& plan = session->planned();
  for (size_t p = 0; p < plan.programs.size(); ++p)
    for (size_t i = 0; i < plan.programs[p].constants.size() && prepared > 0; ++i, --prepared) {
      const ops::Operation& operation = *ops::operation(session->file().programs()[p].nodes[i].type);
      if (session->constants[p][i] && operation.release) operation.release(session->constants[p][i]);
    }
}

void destroy(Session::Impl* session, size_t prepared) {
  if (!session) return;
  session->pool.stop();
  release_operations(session, prepared);
  detach_all(session);
  uint8_t* arena = session->owns_arena ? session->arena : nullptr;
  session->~Impl();
  core::release(arena);
}

Result<size_t> find_program(const Session::Impl& session, std::string_view name) {
  for (size_t i = 0; i < session.file().programs().size(); ++i)
    if (session.file().programs()[i].name == name) return i;
  return Status::error(Code::not_found, "the model has no program '%.*s'", static_cast<int>(name.size()), name.data());
}

Status check_alive(const Session::Impl& session, SequenceId sequence) {
  if (sequence < session.sequences.size() && session.sequences[sequence].alive) return {};
  return Status::error(Code::invalid_argument, "there is no sequence %u", sequence);
}

bool is_encode(const Session::Impl& session, size_t program) {
  return session.file().programs()[program].kind == schema::ProgramKind::encode;
}

// What a failed, cancelled or uncommitted run wrote lies behind the committed lengths: giving its pages back undoes it.
void roll_back(Session::Impl* session) {
  for (size_t i = 0; i < session->inputs; ++i) trim_after(session, session->batch[i], session->sequences[session->batch[i]].length);
}

void commit(Session::Impl* session) {
  const uint32_t* starts = session->symbol_starts[static_cast<size_t>(schema::Symbol::tokens)];
  for (size_t i = 0; i < session->inputs; ++i) {
    note_origin(session, session->batch[i], false);
    session->sequences[session->batch[i]].length += starts[i + 1] - starts[i];
    trim_before(session, session->batch[i]);
  }
}

// Of an input that is cut into chunks: afterwards every cut lies within its span.
Status check_lengths(const Input& input) {
  if (!input.features.empty()) return Status::error(Code::invalid_argument, "features cannot be cut into chunks; give them to run");
  if (!input.token_types.empty() && input.token_types.size() != input.tokens.size())
    return Status::error(Code::invalid_argument, "%zu token types for %zu tokens", input.token_types.size(), input.tokens.size());
  const bool fits = input.tokens.empty() ? input.positions.empty() : input.positions.size() % input.tokens.size() == 0;
  if (!fits) return Status::error(Code::invalid_argument, "%zu positions for %zu tokens", input.positions.size(), input.tokens.size());
  return {};
}

// A source is written into pages of its own, which take the place of the old ones once all of it is there.
Status run_encode(Session::Impl* session, size_t program, std::span<const Input> inputs, const RunOptions& options) {
  Status status;
  for (size_t i = 0; i < inputs.size() && status.ok(); ++i)
    if (!stage_source(session, session->batch[i], static_cast<uint32_t>(inputs[i].tokens.size())))
      status = Status::error(Code::context_full, "input %zu: no page is left for a source of %zu tokens; raise limits.sources", i,
                             inputs[i].tokens.size());
  if (status.ok()) {
    fill_inputs(session, program, inputs, options);
    status = execute(session, program);
  }
  for (size_t i = 0; i < inputs.size(); ++i) {
    const SequenceId sequence = session->batch[i];
    if (!status.ok() || !options.commit) {
      drop_staged(session, sequence);
      continue;
    }
    note_origin(session, sequence, session->sequences[sequence].length == 0);
    replace_source(session, sequence, static_cast<uint32_t>(inputs[i].tokens.size()));
  }
  if (status.ok()) session->program = program;
  return status;
}

Status run_program(Session::Impl* session, size_t program, std::span<const Input> inputs, const RunOptions& options) {
  const plan_detail::ProgramPlan& planned = session->planned().programs[program];
  LINNET_TRY(check_batch(session, program, inputs, options));
  if (is_encode(*session, program)) return run_encode(session, program, inputs, options);
  if (planned.writes_state)
    for (size_t i = 0; i < inputs.size(); ++i)
      if (!reserve_positions(session, session->batch[i], static_cast<uint32_t>(inputs[i].tokens.size()))) {
        roll_back(session);
        return Status::error(Code::context_full, "input %zu: no page is left for %zu tokens after %u positions", i, inputs[i].tokens.size(),
                             session->first_position[i]);
      }
  fill_inputs(session, program, inputs, options);
  Status status = execute(session, program);
  if (!planned.writes_state) {
    if (status.ok()) session->program = program;
    return status;
  }
  if (status.ok() && options.commit)
    commit(session);
  else
    roll_back(session);
  if (status.ok()) session->program = program;
  return status;
}

}  // namespace

namespace runtime {

Result<SequenceId> add_sequence(Session::Impl* session) noexcept {
  for (size_t i = 0; i < session->sequences.size(); ++i)
    if (!session->sequences[i].alive) {
      session->sequences[i] = {.alive = true};
      if (!session->chosen.empty()) session->chosen[i] = {};
      return static_cast<SequenceId>(i);
    }
  return Status::error(Code::context_full, "all %zu planned sequences are alive; remove one or raise limits.sequences",
                       session->sequences.size());
}

void remove_sequence(Session::Impl* session, SequenceId sequence) noexcept {
  trim_after(session, sequence, 0);
  drop_source(session, sequence);
  session->sequences[sequence] = {};
}

}  // namespace runtime

Result<Session> Session::create(const Model& model, const linnet::Plan& plan, Arena arena) noexcept {
  const Plan::Impl& planned = plan.impl();
  if (&planned.model.file() != &model.file()) return Status::error(Code::mismatch, "the plan was made for another model");
  bool owns = arena.memory == nullptr;
  if (owns) {
    arena = {core::allocate(static_cast<size_t>(planned.arena)), static_cast<size_t>(planned.arena)};
    if (!arena.memory)
      return Status::error(Code::out_of_memory, "no memory for an arena of %llu bytes", static_cast<unsigned long long>(planned.arena));
  }
  if (arena.bytes < planned.arena)
    return Status::error(Code::invalid_argument, "the arena has %zu bytes; the plan needs %llu", arena.bytes,
                         static_cast<unsigned long long>(planned.arena));
  if (reinterpret_cast<uintptr_t>(arena.memory) % 64 != 0)
    return Status::error(Code::invalid_argument, "the arena's address is not a multiple of 64");
  Impl* impl = new (arena.memory) Impl(plan);
  impl->arena = static_cast<uint8_t*>(arena.memory);
  impl->owns_arena = owns;
  lay_out_control(impl);
  size_t prepared = 0;
  Status status = prepare_operations(impl, &prepared);
  if (status.ok()) status = impl->pool.start(planned.limits.threads);
  if (!status.ok()) {
    destroy(impl, prepared);
    return status;
  }
  return Session(impl);
}

Session::Session(Session&& other) noexcept : impl_(std::exchange(other.impl_, nullptr)) {}

Session& Session::operator=(Session&& other) noexcept {
  std::swap(impl_, other.impl_);
  return *this;
}

Session::~Session() { destroy(impl_, SIZE_MAX); }

const Plan& Session::plan() const noexcept { return impl_->plan; }

// ---------------------------------------------------------------- sequences

Result<SequenceId> Session::add(AdapterId adapter) noexcept {
  Entry entry(impl_);
  LINNET_TRY(entry.status());
  LINNET_TRY(check_adapter(*impl_, adapter));
  LINNET_ASSIGN(SequenceId sequence, add_sequence(impl_));
  if (!impl_->chosen.empty()) impl_->chosen[sequence].adapter = adapter;
  return sequence;
}

Result<SequenceId> Session::fork(SequenceId sequence) noexcept {
  Entry entry(impl_);
  LINNET_TRY(entry.status());
  LINNET_TRY(check_alive(*impl_, sequence));
  LINNET_ASSIGN(SequenceId copy, add_sequence(impl_));
  share_pages(impl_, sequence, copy);
  impl_->sequences[copy] = impl_->sequences[sequence];
  if (!impl_->chosen.empty()) impl_->chosen[copy] = impl_->chosen[sequence];
  return copy;
}

Status Session::remove(SequenceId sequence) noexcept {
  Entry entry(impl_);
  LINNET_TRY(entry.status());
  LINNET_TRY(check_alive(*impl_, sequence));
  remove_sequence(impl_, sequence);
  return {};
}

Status Session::rewind(SequenceId sequence, uint32_t count) noexcept {
  Entry entry(impl_);
  LINNET_TRY(entry.status());
  LINNET_TRY(check_alive(*impl_, sequence));
  uint32_t length = impl_->sequences[sequence].length;
  if (count > length)
    return Status::error(Code::invalid_argument, "sequence %u has %u positions; %u cannot be taken back", sequence, length, count);
  if (count && !can_rewind_to(*impl_, sequence, length - count))
    return Status::error(Code::invalid_argument,
                         "sequence %u cannot go back %u positions: a window holds only limits.rewind = %u beyond itself", sequence, count,
                         impl_->planned().limits.rewind);
  trim_after(impl_, sequence, length - count);
  impl_->sequences[sequence].length = length - count;
  return {};
}

uint32_t Session::length(SequenceId sequence) const noexcept {
  return sequence < impl_->sequences.size() && impl_->sequences[sequence].alive ? impl_->sequences[sequence].length : 0;
}

// ---------------------------------------------------------------- running

Status Session::run(std::string_view program, std::span<const Input> inputs, const RunOptions& options) noexcept {
  Entry entry(impl_);
  LINNET_TRY(entry.status());
  if (!impl_->holds_cancel) impl_->cancelled.store(false, std::memory_order_relaxed);
  LINNET_ASSIGN(size_t index, find_program(*impl_, program));
  return run_program(impl_, index, inputs, options);
}

Status Session::prefill(std::string_view program, const Input& input) noexcept {
  Entry entry(impl_);
  LINNET_TRY(entry.status());
  if (!impl_->holds_cancel) impl_->cancelled.store(false, std::memory_order_relaxed);
  LINNET_ASSIGN(size_t index, find_program(*impl_, program));
  LINNET_TRY(check_alive(*impl_, input.sequence));
  if (is_encode(*impl_, index)) return run_program(impl_, index, {&input, 1}, {});
  LINNET_TRY(check_lengths(input));
  const size_t axes = input.tokens.empty() ? 0 : input.positions.size() / input.tokens.size();
  uint32_t before = impl_->sequences[input.sequence].length;
  uint64_t context = impl_->planned().limits.context;
  if (before + input.tokens.size() > context)
    return Status::error(Code::context_full, "%zu tokens after %u positions do not fit the planned context of %llu", input.tokens.size(),
                         before, static_cast<unsigned long long>(context));
  const Chosen chosen = impl_->chosen.empty() ? Chosen() : impl_->chosen[input.sequence];
  Input chunk = input;
  chunk.output_rows = {};
  chunk.total_length = input.total_length ? input.total_length : before + static_cast<uint32_t>(input.tokens.size());
  size_t batch = impl_->planned().limits.batch_tokens, at = 0;
  do {
    size_t count = std::min(batch, input.tokens.size() - at);
    chunk.tokens = input.tokens.subspan(at, count);
    if (!input.token_types.empty()) chunk.token_types = input.token_types.subspan(at, count);
    if (!input.positions.empty()) chunk.positions = input.positions.subspan(at * axes, count * axes);
    Status status = run_program(impl_, index, {&chunk, 1}, {});
    if (!status.ok()) {
      if (can_rewind_to(*impl_, input.sequence, before)) {
        trim_after(impl_, input.sequence, before);
        impl_->sequences[input.sequence].length = before;
        if (!impl_->chosen.empty()) impl_->chosen[input.sequence] = chosen;
      }
      return status;
    }
    at += count;
  } while (at < input.tokens.size());
  return {};
}

Result<Matrix> Session::output(std::string_view name) const noexcept {
  if (impl_->program == SIZE_MAX) return Status::error(Code::not_found, "there is no finished run whose outputs could be read");
  const format::Program& program = impl_->file().programs()[impl_->program];
  for (const format::Port& port : program.outputs)
    if (port.name == name) {
      const format::Value& value = program.values[port.value];
      return Matrix{static_cast<const float*>(impl_->value_memory[impl_->program][port.value]),
                    static_cast<size_t>(batch_rows(*impl_, value)), value.columns};
    }
  return Status::error(Code::not_found, "program '%s' has no output '%.*s'", program.name.data(), static_cast<int>(name.size()),
                       name.data());
}

void Session::cancel() noexcept { impl_->cancelled.store(true, std::memory_order_relaxed); }

// ---------------------------------------------------------------- profile

void Session::profile(bool on) noexcept {
  impl_->profiling = on;
  for (Impl::Timing& timing : impl_->timings) timing = {};
}

size_t Session::profile_entries() const noexcept {
  size_t count = 0;
  for (const Impl::Timing& timing : impl_->timings) count += timing.calls != 0;
  return count;
}

Session::ProfileEntry Session::profile_entry(size_t i) const noexcept {
  for (size_t type = 0; type < std::size(impl_->timings); ++type)
    if (impl_->timings[type].calls != 0 && i-- == 0)
      return {schema::EnumNameOptions(static_cast<schema::Options>(type)), impl_->timings[type].calls, impl_->timings[type].nanoseconds};
  return {};
}

}  // namespace linnet
