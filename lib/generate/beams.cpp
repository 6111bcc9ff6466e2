// One step of a beam search: log-probabilities, continuations, what ends, what goes on, and whether it is enough.
#include "generate/beams.h"

#include <algorithm>
#include <cmath>

#include "core/checked.h"
#include "core/limits.h"
#include "core/memory.h"
#include "generate/adjust.h"

namespace linnet {

using namespace generation;

namespace {

Status check(const BeamOptions& options, size_t vocabulary) {
  if (options.beams == 0 || options.beams > core::limits::kBeams)
    return Status::error(Code::invalid_argument, "beams is %u; it must be at least 1 and at most %u", options.beams, core::limits::kBeams);
  if (options.max_tokens == 0 || options.max_tokens > core::limits::kContext)
    return Status::error(Code::invalid_argument, "max_tokens is %u; a beam search needs at least 1 and at most %u", options.max_tokens,
                         core::limits::kContext);
  if (options.min_tokens > options.max_tokens)
    return Status::error(Code::invalid_argument, "min_tokens is %u but max_tokens only %u", options.min_tokens, options.max_tokens);
  if (!std::isfinite(options.length_penalty)) return Status::error(Code::invalid_argument, "length_penalty must be a finite number");
  for (const auto& [name, id] : {std::pair<const char*, int32_t>{"forced_bos", options.forced_bos}, {"forced_eos", options.forced_eos}})
    if (id >= 0 && static_cast<size_t>(id) >= vocabulary)
      return Status::error(Code::invalid_argument, "%s is id %d but the vocabulary has %zu", name, id, vocabulary);
  if (vocabulary == 0 || vocabulary > INT32_MAX)
    return Status::error(Code::invalid_argument, "a vocabulary of %zu tokens cannot be searched", vocabulary);
  return {};
}

}  // namespace

Status BeamSearch::Impl::prepare(std::span<const int32_t> prompt_ids) noexcept {
  prompt = prompt_ids.size();
  width = prompt + options.max_tokens;
  const size_t beams = options.beams;
  // Enough that as many as there are beams remain when every eos of every beam is among them.
  considered = beams * std::max<size_t>(2, 1 + std::min(options.eos.size(), vocabulary));
  if (!(core::Checked(beams) * width).ok() || (core::Checked(beams) * width).value() > SIZE_MAX / sizeof(int32_t))
    return Status::error(Code::out_of_memory, "no memory for %zu beams of %zu ids", beams, width);
  LINNET_TRY(running.reserve(beams));
  LINNET_TRY(next.reserve(beams));
  LINNET_TRY(ids.resize(beams * width));
  LINNET_TRY(next_ids.resize(beams * width));
  LINNET_TRY(finished.reserve(beams));
  LINNET_TRY(finished_ids.resize(beams * options.max_tokens));
  LINNET_TRY(row.resize(vocabulary));
  LINNET_TRY(counts.resize(vocabulary));
  LINNET_TRY(maxima.resize(maxima_size(vocabulary)));
  LINNET_TRY(candidates.resize(vocabulary));
  LINNET_TRY(continuations.reserve(considered + std::min(considered, vocabulary)));
  std::copy(prompt_ids.begin(), prompt_ids.end(), ids.begin());
  return running.push({});
}

// Log-probabilities first, what is asked of them afterwards: nothing is made to sum up to 1 again.
void BeamSearch::Impl::read(std::span<const float> logits, size_t beam) noexcept {
  const std::span<float> log_probabilities{row.data(), vocabulary};
  const float top = finite(maximum(logits));
  const double log_sum = log_sum_exp(logits, top);
  for (size_t i = 0; i < vocabulary; ++i)
    row[i] =
        logits[i] > -FLT_MAX ? static_cast<float>(static_cast<double>(finite(logits[i])) - static_cast<double>(top) - log_sum) : kExcluded;
  History history{.ids = {ids.data() + beam * width, prompt + step - 1}, .prompt = prompt};
  if (step <= options.min_tokens) history.excluded = options.eos;
  if (adjusts(adjustments, history)) adjust(adjustments, history, log_probabilities, counts.data());
  int32_t forced = step == 1 ? options.forced_bos : -1;
  if (step == options.max_tokens && options.forced_eos >= 0) forced = options.forced_eos;
  if (forced < 0) return;
  std::fill(log_probabilities.begin(), log_probabilities.end(), kExcluded);
  row[static_cast<size_t>(forced)] = 0;
}

// Keeps the best continuations of all beams so far.
void BeamSearch::Impl::collect(size_t beam) noexcept {
  const size_t found = most({row.data(), vocabulary}, std::min(considered, vocabulary), maxima.data(), candidates.data());
  for (size_t i = 0; i < found; ++i) {
    const double sum = running[beam].sum - static_cast<double>(candidates[i].key);
    (void)continuations.push({sum, static_cast<uint32_t>(beam), candidates[i].id});  // there is room
  }
  if (continuations.size() <= considered) return;
  std::nth_element(continuations.begin(), continuations.begin() + considered, continuations.end());
  while (continuations.size() > considered) continuations.pop();
}

bool BeamSearch::Impl::is_complete(int32_t id) const noexcept {
  return step == options.max_tokens || std::find(options.eos.begin(), options.eos.end(), id) != options.eos.end();
}

void BeamSearch::Impl::finish(const Continuation& from) noexcept {
  Finished text{from.sum / std::pow(static_cast<double>(step), static_cast<double>(options.length_penalty)),
                static_cast<uint32_t>(finished.size()), step};
  if (finished.size() == options.beams) {
    if (!(text.score > finished.back().score)) return;
    text.slot = finished.back().slot;
    finished.pop();
  }
  int32_t* to = finished_ids.data() + size_t{text.slot} * options.max_tokens;
  std::copy_n(ids.data() + from.beam * width + prompt, step - 1, to);
  to[step - 1] = from.id;
  (void)finished.push(text);  // there is room
  for (size_t i = finished.size() - 1; i > 0 && finished[i].score > finished[i - 1].score; --i) std::swap(finished[i], finished[i - 1]);
}

void BeamSearch::Impl::go_on(const Continuation& from) noexcept {
  int32_t* to = next_ids.data() + next.size() * width;
  std::copy_n(ids.data() + from.beam * width, prompt + step - 1, to);
  to[prompt + step - 1] = from.id;
  (void)next.push({from.sum, from.beam, from.id});  // there is room
}

bool BeamSearch::Impl::can_stop() const noexcept {
  if (step == options.max_tokens || running.empty()) return true;
  if (options.beams == 1) return !finished.empty();  // greedy
  if (finished.size() < options.beams) return false;
  if (options.early_stopping == EarlyStopping::yes) return true;
  const bool to_the_end = options.early_stopping == EarlyStopping::never && options.length_penalty > 0;
  const double length = to_the_end ? options.max_tokens : step;
  return running[0].sum / std::pow(length, static_cast<double>(options.length_penalty)) <= finished.back().score;
}

Result<BeamSearch> BeamSearch::create(size_t vocabulary, std::span<const int32_t> prompt, const BeamOptions& options) noexcept {
  LINNET_TRY(check(options, vocabulary));
  Sampling adjustments;
  adjustments.banned = options.banned;
  adjustments.repetition_penalty = options.repetition_penalty;
  adjustments.no_repeat_ngram = options.no_repeat_ngram;
  LINNET_TRY(check_adjustments(adjustments, vocabulary));
  void* memory = core::allocate(sizeof(Impl));
  if (!memory) return Status::error(Code::out_of_memory, "no memory for a beam search");
  Impl* impl = new (memory) Impl();
  impl->options = options;
  impl->adjustments = adjustments;
  impl->vocabulary = vocabulary;
  BeamSearch search(impl);
  LINNET_TRY(impl->prepare(prompt));
  return search;
}

BeamSearch::BeamSearch(BeamSearch&& other) noexcept : impl_(std::exchange(other.impl_, nullptr)) {}

BeamSearch::~BeamSearch() {
  if (!impl_) return;
  impl_->~Impl();
  core::release(impl_);
}

Status BeamSearch::advance(const Matrix& logits) noexcept {
  Impl& search = *impl_;
  if (search.ended) return Status::error(Code::invalid_argument, "the beam search is done");
  if (logits.rows != search.running.size() || logits.columns != search.vocabulary)
    return Status::error(Code::invalid_argument, "logits of %zu x %zu for %zu beams and a vocabulary of %zu", logits.rows, logits.columns,
                         search.running.size(), search.vocabulary);
  ++search.step;
  search.continuations.clear();
  for (size_t beam = 0; beam < search.running.size(); ++beam) {
    search.read(logits.row(beam), beam);
    search.collect(beam);
  }
  std::sort(search.continuations.begin(), search.continuations.end());
  search.next.clear();
  for (size_t i = 0; i < search.continuations.size(); ++i) {
    const Continuation& continuation = search.continuations[i];
    if (!search.is_complete(continuation.id)) {
      if (search.next.size() < search.options.beams) search.go_on(continuation);
    } else if (i < search.options.beams) {
      search.finish(continuation);
    }
  }
  search.running.swap(search.next);
  search.ids.swap(search.next_ids);
  search.ended = search.can_stop();
  if (!search.ended && search.options.on_step) search.ended = !search.options.on_step(search.options.user, search.step);
  return {};
}

bool BeamSearch::done() const noexcept { return impl_->ended; }
size_t BeamSearch::running() const noexcept { return impl_->running.size(); }
size_t BeamSearch::parent(size_t i) const noexcept { return impl_->running[i].parent; }
int32_t BeamSearch::id(size_t i) const noexcept { return impl_->running[i].id; }
size_t BeamSearch::results() const noexcept { return impl_->finished.size(); }
std::span<const int32_t> BeamSearch::ids(size_t result) const noexcept {
  const Finished& text = impl_->finished[result];
  return {impl_->finished_ids.data() + size_t{text.slot} * impl_->options.max_tokens, text.length};
}
double BeamSearch::score(size_t result) const noexcept { return impl_->finished[result].score; }

}  // namespace linnet
