// One turn: every text that can run takes part in one run. Those that write read one id each, prompts share the rows that are left.
// Where one text alone is written, speculative_turn.cpp reads drafts with it.
#include <algorithm>

#include "core/platform.h"
#include "generate/hold_cancel.h"
#include "generate/writing.h"

namespace linnet {

using namespace generation;
using Stage = Writing::Stage;

namespace {

bool reads_prompt(const Writing& text) { return text.read < text.fixed(); }

// Makes `sequence` hold all of the prompt of `text` but its last id, whose logits are wanted.
bool take_over(Session& session, SequenceId sequence, Writing* text) {
  const size_t held = text->prompt - 1;
  if (!session.rewind(sequence, session.length(sequence) - static_cast<uint32_t>(held)).ok()) return false;
  text->sequence = sequence;
  text->read = held;
  text->encoded = true;
  text->stage = Stage::running;
  text->started = core::now();
  return true;
}

// A sequence for a text that waits: a fork of one that has read the prompt, or a new one.
Status find_sequence(Generator::Impl& generator, Writing* text) {
  for (const Writing* other : generator.texts) {
    if (other->stage != Stage::running || other->prompt_of != text->prompt_of || other->slid) continue;
    LINNET_ASSIGN(SequenceId copy, generator.session.fork(other->sequence));
    if (take_over(generator.session, copy, text)) return {};
    LINNET_TRY(generator.session.remove(copy));  // a window has left the prompt behind
    break;
  }
  LINNET_ASSIGN(text->sequence, generator.session.add(text->adapter));
  text->stage = Stage::running;
  text->started = core::now();
  return {};
}

// Texts from one prompt wait for the one that reads it.
bool prompt_is_being_read(const Generator::Impl& generator, const Writing& text) {
  return std::any_of(generator.texts.begin(), generator.texts.end(), [&](const Writing* other) {
    return other->stage == Stage::running && other->prompt_of == text.prompt_of && !other->slid && reads_prompt(*other);
  });
}

Status admit(Generator::Impl& generator) {
  size_t running = 0;
  for (const Writing* text : generator.texts) running += text->stage == Stage::running;
  for (Writing* text : generator.texts) {
    if (text->stage != Stage::waiting || running >= generator.together || prompt_is_being_read(generator, *text) ||
        !generator.has_room_for_source(*text))
      continue;
    Status status = find_sequence(generator, text);
    if (status.code() == Code::context_full && running > 0) return {};  // others of the session's sequences are in use
    LINNET_TRY(std::move(status));
    ++running;
  }
  return {};
}

}  // namespace

void Generator::Impl::release_sequence(Writing* text) noexcept {
  if (!text->owns_sequence) return;
  for (Writing* other : texts)
    if (other->stage == Stage::waiting && other->prompt_of == text->prompt_of && !text->slid && !reads_prompt(*text) &&
        take_over(session, text->sequence, other))
      return;
  (void)session.remove(text->sequence);  // it is alive
}

Status Generator::Impl::plan_turn() noexcept {
  parts.clear();
  for (Writing* text : texts)
    if (text->stage == Stage::running && text->unread().size() == 1 && session.length(text->sequence) >= session.plan().limits().context)
      LINNET_TRY(make_room(text));
  LINNET_TRY(admit(*this));
  if (program.reads_source()) LINNET_TRY(read_sources());
  size_t rows = session.plan().limits().batch_tokens;
  for (bool prompts : {false, true})
    for (Writing* text : texts) {
      if (text->stage != Stage::running || (text->unread().size() > 1) != prompts || rows == 0 || parts.size() == together) continue;
      const size_t count = std::min(rows, text->unread().size());
      LINNET_TRY(parts.push({text, count}));
      rows -= count;
    }
  return {};
}

Status Generator::Impl::turn() noexcept {
  inputs.clear();
  for (const Part& part : parts) {
    const Writing& text = *part.text;
    if (!part.text->started) part.text->started = core::now();
    Input input;
    input.sequence = text.sequence;
    input.tokens = text.unread().first(part.count);
    input.total_length = session.length(text.sequence) + static_cast<uint32_t>(text.unread().size());
    LINNET_TRY(inputs.push(input));
  }
  LINNET_TRY(session.run(program.program, {inputs.data(), inputs.size()}));
  // From here on an error would leave texts without their next id.
  broken = true;
  for (size_t i = 0; i < parts.size(); ++i) {
    Writing* text = parts[i].text;
    const bool prompt = !text->prompt_read;
    text->read += parts[i].count;
    if (text->unread().empty() && prompt) text->prompt_read = core::now();
    if (prompt && options.on_prompt &&
        !options.on_prompt(options.user, text->number, static_cast<uint32_t>(text->read - text->held),
                           static_cast<uint32_t>(text->prompt))) {
      LINNET_TRY(end(text, GenerateReport::End::stopped));
      continue;
    }
    if (!text->unread().empty()) continue;
    LINNET_ASSIGN(Matrix logits, session.output(program.logits));
    if (logits.rows != parts.size()) return Status::error(Code::unsupported, "the model's program gives no logits for the last token");
    LINNET_TRY(options.max_tokens ? choose(text, logits.row(i)) : end(text, GenerateReport::End::max_tokens));
  }
  broken = false;
  return {};
}

Status Generator::run() noexcept {
  if (impl_->broken) return Status::error(Code::invalid_argument, "the generator cannot go on after an error between two runs");
  HoldCancel hold(impl_->session);
  for (;;) {
    LINNET_TRY(impl_->plan_turn());
    if (impl_->parts.empty()) return {};
    if (hold.cancelled()) return Status::error(Code::cancelled, "writing was cancelled");
    LINNET_TRY(impl_->may_speculate() ? impl_->speculative_turn() : impl_->turn());
  }
}

}  // namespace linnet
