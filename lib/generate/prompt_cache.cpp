#include "linnet/prompt_cache.h"

#include <algorithm>

#include "core/array.h"
#include "runtime/session_impl.h"

namespace linnet {
namespace {

struct Kept {
  SequenceId sequence = 0;
  bool in_use = false;
  uint64_t last_use = 0;
  core::Array<int32_t> ids;
};

size_t common(std::span<const int32_t> a, const core::Array<int32_t>& b) {
  return static_cast<size_t>(std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first - a.begin());
}

}  // namespace

struct PromptCache::Impl {
  Session* session;
  uint32_t limit = 0;
  uint64_t uses = 0;
  core::Array<Kept> kept;

  // Hands the place out; what it holds is unknown until end().
  Start take(size_t place, size_t held) noexcept {
    Kept& chosen = kept[place];
    chosen.in_use = true;
    chosen.last_use = ++uses;
    return {chosen.sequence, static_cast<uint32_t>(held)};
  }
  void forget(size_t place) noexcept {
    (void)session->remove(kept[place].sequence);  // fails only where the caller removed it
    if (place + 1 != kept.size()) std::swap(kept[place], kept[kept.size() - 1]);
    kept.pop();
  }
  size_t oldest_unused() const noexcept {
    size_t oldest = kept.size();
    for (size_t i = 0; i < kept.size(); ++i)
      if (!kept[i].in_use && (oldest == kept.size() || kept[i].last_use < kept[oldest].last_use)) oldest = i;
    return oldest;
  }
  size_t best_beginning(std::span<const int32_t> prompt, AdapterId adapter, size_t* held) const noexcept {
    size_t best = kept.size();
    *held = 0;
    for (size_t i = 0; i < kept.size(); ++i) {
      if (kept[i].in_use || !session->computed_with(kept[i].sequence, adapter)) continue;
      const size_t shared = std::min(common(prompt, kept[i].ids), prompt.size() - 1);
      // Of two that hold equally much, the shorter one: less has to be taken back.
      const bool better = shared > *held || (shared == *held && best != kept.size() && kept[i].ids.size() < kept[best].ids.size());
      if (shared == 0 || !better) continue;
      *held = shared;
      best = i;
    }
    return best;
  }
  bool room() const noexcept { return kept.size() < limit; }

