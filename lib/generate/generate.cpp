#include "linnet/generate.h"

#include <algorithm>
#include <cmath>

#include "core/memory.h"
#include "core/platform.h"
#include "core/try.h"
#include "runtime/session_impl.h"

namespace linnet {
namespace {

struct Autoregressive {
  std::string_view program, logits;
  size_t vocabulary;
};

Result<Autoregressive> find_program(const Model& model) {
  for (size_t i = 0; i < model.programs(); ++i) {
    ProgramInfo program = model.program(i);
    if (program.kind != "autoregressive") continue;
    for (size_t o = 0; o < program.outputs; ++o) {
      PortInfo port = model.output(i, o);
      if (port.role == "logits") return Autoregressive{program.name, port.name, port.columns};
    }
  }
  return Status::error(Code::unsupported, "the model writes no text: it has no autoregressive program with logits");
}

bool contains(std::span<const int32_t> ids, int32_t id) { return std::find(ids.begin(), ids.end(), id) != ids.end(); }

// Prompt and new ids together, for the repetition penalty.
struct Written {
  Ids all;
  Status add(std::span<const int32_t> ids) { return all.append(ids.data(), ids.size()); }
  std::span<const int32_t> view() const { return {all.data(), all.size()}; }
};

}  // namespace

Result<GenerateReport> generate(Session& session, const Model& model, SequenceId sequence, std::span<const int32_t> prompt,
                                const GenerateOptions& options, Ids* ids) noexcept {
  if (&model.file() != &session.impl().file()) return Status::error(Code::mismatch, "the session was made for another model");
  LINNET_ASSIGN(Autoregressive program, find_program(model));
  LINNET_ASSIGN(Sampler sampler, Sampler::create(program.vocabulary, options.sampling));
  if (prompt.empty()) return Status::error(Code::invalid_argument, "the prompt has no tokens");
  Written history;
  LINNET_TRY(history.add(prompt));

  // A cancellation between two runs must not be forgotten by the second.
  struct Hold {
    explicit Hold(Session::Impl& held) noexcept : session(held) {
      session.cancelled.store(false, std::memory_order_relaxed);
      session.holds_cancel = true;
    }
    ~Hold() { session.holds_cancel = false; }
    Session::Impl& session;
  } hold(session.impl());

  GenerateReport report;
  report.prompt_tokens = static_cast<uint32_t>(prompt.size());
  const uint32_t before = session.length(sequence);
  uint64_t started = core::now();
  Input input;
  input.sequence = sequence;
  input.tokens = prompt;
  LINNET_TRY(session.prefill(program.program, input));
  uint64_t prefilled = core::now();
  report.prefill_nanoseconds = prefilled - started;

  while (report.new_tokens < options.max_tokens) {
    LINNET_ASSIGN(Matrix logits, session.output(program.logits));
    if (logits.rows == 0) return Status::error(Code::unsupported, "the model's program gives no logits for the last token");
    std::span<const float> last = logits.row(logits.rows - 1);
    int32_t id = sampler.draw(last, {.ids = history.view(), .prompt = prompt.size(), .before = before});
    if (id < 0) return Status::error(Code::invalid_argument, "every id of the vocabulary is banned");
    if (!options.ignore_eos && contains(options.eos, id)) {
      report.end = GenerateReport::End::eos;
      break;
    }
    LINNET_TRY(ids->append(&id, 1));
    LINNET_TRY(history.add({&id, 1}));
    ++report.new_tokens;
    if (options.on_token && !options.on_token(options.user, id)) {
      report.end = GenerateReport::End::stopped;
      break;
    }
    if (hold.session.cancelled.load(std::memory_order_relaxed))
      return Status::error(Code::cancelled, "writing was cancelled after %u tokens", report.new_tokens);
    if (report.new_tokens == options.max_tokens) break;
    if (session.length(sequence) >= session.plan().limits().context) {
      report.end = GenerateReport::End::context_full;
      break;
    }
    input.tokens = {&id, 1};
    LINNET_TRY(session.run(program.program, {&input, 1}));
  }
  report.decode_nanoseconds = core::now() - prefilled;
  return report;
}

}  // namespace linnet
