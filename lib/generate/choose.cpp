// One more id of a text: which it is, who hears of it, and whether it is the last.
#include <algorithm>

#include "core/platform.h"
#include "generate/writing.h"

namespace linnet {

using namespace generation;
using End = GenerateReport::End;

namespace {

bool contains(std::span<const int32_t> ids, int32_t id) { return std::find(ids.begin(), ids.end(), id) != ids.end(); }

// -1 where the logits decide.
int32_t forced(const GenerateOptions& options, uint32_t written) {
  if (options.forced_bos >= 0 && written == 0) return options.forced_bos;
  return written + 1 == options.max_tokens ? options.forced_eos : -1;
}

// The one place where a grammar or schema narrows what may be drawn.
Status ask_filter(Generator::Impl& generator, const Writing& text, History* history) {
  if (!text.filter.allowed) return {};
  std::fill(generator.allowed.begin(), generator.allowed.end(), uint64_t{0});
  history->allowed = {generator.allowed.data(), generator.allowed.size()};
  uint32_t budget = generator.options.max_tokens - text.report.new_tokens;
  // A text that must stop when the context is full has to be complete by then; its last id need not be read. What the sequence holds is
  // counted by the text: drafts that are being looked at stand behind it.
  if (generator.options.context_policy != ContextPolicy::slide)
    budget = std::min(budget, generator.session.plan().limits().context - static_cast<uint32_t>(text.before + text.read) + 1);
  return text.filter.allowed(text.filter.user, budget, {generator.allowed.data(), generator.allowed.size()});
}

Result<int32_t> next_id(Generator::Impl& generator, const Writing& text, std::span<const float> logits) {
  const GenerateOptions& options = generator.options;
  int32_t id = forced(options, text.report.new_tokens);
  if (id < 0) {
    History history{.ids = text.all(), .prompt = text.fixed(), .before = text.before, .stream = text.number};
    if (text.report.new_tokens < options.min_tokens) history.excluded = options.eos;
    LINNET_TRY(ask_filter(generator, text, &history));
    id = generator.sampler.draw(logits, history);
    if (id < 0)
      return Status::error(Code::invalid_argument, "text %u: every id of the vocabulary is excluded at its place %u", text.number,
                           text.report.new_tokens);
  }
  if (text.filter.accept) LINNET_TRY(text.filter.accept(text.filter.user, id));
  return id;
}

// Whether the listener wants more of this text.
bool tell(const GenerateOptions& options, const Writing& text, int32_t id, size_t already, float log_probability,
          std::span<const TokenProbability> top) {
  if (!options.on_token) return true;
  const std::string_view whole = text.output ? text.output->text() : std::string_view();
  const std::string_view piece(whole.data() + already, whole.size() - already);
  return options.on_token(options.user, {text.number, id, piece, log_probability, top});
}

}  // namespace

Status Generator::Impl::choose(Writing* text, std::span<const float> logits) noexcept {
  GenerateReport& report = text->report;
  LINNET_ASSIGN(const int32_t id, next_id(*this, *text, logits));
  float log_probability = 0;
  if (log_probabilities) {
    log_probabilities->read(logits);
    log_probability = log_probabilities->of(id);
    report.log_probability += static_cast<double>(log_probability);
  }
  if (!options.ignore_eos && contains(options.eos, id)) {
    report.eos = id;
    report.unread = -1;
    return end(text, End::eos);
  }
  LINNET_TRY(text->ids.push(id));
  LINNET_TRY(text->context.push(id));
  ++report.new_tokens;
  report.unread = id;
  std::span<const TokenProbability> top;
  if (log_probabilities) {
    top = log_probabilities->top();
    LINNET_TRY(text->log_probabilities.push(log_probability));
    for (const TokenProbability& best : top) LINNET_TRY(text->top.push(best));
    LINNET_TRY(text->top_ends.push(static_cast<uint32_t>(text->top.size())));
  }
  bool stop_string = false;
  const size_t already = text->output ? text->output->text().size() : 0;
  if (text->output) LINNET_TRY(text->output->put(id, &stop_string));
  const bool more = tell(options, *text, id, already, log_probability, top);
  if (stop_string) return end(text, End::stop_string);
  if (!more) return end(text, End::stopped);
  if (text->filter.finished && text->filter.finished(text->filter.user)) return end(text, End::complete);
  return report.new_tokens == options.max_tokens ? end(text, End::max_tokens) : Status();
}

Status Generator::Impl::end(Writing* text, End how) noexcept {
  if (text->output && how != End::stop_string) {
    bool stop_string = false;
    const size_t already = text->output->text().size();
    LINNET_TRY(text->output->finish(&stop_string));
    if (stop_string) how = End::stop_string;
    if (text->output->text().size() > already) (void)tell(options, *text, -1, already, 0, {});  // there is nothing left to stop
  }
  text->report.end = how;
  if (text->prompt_read) {
    text->report.prefill_nanoseconds = text->prompt_read - text->started;
    text->report.decode_nanoseconds = core::now() - text->prompt_read;
  }
  text->stage = Writing::Stage::ended;
  release_sequence(text);
  return {};
}

}  // namespace linnet
