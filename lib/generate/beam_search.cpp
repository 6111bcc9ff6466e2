// Beam search over a session: the beams are sequences of one batch, and beams that split share their pages.
#include "linnet/beam_search.h"

#include <algorithm>

#include "core/array.h"
#include "generate/hold_cancel.h"
#include "generate/program.h"

namespace linnet {

using namespace generation;

namespace {

/// The sequences of the beams, in their order; removed at the end.
struct Sequences {
  Session& session;
  core::Array<SequenceId> of, next;
  core::Array<uint8_t> taken;  // [beam before]: its sequence goes on

  explicit Sequences(Session& in) noexcept : session(in) {}
  ~Sequences() {
    for (SequenceId sequence : of) (void)session.remove(sequence);  // they are alive
  }

  Status prepare(size_t beams, AdapterId adapter) noexcept {
    LINNET_TRY(of.reserve(beams));
    LINNET_TRY(next.reserve(beams));
    LINNET_TRY(taken.reserve(beams));
    LINNET_ASSIGN(SequenceId first, session.add(adapter));
    return of.push(first);
  }

  /// Makes sequence i that of beam i. What nobody continues is given back first, so that no more are alive than there are beams.
  Status follow(const BeamSearch& search) noexcept {
    taken.clear();
    LINNET_TRY(taken.resize(of.size()));
    for (size_t i = 0; i < search.running(); ++i) taken[search.parent(i)] = 1;
    for (size_t i = 0; i < of.size(); ++i)
      if (!taken[i]) LINNET_TRY(session.remove(of[i]));
    next.clear();
    Status status;
    for (size_t i = 0; i < search.running() && status.ok(); ++i) {
      const size_t parent = search.parent(i);
      const bool first = taken[parent] == 1;
      taken[parent] = 2;
      Result<SequenceId> sequence = first ? Result<SequenceId>(of[parent]) : session.fork(of[parent]);
      status = sequence.ok() ? next.push(*sequence) : std::move(sequence).status();
    }
    // After an error: those that no beam had come to yet.
    for (size_t i = 0; i < of.size(); ++i)
      if (taken[i] == 1) (void)session.remove(of[i]);
    of.swap(next);
    return status;
  }
};

Status check_limits(const Limits& limits, size_t prompt, const BeamOptions& options) {
  for (const auto& [name, limit] : {std::pair<const char*, uint32_t>{"sequences", limits.sequences},
                                    {"outputs", limits.outputs},
                                    {"batch_tokens", limits.batch_tokens}})
    if (limit < options.beams)
      return Status::error(Code::invalid_argument, "%u beams need limits.%s to be as many; it is %u", options.beams, name, limit);
  const uint64_t wanted = uint64_t{prompt} + options.max_tokens - 1;  // the last id is not read
  if (wanted <= limits.context) return {};
  return Status::error(Code::context_full, "%zu prompt tokens and %u new ones need a context of %llu; planned are %u", prompt,
                       options.max_tokens, static_cast<unsigned long long>(wanted), limits.context);
}

}  // namespace

Result<BeamSearch> beam_search(Session& session, const Model& model, std::span<const int32_t> prompt, const BeamOptions& options) noexcept {
  if (&model.file() != &session.impl().file()) return Status::error(Code::mismatch, "the session was made for another model");
  LINNET_ASSIGN(Autoregressive program, find_autoregressive(model));
  LINNET_ASSIGN(prompt, decoder_prompt(program, prompt, !options.source.empty()));
  LINNET_ASSIGN(BeamSearch search, BeamSearch::create(program.vocabulary, prompt, options));
  LINNET_TRY(check_limits(session.plan().limits(), prompt.size(), options));
  HoldCancel hold(session);
  Sequences sequences(session);
  LINNET_TRY(sequences.prepare(options.beams, options.adapter));
  core::Array<Input> inputs;
  LINNET_TRY(inputs.resize(options.beams));
  core::Array<int32_t> ids;
  LINNET_TRY(ids.resize(options.beams));

  if (program.reads_source()) LINNET_TRY(session.prefill(program.encode, {.sequence = sequences.of[0], .tokens = options.source}));
  LINNET_TRY(session.prefill(program.program, {.sequence = sequences.of[0], .tokens = prompt}));
  for (;;) {
    LINNET_ASSIGN(Matrix logits, session.output(program.logits));
    LINNET_TRY(search.advance(logits));
    if (search.done()) break;
    if (hold.cancelled()) return Status::error(Code::cancelled, "the beam search was cancelled");
    LINNET_TRY(sequences.follow(search));
    for (size_t i = 0; i < search.running(); ++i) {
      ids[i] = search.id(i);
      inputs[i].sequence = sequences.of[i];
      inputs[i].tokens = {&ids[i], 1};
    }
    LINNET_TRY(session.run(program.program, {inputs.data(), search.running()}));
  }
  if (search.results() == 0 && !options.on_step)
    return Status::error(Code::invalid_argument, "the beam search found no text: every id is excluded");
  return search;
}

}  // namespace linnet
