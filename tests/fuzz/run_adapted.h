// Opening whatever comes as an adapter of one base, and running the base with it. Returns the number of runs that succeeded.
#pragma once

#include <cstdlib>
#include <cstring>

#include "linnet/session.h"

namespace linnet::tests {

inline size_t run_adapted(const Model& base, const void* bytes, size_t size) {
  const Result<Adapter> adapter = Adapter::open(base, bytes, size);
  if (!adapter.ok()) {
    const Code code = adapter.status().code();
    // A refusal is one of these and says why.
    if (code != Code::corrupt && code != Code::unsupported && code != Code::mismatch) std::abort();
    if (std::strlen(adapter.status().message()) == 0) std::abort();
    return 0;
  }
  for (size_t i = 0; i <= adapter->targets(); ++i) static_cast<void>(adapter->target(i));
  const Limits limits{
      .context = 16, .batch_tokens = 8, .sequences = 2, .outputs = 8, .threads = 1, .adapters = 1, .adapter_rank = 16, .isa = "portable"};
  const Result<Plan> planned = plan(base, limits);
  if (!planned.ok()) return 0;
  Result<Session> session = Session::create(base, *planned);
  if (!session.ok()) return 0;
  const Result<AdapterId> id = session->attach(*adapter);
  if (!id.ok()) return 0;
  size_t runs = 0;
  for (const size_t count : {size_t{3}, size_t{1}}) {
    const Result<SequenceId> sequence = session->add();
    const int32_t tokens[] = {0, 10, 2};
    const bool used = sequence.ok() && session->use(*sequence, *id).ok();
    const Input input{.sequence = used ? *sequence : 0, .tokens = {tokens, count}};
    if (!used || !session->run(base.program(0).name, {&input, 1}, {.outputs = RunOptions::Outputs::all}).ok()) continue;
    ++runs;
    const Result<Matrix> out = session->output("logits");
    volatile float last = 0;  // the sanitizer watches the reads
    for (size_t i = 0; out.ok() && i < out->rows * out->columns; ++i) last = out->data[i];
    static_cast<void>(last);
  }
  return runs;
}

}  // namespace linnet::tests