  Status keep(SequenceId sequence) noexcept {
    Kept entry;
    entry.sequence = sequence;
    return kept.push(std::move(entry));  // reserved at create: cannot fail
  }
  bool holds(SequenceId sequence) const noexcept {
    return std::any_of(kept.begin(), kept.end(), [&](const Kept& entry) { return entry.sequence == sequence; });
  }
  // A new sequence, if need be in the place of the one that was unused for the longest time: the cache may be full, or the session.
  Result<SequenceId> make(AdapterId adapter) noexcept {
    Result<SequenceId> made =
        room() ? session->add(adapter)
               : Result<SequenceId>(Status::error(Code::context_full, "all %u sequences of the cache are in use", limit));
    const size_t oldest = oldest_unused();
    if (made.ok() || made.status().code() != Code::context_full || oldest == kept.size()) return made;
    forget(oldest);
    return session->add(adapter);
  }
  // A copy that ends after `held` ids, so that the longer original stays; false where no sequence is free.
  bool branch(size_t place, size_t held) noexcept {
    if (!room()) return false;
    Result<SequenceId> copy = session->fork(kept[place].sequence);
    if (!copy.ok()) return false;
    const uint32_t surplus = static_cast<uint32_t>(kept[place].ids.size() - held);
    if (session->rewind(*copy, surplus).ok() && keep(*copy).ok()) return true;
    (void)session->remove(*copy);
    return false;
  }
};

Result<PromptCache> PromptCache::create(Session* session, uint32_t sequences) noexcept {
  for (const plan_detail::Retention& retention : session->impl().planned().retentions)
    if (retention.source)
      return Status::error(Code::unsupported, "the model writes from a source: a prompt alone does not say what a sequence holds");
  const uint32_t planned = session->plan().limits().sequences;
  if (sequences > planned)
    return Status::error(Code::invalid_argument, "a cache of %u sequences in a session that was planned for %u", sequences, planned);
  void* memory = core::allocate(sizeof(Impl));
  if (!memory) return Status::error(Code::out_of_memory, "no memory for a prompt cache");
  PromptCache cache(new (memory) Impl{session, sequences ? sequences : planned, 0, {}});
  LINNET_TRY(cache.impl_->kept.reserve(cache.impl_->limit));
  return cache;
}

PromptCache::PromptCache(PromptCache&& other) noexcept : impl_(std::exchange(other.impl_, nullptr)) {}

PromptCache::~PromptCache() {
  if (!impl_) return;
  clear();
  impl_->~Impl();
  core::release(impl_);
}

Result<PromptCache::Start> PromptCache::begin(std::span<const int32_t> prompt, AdapterId adapter) noexcept {
  if (prompt.empty()) return Status::error(Code::invalid_argument, "the prompt has no tokens");
  size_t held, place = impl_->best_beginning(prompt, adapter, &held);
  if (place != impl_->kept.size()) {
    Kept& found = impl_->kept[place];
    LINNET_TRY(impl_->session->use(found.sequence, adapter));  // its user may have chosen another at the end
    const size_t surplus = found.ids.size() - held;
    if (surplus == 0) return impl_->take(place, held);
    if (impl_->branch(place, held)) return impl_->take(impl_->kept.size() - 1, held);
    if (impl_->session->rewind(found.sequence, static_cast<uint32_t>(surplus)).ok()) return impl_->take(place, held);
    // A window has forgotten what would be visible there: begin anew.
  }
  LINNET_ASSIGN(const SequenceId sequence, impl_->make(adapter));
  LINNET_TRY(impl_->keep(sequence));
  return impl_->take(impl_->kept.size() - 1, 0);
}

Status PromptCache::end(SequenceId sequence, std::span<const int32_t> ids) noexcept {
  for (size_t i = 0; i < impl_->kept.size(); ++i) {
    Kept& entry = impl_->kept[i];
    if (!entry.in_use || entry.sequence != sequence) continue;
    entry.in_use = false;
    const uint32_t length = impl_->session->length(sequence);
    if (ids.size() < length) {
      impl_->forget(i);
      return Status::error(Code::invalid_argument, "sequence %u holds %u positions; %zu ids were given", sequence, length, ids.size());
    }
    Status status = entry.ids.resize(length);
    if (!status.ok()) {
      impl_->forget(i);
      return status;
    }
    std::copy_n(ids.begin(), length, entry.ids.begin());
    if (length == 0) impl_->forget(i);
    return {};
  }
  return Status::error(Code::invalid_argument, "sequence %u is not in use by this cache", sequence);
}

Status PromptCache::adopt(SequenceId sequence, std::span<const int32_t> ids) noexcept {
  const uint32_t length = impl_->session->length(sequence);
  if (length != ids.size() || ids.empty())
    return Status::error(Code::invalid_argument, "sequence %u holds %u positions; %zu ids were given", sequence, length, ids.size());
  if (impl_->holds(sequence)) return Status::error(Code::invalid_argument, "sequence %u is in the cache already", sequence);
  Kept entry;
  entry.sequence = sequence;
  entry.last_use = ++impl_->uses;
  LINNET_TRY(entry.ids.resize(ids.size()));
  std::copy(ids.begin(), ids.end(), entry.ids.begin());
  if (!impl_->room()) return Status::error(Code::context_full, "the cache keeps %u sequences already", impl_->limit);
  return impl_->kept.push(std::move(entry));  // reserved at create: cannot fail
}

int64_t PromptCache::find(std::span<const int32_t> ids) const noexcept {
  for (const Kept& entry : impl_->kept)
    if (!entry.in_use && std::equal(ids.begin(), ids.end(), entry.ids.begin(), entry.ids.end())) return entry.sequence;
  return -1;
}

void PromptCache::clear() noexcept {
  for (size_t i = impl_->kept.size(); i-- > 0;)
    if (!impl_->kept[i].in_use) impl_->forget(i);
}

}  // namespace linnet
