// What holds between the programs of a file where one fills source state and others read it. A session counts on it: an encode run
// writes all of a sequence's source, and nothing else touches it.
#include "core/limits.h"
#include "core/try.h"
#include "ops/operations.h"

namespace linnet::ops {
namespace {

using schema::ProgramKind;
using schema::Role;
using schema::StateKind;
using schema::Symbol;

Status corrupt(const Program& program, const char* what) {
  return Status::error(Code::corrupt, "program \"%.*s\": %s", static_cast<int>(program.name.size()), program.name.data(), what);
}

bool is_source(std::span<const State> states, size_t state) { return states[state].kind == StateKind::source; }

// Rows of one program count either the tokens of a call or those of a source.
Status check_symbols(const Program& program) {
  const bool encode = program.kind == ProgramKind::encode;
  for (const Value& value : program.values) {
    const Symbol symbol = value.rows.symbol;
    if (encode && symbol != Symbol::none && symbol != Symbol::sequences && symbol != Symbol::source_tokens)
      return corrupt(program, "a program of kind encode has rows that count something else than source tokens");
    if (!encode && symbol == Symbol::source_tokens) return corrupt(program, "only a program of kind encode has source tokens");
  }
  for (const format::Port& port : program.inputs) {
    const bool of_source = port.role == Role::source_ids || port.role == Role::source_positions;
    if (of_source != encode)
      return corrupt(program, encode ? "a program of kind encode reads source ids and source positions alone"
                                     : "source ids and source positions are read by a program of kind encode alone");
  }
  return {};
}

Status check_states(const Program& program, std::span<const State> states) {
  const bool encode = program.kind == ProgramKind::encode;
  size_t filled = 0, sources = 0;
  for (size_t s = 0; s < states.size(); ++s) sources += is_source(states, s);
  for (const Node& node : program.nodes) {
    if (node.type == schema::Options::Append) {
      const bool source = is_source(states, node.as<schema::Append>().state());
      if (source != encode)
        return corrupt(program, encode ? "a program of kind encode appends to source states alone"
                                       : "source states are filled by a program of kind encode alone");
      filled += source;
    }
    const int32_t read = state_read(node);
    if (read < 0) continue;
    if (encode) return corrupt(program, "a program of kind encode reads a state");
    if (is_source(states, static_cast<size_t>(read)) && program.kind != ProgramKind::decode)
      return corrupt(program, "source states are read by programs of kind decode alone");
  }
  // None is filled twice: verify_program saw to that.
  if (encode && filled != sources) return corrupt(program, "it fills some of the source states only");
  return {};
}

}  // namespace

Status verify_source(std::span<const Program> programs, std::span<const State> states) noexcept {
  size_t encoders = 0, sources = 0;
  for (const Program& program : programs) {
    LINNET_TRY(check_symbols(program));
    LINNET_TRY(check_states(program, states));
    if (program.kind == ProgramKind::encode && ++encoders > 1) return corrupt(program, "another program of kind encode fills the source");
  }
  for (const State& state : states) {
    if (state.kind != StateKind::source) continue;
    ++sources;
    if (state.window != 0 || state.sinks != 0)
      return Status::error(Code::corrupt, "source state \"%.*s\" has a window, but a source is kept whole",
                           static_cast<int>(state.name.size()), state.name.data());
  }
  if ((sources != 0) != (encoders != 0))
    return Status::error(Code::corrupt, "%zu source states and %zu programs of kind encode: neither is there without the other", sources,
                         encoders);
  return {};
}

}  // namespace linnet::ops
