// A turn that reads drafts behind the text's last id (speculative decoding, arXiv 2211.17192): the logits behind each of them choose the
// next id as always, and the first choice that differs from its draft ends the turn. Rows have the same bits in any company, so the text
// is the one that would have been written without drafts.
#include <algorithm>

#include "core/platform.h"
#include "generate/writing.h"

namespace linnet {

using namespace generation;

bool Generator::Impl::may_speculate() const noexcept {
  if (!speculator || parts.size() != 1) return false;
  const Writing& text = *parts[0].text;
  return text.unread().size() == 1 && (text.read >= text.fixed() || text.slid);
}

Status Generator::Impl::speculative_turn() noexcept {
  Writing* text = parts[0].text;
  const uint64_t started = core::now();
  const uint32_t held = session.length(text->sequence);
  const size_t room = std::min<size_t>(session.plan().limits().context - held - 1, options.max_tokens - text->report.new_tokens - 1);
  LINNET_ASSIGN(std::span<const int32_t> drafts,
                speculator->propose(text->number, text->all(), {text->context.data(), text->context.size()}, room));

  int32_t tokens[1 + Speculator::kMost] = {text->unread()[0]};
  std::copy(drafts.begin(), drafts.end(), tokens + 1);
  Input input;
  input.sequence = text->sequence;
  input.tokens = {tokens, 1 + drafts.size()};
  LINNET_TRY(session.run(program.program, {&input, 1}, {.outputs = RunOptions::Outputs::all}));
  const uint64_t nanoseconds = core::now() - started;
  LINNET_ASSIGN(Matrix logits, session.output(program.logits));
  if (logits.rows != input.tokens.size()) return Status::error(Code::unsupported, "the model's program gives no logits for the last token");

  // From here on an error would leave the text without its next id.
  broken = true;
  size_t kept = 0;
  for (size_t row = 0;; ++row) {
    ++text->read;
    const size_t before = text->ids.size();
    LINNET_TRY(choose(text, logits.row(row)));
    if (text->stage == Writing::Stage::ended || row == drafts.size()) break;
    if (text->ids.size() == before || text->ids.back() != drafts[row]) break;
    ++kept;
  }
  text->report.drafted += static_cast<uint32_t>(drafts.size());
  text->report.drafts_kept += static_cast<uint32_t>(kept);
  speculator->report(drafts.size(), kept, nanoseconds);
  const uint32_t surplus = static_cast<uint32_t>(drafts.size() - kept);
  const bool gone = text->stage == Writing::Stage::ended && text->owns_sequence;
  if (surplus && !gone) LINNET_TRY(session.rewind(text->sequence, surplus));
  broken = false;
  return {};
}

}  // namespace linnet
