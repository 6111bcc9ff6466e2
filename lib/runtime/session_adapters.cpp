// Adapters of a session: attached to one of the planned places, chosen per sequence.
#include "core/try.h"
#include "format/header.h"
#include "runtime/session_impl.h"

namespace linnet {

using namespace runtime;

Result<AdapterId> Session::attach(const Adapter& adapter) noexcept {
  Entry entry(impl_);
  LINNET_TRY(entry.status());
  const Limits& limits = impl_->planned().limits;
  if (adapter.file().base() != &impl_->file()) return Status::error(Code::mismatch, "the adapter was opened for another model");
  if (adapter.rank() > limits.adapter_rank && limits.adapters != 0)
    return Status::error(Code::invalid_argument, "the adapter has rank %u but limits.adapter_rank is %u", adapter.rank(),
                         limits.adapter_rank);
  for (size_t i = 0; i < impl_->attached.size(); ++i) {
    if (impl_->attached[i]) continue;
    const_cast<format::AdapterFile&>(adapter.file()).retain();
    impl_->attached[i] = &adapter.file();
    return static_cast<AdapterId>(i);
  }
  return Status::error(Code::context_full, "all %u planned adapters are attached; detach one or raise limits.adapters", limits.adapters);
}

Status Session::detach(AdapterId adapter) noexcept {
  Entry entry(impl_);
  LINNET_TRY(entry.status());
  LINNET_TRY(check_adapter(*impl_, adapter));
  if (adapter == kNoAdapter) return Status::error(Code::invalid_argument, "no adapter was named");
  for (size_t s = 0; s < impl_->chosen.size(); ++s)
    if (impl_->sequences[s].alive && impl_->chosen[s].adapter == adapter)
      return Status::error(Code::invalid_argument, "adapter %u is in use by sequence %zu", adapter, s);
  const_cast<format::AdapterFile*>(std::exchange(impl_->attached[adapter], nullptr))->release();
  return {};
}

Status Session::use(SequenceId sequence, AdapterId adapter) noexcept {
  Entry entry(impl_);
  LINNET_TRY(entry.status());
  if (sequence >= impl_->sequences.size() || !impl_->sequences[sequence].alive)
    return Status::error(Code::invalid_argument, "there is no sequence %u", sequence);
  LINNET_TRY(check_adapter(*impl_, adapter));
  if (!impl_->chosen.empty()) impl_->chosen[sequence].adapter = adapter;
  return {};
}

AdapterId Session::adapter(SequenceId sequence) const noexcept {
  return sequence < impl_->chosen.size() && impl_->sequences[sequence].alive ? impl_->chosen[sequence].adapter : kNoAdapter;
}

bool Session::computed_with(SequenceId sequence, AdapterId adapter) const noexcept {
  if (sequence >= impl_->sequences.size() || !impl_->sequences[sequence].alive || !check_adapter(*impl_, adapter).ok()) return false;
  return impl_->sequences[sequence].empty() || state_origin(*impl_, sequence) == adapter_hash(*impl_, adapter);
}

namespace runtime {

Status check_adapter(const Session::Impl& session, AdapterId adapter) noexcept {
  if (adapter == kNoAdapter || (adapter < session.attached.size() && session.attached[adapter])) return {};
  return Status::error(Code::invalid_argument, "there is no adapter %u", adapter);
}

uint64_t adapter_hash(const Session::Impl& session, AdapterId adapter) noexcept {
  return adapter == kNoAdapter ? 0 : session.attached[adapter]->file().hash();
}

uint64_t state_origin(const Session::Impl& session, SequenceId sequence) noexcept {
  return session.chosen.empty() || session.sequences[sequence].empty() ? 0 : session.chosen[sequence].origin;
}

void note_origin(Session::Impl* session, SequenceId sequence, bool replaces) noexcept {
  if (session->chosen.empty()) return;
  Chosen& chosen = session->chosen[sequence];
  const uint64_t hash = adapter_hash(*session, chosen.adapter);
  if (replaces || session->sequences[sequence].empty())
    chosen.origin = hash;
  else if (chosen.origin != hash)
    chosen.origin = kSeveralOrigins;
}

void detach_all(Session::Impl* session) noexcept {
  for (const format::AdapterFile*& file : session->attached)
    if (file) const_cast<format::AdapterFile*>(std::exchange(file, nullptr))->release();
}

}  // namespace runtime
}  // namespace linnet
