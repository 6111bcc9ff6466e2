// Planning and running whatever opened, as an application would: the promise of opening is that nothing in the file can make this leave
// its bounds. run_program.h looks closer at single operations; this one at the planner, the session and its pages.
#pragma once

#include <cstdint>
#include <vector>

#include "linnet/session.h"

namespace linnet::tests {

constexpr uint64_t kExerciseBytes = 64u << 20;  // larger plans are not carried out

/// Gives a sequence a source, where the model reads one.
inline void read_source(const Model& model, Session* session, SequenceId sequence) {
  const int32_t tokens[] = {0, 1, 0};
  for (size_t p = 0; p < model.programs(); ++p)
    if (model.program(p).kind == "encode")
      static_cast<void>(session->prefill(model.program(p).name, {.sequence = sequence, .tokens = tokens}).ok());
}

/// Makes a session and runs every program on a few tokens, twice. Refusals are fine; returns the number of runs that succeeded.
inline size_t run_sessions(const Model& model) {
  const Limits limits{
      .context = 16, .batch_tokens = 8, .sequences = 2, .outputs = 8, .source_tokens = 8, .patches = 8, .threads = 1, .isa = "portable"};
  const Result<Plan> planned = plan(model, limits);
  if (!planned.ok() || planned->arena() > kExerciseBytes) return 0;
  Result<Session> session = Session::create(model, *planned);
  if (!session.ok()) return 0;
  size_t runs = 0;
  for (size_t p = 0; p < model.programs(); ++p) {
    const Result<SequenceId> sequence = session->add();
    if (!sequence.ok()) continue;
    const ProgramInfo program = model.program(p);
    if (program.kind == "decode") read_source(model, &*session, *sequence);
    std::vector<float> features;
    for (size_t i = 0; i < program.inputs; ++i)
      if (const PortInfo port = model.input(p, i); port.type == "f32" && port.columns < 65536)
        features.resize(size_t{3} * port.columns, 0.5f);
    const int32_t tokens[] = {0, 1, 2, 0, 1};
    for (const size_t count : {size_t{3}, size_t{1}}) {
      const Input input{.sequence = *sequence, .tokens = {tokens, count}, .features = features};
      if (!session->run(program.name, {&input, 1}, {.outputs = RunOptions::Outputs::all}).ok()) break;
      ++runs;
      for (size_t i = 0; i < program.outputs; ++i) {
        const Result<Matrix> out = session->output(model.output(p, i).name);
        if (!out.ok()) continue;
        volatile float last = 0;  // the sanitizer watches the reads
        for (size_t n = 0; n < out->rows * out->columns; ++n) last = out->data[n];
        static_cast<void>(last);
      }
    }
    if (!session->remove(*sequence).ok()) return runs;
  }
  return runs;
}

}  // namespace linnet::tests
