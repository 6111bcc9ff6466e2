#include <algorithm>

#include "core/memory.h"
#include "generate/writing.h"
#include "runtime/session_impl.h"

namespace linnet {

using namespace generation;

namespace {

template <class T, class... Arguments>
Result<T*> make(Arguments&&... arguments) {
  void* memory = core::allocate(sizeof(T));
  if (!memory) return Status::error(Code::out_of_memory, "no memory for a text to be written");
  return new (memory) T(std::forward<Arguments>(arguments)...);
}

template <class T>
void destroy(T* object) {
  if (!object) return;
  object->~T();
  core::release(object);
}

Status check_id(const char* option, int32_t id, size_t vocabulary) {
  if (id < 0 || static_cast<size_t>(id) < vocabulary) return {};
  return Status::error(Code::invalid_argument, "%s is id %d but the vocabulary has %zu", option, id, vocabulary);
}

Status check_options(const GenerateOptions& options, size_t vocabulary) {
  LINNET_TRY(check_id("forced_bos", options.forced_bos, vocabulary));
  LINNET_TRY(check_id("forced_eos", options.forced_eos, vocabulary));
  if (options.min_tokens > options.max_tokens)
    return Status::error(Code::invalid_argument, "min_tokens is %u but max_tokens only %u", options.min_tokens, options.max_tokens);
  if (!options.stop.empty() && !options.tokenizer) return Status::error(Code::invalid_argument, "stop strings need a tokenizer");
  if (options.top_log_probabilities && !options.log_probabilities)
    return Status::error(Code::invalid_argument, "top_log_probabilities needs log_probabilities");
  return {};
}

}  // namespace

Writing::~Writing() { destroy(output); }

Generator::Impl::~Impl() {
  for (Writing* text : texts) {
    if (text->stage == Writing::Stage::running && text->owns_sequence) (void)session.remove(text->sequence);  // it is alive
    destroy(text);
  }
}

Status Generator::Impl::prepare() noexcept {
  if (options.log_probabilities) {
    LINNET_ASSIGN(LogProbabilities made, LogProbabilities::create(program.vocabulary, options.top_log_probabilities));
    log_probabilities.emplace(std::move(made));
  }
  LINNET_TRY(stops.set(options.stop));
  if (options.speculation.lookup || options.speculation.draft || options.speculation.draft_model) {
    LINNET_ASSIGN(Speculator made, Speculator::create(options.speculation, session, program));
    speculator.emplace(std::move(made));
  }
  const Limits& limits = session.plan().limits();
  together = std::min({limits.sequences, limits.outputs, limits.batch_tokens});
  LINNET_TRY(inputs.reserve(together));
  return parts.reserve(together);
}

Result<Generator> Generator::create(Session& session, const Model& model, const GenerateOptions& options) noexcept {
  if (&model.file() != &session.impl().file()) return Status::error(Code::mismatch, "the session was made for another model");
  LINNET_ASSIGN(Autoregressive program, find_autoregressive(model));
  LINNET_TRY(check_options(options, program.vocabulary));
  LINNET_ASSIGN(Sampler sampler, Sampler::create(program.vocabulary, options.sampling));
  LINNET_ASSIGN(Impl * impl, make<Impl>(session, program, options, std::move(sampler)));
  Generator generator(impl);
  LINNET_TRY(impl->prepare());
  return generator;
}

Generator::Generator(Generator&& other) noexcept : impl_(std::exchange(other.impl_, nullptr)) {}

Generator::~Generator() { destroy(impl_); }

namespace {

// One text's id that the model does not know would end the run of all.
Status check_ids(const char* what, std::span<const int32_t> ids, uint32_t bound) {
  for (size_t i = 0; i < ids.size(); ++i)
    if (ids[i] < 0 || static_cast<uint32_t>(ids[i]) >= bound)
      return Status::error(Code::invalid_argument, "%s %zu is %d; it must be at least 0 and below %u", what, i, ids[i], bound);
  return {};
}

Status check_start(const Generator::Impl& impl, const Generator::Start& start) {
  LINNET_TRY(check_ids("the prompt's token", start.prompt, impl.program.bound));
  LINNET_TRY(check_ids("the source's token", start.source, impl.program.source_bound));
  LINNET_TRY(check_ids("the held token", start.held, impl.program.bound));
  LINNET_TRY(runtime::check_adapter(impl.session.impl(), start.adapter));
  if (start.samples == 0) return Status::error(Code::invalid_argument, "no samples are asked for");
  if (start.samples > 1 && start.sequence >= 0)
    return Status::error(Code::invalid_argument, "%u samples cannot go on in one sequence; fork it", start.samples);
  if (start.samples > 1 && start.filter.allowed)
    return Status::error(Code::invalid_argument, "a filter serves one sample, not %u", start.samples);
  if (start.source.size() > impl.session.plan().limits().source_tokens)
    return Status::error(Code::context_full, "a source of %zu tokens, but limits.source_tokens is %u", start.source.size(),
                         impl.session.plan().limits().source_tokens);
  if (start.sequence < 0) return start.held.empty() ? Status() : Status::error(Code::invalid_argument, "a new sequence holds no ids");
  const std::span<const runtime::Sequence> sequences = impl.session.impl().sequences;
  if (start.sequence >= static_cast<int64_t>(sequences.size()) || !sequences[static_cast<size_t>(start.sequence)].alive)
    return Status::error(Code::invalid_argument, "there is no sequence %lld", static_cast<long long>(start.sequence));
  const uint32_t length = impl.session.length(static_cast<SequenceId>(start.sequence));
  if (!start.held.empty() && start.held.size() != length)
    return Status::error(Code::invalid_argument, "%zu ids are said to be held but the sequence has %u positions", start.held.size(),
                         length);
  if (impl.options.context_policy == ContextPolicy::slide && start.held.size() != length)
    return Status::error(Code::invalid_argument, "sliding needs all ids that the sequence holds; it has %u positions", length);
  for (const Writing* text : impl.texts)
    if (text->stage != Writing::Stage::ended && !text->owns_sequence && text->sequence == start.sequence)
      return Status::error(Code::invalid_argument, "sequence %u is being written already", text->sequence);
  return {};
}

// Everything that the loop appends to for each new id gets its room now.
Status fill(const Generator::Impl& impl, const Generator::Start& start, Writing* text) {
  const size_t expected = std::min(impl.options.max_tokens, impl.session.plan().limits().context);
  LINNET_TRY(text->ids.reserve(start.held.size() + start.prompt.size() + expected + 1));
  LINNET_TRY(text->context.reserve(text->ids.size() + start.held.size() + start.prompt.size() + expected + 1));
  for (std::span<const int32_t> part : {start.held, start.prompt})
    for (int32_t id : part) {
      LINNET_TRY(text->ids.push(id));
      LINNET_TRY(text->context.push(id));
    }
  text->encoded = start.source.empty();
  if (text->number == text->prompt_of)
    for (int32_t id : start.source) LINNET_TRY(text->source.push(id));
  text->held = text->read = start.held.size();
  text->prompt = start.prompt.size();
  text->filter = start.filter;
  text->adapter = start.adapter;
  text->report.prompt_tokens = static_cast<uint32_t>(start.prompt.size());
  if (start.sequence >= 0) {
    text->stage = Writing::Stage::running;
    text->owns_sequence = false;
    text->sequence = static_cast<SequenceId>(start.sequence);
    text->before = impl.session.length(text->sequence) - start.held.size();
  }
  LINNET_TRY(impl.check_room(*text));
  if (impl.options.log_probabilities) {
    LINNET_TRY(text->log_probabilities.reserve(expected));
    LINNET_TRY(text->top_ends.reserve(expected));
    LINNET_TRY(text->top.reserve(expected * std::min<size_t>(impl.options.top_log_probabilities, impl.program.vocabulary)));
  }
  if (!impl.options.tokenizer) return {};
  LINNET_ASSIGN(text->output, make<TextOutput>(*impl.options.tokenizer, impl.options.skip_special, impl.options.include_stop));
  return text->output->start(impl.stops, text->all());
}

}  // namespace

Result<uint32_t> Generator::add(const Start& asked) noexcept {
  Start start = asked;
  const bool holds = impl_->program.reads_source() && start.sequence >= 0;  // one that its owner gave it; a run says where it lacks
  const bool begun = holds && start.sequence <= UINT32_MAX && impl_->session.length(static_cast<SequenceId>(start.sequence)) > 0;
  if (begun && start.prompt.empty()) return Status::error(Code::invalid_argument, "the prompt has no tokens, and the text has begun");
  LINNET_ASSIGN(start.prompt, decoder_prompt(impl_->program, start.prompt, holds || !start.source.empty()));
  LINNET_TRY(check_start(*impl_, start));
  const size_t first = impl_->texts.size();
  LINNET_TRY(impl_->texts.reserve(first + start.samples));
  if (start.filter.allowed) LINNET_TRY(impl_->allowed.resize((impl_->program.vocabulary + 63) / 64));
  Status status;
  for (uint32_t i = 0; i < start.samples && status.ok(); ++i) {
    Result<Writing*> text = make<Writing>();
    if (text.ok()) {
      (*text)->number = static_cast<uint32_t>(first + i);
      (*text)->prompt_of = static_cast<uint32_t>(first);
      status = fill(*impl_, start, *text);
      if (status.ok()) status = impl_->texts.push(*text);
      if (!status.ok()) destroy(*text);
    } else {
      status = std::move(text).status();
    }
  }
  if (status.ok()) return static_cast<uint32_t>(first);
  while (impl_->texts.size() > first) {
    destroy(impl_->texts.back());
    impl_->texts.pop();
  }
  return status;
}

size_t Generator::texts() const noexcept { return impl_->texts.size(); }
bool Generator::ended(size_t text) const noexcept { return impl_->texts[text]->stage == Writing::Stage::ended; }
std::span<const int32_t> Generator::ids(size_t text) const noexcept { return impl_->texts[text]->written(); }
std::string_view Generator::text(size_t text) const noexcept {
  const TextOutput* output = impl_->texts[text]->output;
  return output ? output->text() : std::string_view();
}
GenerateReport Generator::report(size_t text) const noexcept { return impl_->texts[text]->report; }
std::span<const float> Generator::log_probabilities(size_t text) const noexcept {
  return {impl_->texts[text]->log_probabilities.data(), impl_->texts[text]->log_probabilities.size()};
}

std::span<const TokenProbability> Generator::top(size_t text, size_t i) const noexcept {
  const Writing& of = *impl_->texts[text];
  if (i >= of.top_ends.size()) return {};
  const size_t begin = i ? of.top_ends[i - 1] : 0;
  return {of.top.data() + begin, of.top_ends[i] - begin};
}

size_t Generator::rank(std::span<uint32_t> best) const noexcept {
  auto mean = [&](const Writing& text) {
    const uint32_t drawn = text.report.new_tokens + (text.report.eos >= 0 ? 1 : 0);
    return drawn ? text.report.log_probability / drawn : 0;
  };
  size_t found = 0;
  for (const Writing* text : impl_->texts) {
    if (text->stage != Writing::Stage::ended) continue;
    size_t at = found;  // behind all that are at least as good
    while (at > 0 && mean(*text) > mean(*impl_->texts[best[at - 1]])) --at;
    if (at == best.size()) continue;
    found = std::min(found + 1, best.size());
    std::copy_backward(best.begin() + static_cast<ptrdiff_t>(at), best.begin() + static_cast<ptrdiff_t>(found - 1),
                       best.begin() + static_cast<ptrdiff_t>(found));
    best[at] = text->number;
  }
  return found;
}

}  // namespace linnet
