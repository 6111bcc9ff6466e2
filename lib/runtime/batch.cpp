// A batch: checked completely before anything changes, then written into the program's planned inputs.
#include <cstring>

#include "core/limits.h"
#include "runtime/batch_defaults.h"
#include "runtime/session_impl.h"

namespace linnet::runtime {
namespace {

using format::Port;
using format::Program;
using schema::Role;
using schema::Symbol;

Status bad(const char* format, size_t input, uint64_t got, uint64_t limit) {
  return Status::error(Code::invalid_argument, format, input, static_cast<unsigned long long>(got), static_cast<unsigned long long>(limit));
}

const Port* find_input(const Program& program, Role role) {
  for (const Port& port : program.inputs)
    if (port.role == role) return &port;
  return nullptr;
}

Status check_indices(const char* what, size_t input, std::span<const int32_t> values, uint32_t bound) {
  for (size_t i = 0; i < values.size(); ++i)
    if (values[i] < 0 || static_cast<uint32_t>(values[i]) >= bound)
      return Status::error(Code::invalid_argument, "input %zu: %s %zu is %d; it must be at least 0 and below %u", input, what, i, values[i],
                           bound);
  return {};
}

uint32_t outputs_of(const Input& input, const RunOptions& options) {
  switch (options.outputs) {
    case RunOptions::Outputs::all:
      return static_cast<uint32_t>(input.tokens.size());
    case RunOptions::Outputs::listed:
      return static_cast<uint32_t>(input.output_rows.size());
    default:
      return input.tokens.empty() ? 0 : 1;
  }
}

Status check_sequence(const Session::Impl& session, size_t index, const Input& input, bool needs_source, uint32_t* first_position) {
  if (input.sequence >= session.sequences.size() || !session.sequences[input.sequence].alive)
    return Status::error(Code::invalid_argument, "input %zu: there is no sequence %u", index, input.sequence);
  if (session.in_batch[input.sequence])
    return Status::error(Code::invalid_argument, "input %zu: sequence %u takes part twice", index, input.sequence);
  if (needs_source && session.sequences[input.sequence].source == 0)
    return Status::error(Code::invalid_argument, "input %zu: sequence %u has no source; run the encode program for it first", index,
                         input.sequence);
  *first_position = session.sequences[input.sequence].length;
  return {};
}

// Of an encode program: all of a source at once.
Status check_source(const Program& program, size_t index, const Input& input) {
  if (input.tokens.empty()) return Status::error(Code::invalid_argument, "input %zu has no tokens", index);
  const Port* port = find_input(program, Role::source_ids);
  return port ? check_indices("token", index, input.tokens, program.values[port->value].bound) : Status();
}

Status check_rows(const Session::Impl& session, const Program& program, size_t index, const Input& input, uint32_t first_position) {
  uint64_t context = session.planned().limits.context;
  if (uint64_t{first_position} + input.tokens.size() > context)
    return Status::error(Code::context_full, "input %zu: %zu tokens after %u positions do not fit the planned context of %llu", index,
                         input.tokens.size(), first_position, static_cast<unsigned long long>(context));
  if (const uint64_t least = uint64_t{first_position} + input.tokens.size();
      input.total_length && (input.total_length < least || input.total_length > context))
    return Status::error(Code::invalid_argument, "input %zu: total_length is %u, expected %llu to %llu, the planned context", index,
                         input.total_length, static_cast<unsigned long long>(least), static_cast<unsigned long long>(context));
  if (const Port* port = find_input(program, Role::token_ids)) {
    if (input.tokens.empty()) return Status::error(Code::invalid_argument, "input %zu has no tokens", index);
    LINNET_TRY(check_indices("token", index, input.tokens, program.values[port->value].bound));
  }
  if (const Port* port = find_input(program, Role::token_types)) {
    if (!input.token_types.empty() && input.token_types.size() != input.tokens.size())
      return bad("input %zu has %llu token types for %llu tokens", index, input.token_types.size(), input.tokens.size());
    LINNET_TRY(check_indices("token type", index, input.token_types, program.values[port->value].bound));
  }
  if (find_input(program, Role::global_tokens) && !input.global_tokens.empty()) {
    if (input.global_tokens.size() != input.tokens.size())
      return bad("input %zu marks %llu global tokens for %llu tokens", index, input.global_tokens.size(), input.tokens.size());
    LINNET_TRY(check_indices("global token", index, input.global_tokens, 2));
  }
  if (input.output_rows.empty()) return {};
  for (size_t i = 0; i < input.output_rows.size(); ++i)
    if (input.output_rows[i] >= input.tokens.size() || (i && input.output_rows[i] <= input.output_rows[i - 1]))
      return bad("input %zu: output row %llu is not below its %llu tokens, or the rows do not rise", index, input.output_rows[i],
                 input.tokens.size());
  return {};
}

// Features feed the port of that role; every other float port of the program has none to feed it.
Status check_features(const Program& program, size_t index, const Input& input, uint32_t* rows, Symbol* symbol) {
  *rows = 0;
  *symbol = Symbol::none;
  for (const Port& port : program.inputs) {
    if (program.values[port.value].type != schema::ValueType::f32) continue;
    uint32_t columns = program.values[port.value].columns;
    if (port.role != Role::features && port.role != Role::pixels && port.role != Role::embeddings)
      return Status::error(Code::unsupported, "input '%s' has a role that a session cannot fill", port.name.data());
    const bool may_lack = port.role == Role::embeddings;  // a text without pictures, or a part of one
    if ((input.features.empty() && !may_lack) || input.features.size() % columns != 0 || input.features.size() / columns > UINT32_MAX)
      return bad("input %zu has %llu feature numbers; they must be rows of %llu", index, input.features.size(), columns);
    *rows = static_cast<uint32_t>(input.features.size() / columns);
    *symbol = program.values[port.value].rows.symbol;
  }
  return {};
}

uint64_t rows_in_sequence(const format::Rows& rows, const Session::Impl& session, size_t index) {
  const uint32_t* starts = session.symbol_starts[static_cast<size_t>(rows.symbol)];
  uint64_t count = rows.symbol == Symbol::none ? 0 : starts[index + 1] - starts[index];
  return uint64_t{rows.multiply} * count / rows.divide + rows.per_sequence;
}

Status check_positions(const Session::Impl& session, const Program& program, std::span<const Input> inputs) {
  const Port* port = find_input(program, program.kind == schema::ProgramKind::encode ? Role::source_positions : Role::positions);
  if (!port) return {};
  const format::Value& value = program.values[port->value];
  for (size_t i = 0; i < inputs.size(); ++i) {
    uint64_t rows = rows_in_sequence(value.rows, session, i) * value.columns;
    const Input& input = inputs[i];
    if (!input.positions.empty()) {
      if (input.positions.size() != rows) return bad("input %zu has %llu positions; %llu are needed", i, input.positions.size(), rows);
      LINNET_TRY(check_indices("position", i, input.positions, value.bound));
    } else if (positions_end(program, input, session.first_position[i], rows_in_sequence(value.rows, session, i)) > value.bound) {
      return Status::error(Code::context_full, "input %zu: %llu positions from %u on, but the model was made for %u", i,
                           static_cast<unsigned long long>(rows_in_sequence(value.rows, session, i)), session.first_position[i],
                           value.bound);
    }
  }
  return {};
}

// Places have no default: only the host knows a picture's size.
Status check_places(const Session::Impl& session, const Program& program, std::span<const Input> inputs) {
  const Port* port = find_input(program, Role::image_positions);
  if (!port) return {};
  const format::Value& value = program.values[port->value];
  for (size_t i = 0; i < inputs.size(); ++i) {
    const uint64_t numbers = rows_in_sequence(value.rows, session, i) * value.columns;
    if (inputs[i].positions.size() != numbers)
      return bad("input %zu has %llu positions; its pictures need %llu", i, inputs[i].positions.size(), numbers);
    LINNET_TRY(check_indices("position", i, inputs[i].positions, value.bound));
  }
  return {};
}

Status check_totals(const Session::Impl& session) {
  static constexpr const char* kNames[] = {"", "tokens", "output rows", "sequences", "source tokens", "patches", "images"};
  static constexpr const char* kLimits[] = {"", "batch_tokens", "outputs", "sequences", "source_tokens", "patches", "images"};
  for (size_t i = 1; i < format::kSymbols; ++i)
    if (session.symbols[i] > session.planned().symbols[i])
      return Status::error(Code::invalid_argument, "the run has %llu %s but limits.%s is %llu",
                           static_cast<unsigned long long>(session.symbols[i]), kNames[i], kLimits[i],
                           static_cast<unsigned long long>(session.planned().symbols[i]));
  return {};
}

void clear_batch(Session::Impl* session) {
  for (size_t i = 0; i < session->inputs; ++i)
    if (session->batch[i] < session->in_batch.size()) session->in_batch[session->batch[i]] = 0;
  session->inputs = 0;
  session->program = SIZE_MAX;
}

// With state the sequence says which adapter, without the input.
Status choose_adapter(Session::Impl* session, bool stateful, size_t index, const Input& input) {
  LINNET_TRY(check_adapter(*session, input.adapter));
  if (session->batch_adapters.empty()) return {};
  const AdapterId chosen = stateful ? session->chosen[input.sequence].adapter : input.adapter;
  if (input.adapter != kNoAdapter && input.adapter != chosen)
    return Status::error(Code::invalid_argument, "input %zu asks for adapter %u, but sequence %u uses another; choose it with use()", index,
                         input.adapter, input.sequence);
  session->batch_adapters[index] = chosen == kNoAdapter ? nullptr : session->attached[chosen];
  return {};
}

// Adds one input to the tables.
Status enter(Session::Impl* session, const Program& program, const plan_detail::ProgramPlan& planned, size_t index, const Input& input,
             const RunOptions& options) {
  const bool stateful = planned.stateful(), encode = program.kind == schema::ProgramKind::encode;
  uint32_t first_position = 0;
  if (stateful) LINNET_TRY(check_sequence(*session, index, input, planned.reads_source, &first_position));
  if (encode) {
    first_position = 0;  // a source replaces the one before
    LINNET_TRY(check_source(program, index, input));
  } else {
    LINNET_TRY(check_rows(*session, program, index, input, first_position));
  }
  uint32_t features = 0;
  Symbol feature_symbol = Symbol::none;
  LINNET_TRY(check_features(program, index, input, &features, &feature_symbol));
  session->batch[index] = stateful ? input.sequence : UINT32_MAX;
  LINNET_TRY(choose_adapter(session, stateful, index, input));
  session->inputs = index + 1;
  if (stateful) session->in_batch[input.sequence] = 1;
  session->first_position[index] = first_position;
  uint64_t counts[format::kSymbols] = {};
  counts[static_cast<size_t>(encode ? Symbol::source_tokens : Symbol::tokens)] = input.tokens.size();
  counts[static_cast<size_t>(Symbol::outputs)] = encode ? 0 : outputs_of(input, options);
  counts[static_cast<size_t>(Symbol::sequences)] = 1;
  if (feature_symbol != Symbol::none) counts[static_cast<size_t>(feature_symbol)] = features;
  for (size_t i = 1; i < format::kSymbols; ++i) {
    session->symbols[i] += counts[i];
    session->symbol_starts[i][index + 1] = static_cast<uint32_t>(session->symbols[i]);
  }
  return check_totals(*session);
}

}  // namespace

Status check_batch(Session::Impl* session, size_t index, std::span<const Input> inputs, const RunOptions& options) noexcept {
  clear_batch(session);
  const Program& program = session->file().programs()[index];
  const plan_detail::ProgramPlan& planned = session->planned().programs[index];
  for (uint64_t& symbol : session->symbols) symbol = 0;
  if (inputs.empty()) return Status::error(Code::invalid_argument, "the run has no inputs");
  if (inputs.size() > session->planned().limits.sequences)
    return Status::error(Code::invalid_argument, "the run has %zu inputs but limits.sequences is %u", inputs.size(),
                         session->planned().limits.sequences);
  for (size_t i = 0; i < inputs.size(); ++i) LINNET_TRY(enter(session, program, planned, i, inputs[i], options));
  for (const Port& port : program.inputs) {
    switch (port.role) {
      case Role::token_ids:
      case Role::token_types:
      case Role::positions:
      case Role::source_ids:
      case Role::source_positions:
      case Role::lengths:
      case Role::output_rows:
      case Role::features:
      case Role::pixels:
      case Role::embeddings:
      case Role::image_positions:
      case Role::global_tokens:
        break;
      default:
        return Status::error(Code::unsupported, "input '%s' has a role that a session cannot fill", port.name.data());
    }
  }
  LINNET_TRY(check_places(*session, program, inputs));
  return check_positions(*session, program, inputs);
}

void fill_inputs(Session::Impl* session, size_t index, std::span<const Input> inputs, const RunOptions& options) noexcept {
  const Program& program = session->file().programs()[index];
  for (const Port& port : program.inputs) {
    const format::Value& value = program.values[port.value];
    void* memory = session->value_memory[index][port.value];
    int32_t* indices = static_cast<int32_t*>(memory);
    float* numbers = static_cast<float*>(memory);
    for (size_t i = 0; i < inputs.size(); ++i) {
      const Input& input = inputs[i];
      uint32_t first = session->first_position[i];
      size_t rows = static_cast<size_t>(rows_in_sequence(value.rows, *session, i));
      size_t count = rows * value.columns;
      uint32_t tokens_before = session->symbol_starts[static_cast<size_t>(Symbol::tokens)][i];
      uint32_t total = input.total_length ? input.total_length : first + static_cast<uint32_t>(input.tokens.size());
      switch (port.role) {
        case Role::token_ids:
        case Role::source_ids:
          std::memcpy(indices, input.tokens.data(), count * sizeof(int32_t));
          break;
        case Role::token_types:
          if (input.token_types.empty())
            std::memset(indices, 0, count * sizeof(int32_t));
          else
            std::memcpy(indices, input.token_types.data(), count * sizeof(int32_t));
          break;
        case Role::positions:
        case Role::source_positions:
          if (input.positions.empty())
            fill_positions(program, input, first, rows, value.columns, indices);
          else
            std::memcpy(indices, input.positions.data(), count * sizeof(int32_t));
          break;
        case Role::global_tokens:
          if (input.global_tokens.empty())
            fill_global_tokens(program, input, indices);
          else
            std::memcpy(indices, input.global_tokens.data(), count * sizeof(int32_t));
          break;
        case Role::image_positions:
          std::memcpy(indices, input.positions.data(), count * sizeof(int32_t));
          break;
        case Role::lengths:
          for (size_t r = 0; r < count; ++r) indices[r] = static_cast<int32_t>(total);
          break;
        case Role::output_rows:
          for (size_t r = 0; r < rows; ++r) {
            size_t row = options.outputs == RunOptions::Outputs::listed ? input.output_rows[r]
                         : options.outputs == RunOptions::Outputs::all  ? r
                                                                        : input.tokens.size() - 1;
            indices[r] = static_cast<int32_t>(tokens_before + row);
          }
          break;
        default:
          std::memcpy(numbers, input.features.data(), count * sizeof(float));
          break;
      }
      indices += count;
      numbers += count;
    }
  }
}

}  // namespace linnet::runtime
