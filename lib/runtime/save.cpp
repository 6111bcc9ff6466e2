// A sequence's state in a file of its own, bound to the model by its hash: header, then the pages of every retention group.
#include <algorithm>
#include <cstddef>
#include <cstring>

#include "core/checked.h"
#include "core/memory.h"
#include "core/platform.h"
#include "format/header.h"
#include "runtime/session_impl.h"

namespace linnet {
namespace {

using namespace runtime;

constexpr uint8_t kStateMagic[8] = {'L', 'I', 'N', 'N', 'S', 'T', '\r', '\n'};
constexpr uint32_t kStateVersion = 1;
constexpr uint32_t kSourceVersion = 2;  // of models that read a source

struct StateHeader {
  uint8_t magic[8];
  uint32_t version;
  uint32_t length;       // committed positions
  uint64_t model_hash;   // with an adapter: of both (state_hash)
  uint64_t layout_hash;  // of encodings and page sizes
  uint64_t page_bytes;   // all pages together
  uint64_t page_checksum;
  uint64_t header_checksum;  // of this struct with this field 0
  // From version 2 on:
  uint64_t source;  // positions of the source

  size_t bytes() const { return version == kStateVersion ? offsetof(StateHeader, source) : sizeof(StateHeader); }
  uint64_t checksum() const {
    StateHeader copy = *this;
    copy.header_checksum = 0;
    return format::checksum(&copy, bytes());
  }
};

uint32_t version_of(const Plan::Impl& plan) {
  for (const plan_detail::Retention& retention : plan.retentions)
    if (retention.source) return kSourceVersion;
  return kStateVersion;
}

// What must agree for pages to be read back: the states' layouts, group by group.
uint64_t layout_hash(const Plan::Impl& plan) {
  uint64_t hash = 1;
  for (size_t i = 0; i < plan.layouts.size(); ++i) {
    const ops::StateLayout& layout = plan.layouts[i];
    const uint64_t facts[] = {
        hash, static_cast<uint64_t>(layout.encoding), layout.keys, layout.values, layout.key_row, layout.value_row, plan.retention_of[i]};
    hash = format::checksum(facts, sizeof facts);
  }
  return hash;
}

// What a state is bound to: the model, or the model with the adapter that computed it. A reader that knows no adapters refuses the latter.
uint64_t state_hash(const Session::Impl& session, uint64_t adapter) {
  const uint64_t both[] = {session.file().hash(), adapter};
  return adapter == 0 ? both[0] : format::checksum(both, sizeof both);
}

Status check_hash(const Session::Impl& session, uint64_t stored, AdapterId adapter) {
  const bool plain = adapter == kNoAdapter;
  if (stored == state_hash(session, adapter_hash(session, adapter))) return {};
  if (stored == state_hash(session, 0))
    return Status::error(Code::mismatch, "the saved state was computed without an adapter, not with adapter %u", adapter);
  for (size_t i = 0; i < session.attached.size(); ++i)
    if (session.attached[i] && stored == state_hash(session, session.attached[i]->file().hash()))
      return Status::error(Code::mismatch,
                           plain ? "the saved state was computed with adapter %zu, not with the model alone"
                                 : "the saved state was computed with adapter %zu, not with the one that was asked for",
                           i);
  return Status::error(Code::mismatch, "the saved state belongs to another model, or to an adapter that is not attached");
}

// The pages that a sequence has of so many positions: everything, or what the windows keep.
struct Stretch {
  uint32_t first, count;
};

Stretch stretch_of(const plan_detail::Retention& retention, const Sequence& sequence) {
  const uint32_t length = retention.source ? sequence.source : sequence.length;
  uint32_t end = static_cast<uint32_t>(core::ceil_divide(length, ops::kPagePositions));
  // What the next query sees; positions kept for rewinding are not saved.
  uint32_t first = retention.window && length >= retention.window ? (length + 1 - retention.window) / ops::kPagePositions : 0;
  return {first, end > first ? end - first : 0};
}

Sequence sequence_of(const StateHeader& header) {
  return {.alive = true, .length = header.length, .source = static_cast<uint32_t>(header.source)};
}

struct Bytes {
  uint64_t count = 0, sum = 1;
  void add(const uint8_t* page, size_t size) {
    const uint64_t chain[] = {sum, format::checksum(page, size)};
    sum = format::checksum(chain, sizeof chain);
    count += size;
  }
};

// Rows behind the committed length may hold what was rewound, or another sequence's words where a page was shared. Clears those of one
// page.
void clear_rows(const Session::Impl& session, size_t retention, uint32_t first_row, uint8_t* page) {
  const Plan::Impl& plan = session.planned();
  const size_t rows = ops::kPagePositions - first_row;
  for (size_t s = 0; s < plan.layouts.size(); ++s) {
    const ops::StateLayout& layout = plan.layouts[s];
    if (plan.retention_of[s] != retention) continue;
    for (size_t head = 0; head < layout.heads; ++head) {
      const size_t row = head * ops::kPagePositions + first_row;
      std::memset(page + layout.keys + row * layout.key_row, 0, rows * layout.key_row);
      std::memset(page + layout.values + row * layout.value_row, 0, rows * layout.value_row);
      if (layout.encoding != kernels::StateEncoding::int8) continue;
      std::memset(page + layout.key_scales + row * sizeof(float), 0, rows * sizeof(float));
      if (layout.value_row == 0) continue;  // values are part of the keys
      std::memset(page + layout.value_scales + row * sizeof(float), 0, rows * sizeof(float));
    }
  }
}

// One page's memory, for the page that the committed length ends in.
class LastPage {
 public:
  ~LastPage() { core::release(memory_); }
  Status reserve(const Plan::Impl& plan) {
    uint64_t bytes = 0;
    for (const plan_detail::Retention& retention : plan.retentions) bytes = std::max(bytes, retention.page_bytes);
    memory_ = static_cast<uint8_t*>(core::allocate(static_cast<size_t>(bytes)));
    return memory_ ? Status()
                   : Status::error(Code::out_of_memory, "no memory for a page of %llu bytes", static_cast<unsigned long long>(bytes));
  }
  const uint8_t* cleared(const Session::Impl& session, size_t retention, uint32_t first_row, const uint8_t* page) {
    std::memcpy(memory_, page, static_cast<size_t>(session.planned().retentions[retention].page_bytes));
    clear_rows(session, retention, first_row, memory_);
    return memory_;
  }

 private:
  uint8_t* memory_ = nullptr;
};

template <class Page>
Status for_each_page(const Session::Impl& session, SequenceId sequence, Page&& page) {
  const Plan::Impl& plan = session.planned();
  for (size_t r = 0; r < plan.retentions.size(); ++r) {
    const PageList& list = session.pools[r].lists[sequence];
    Stretch stretch = stretch_of(plan.retentions[r], session.sequences[sequence]);
    for (uint32_t i = 0; i < stretch.count; ++i)
      LINNET_TRY(page(r, stretch.first + i, page_address(session, r, list.pages[stretch.first + i - list.first_page])));
  }
  return {};
}

// The same pages as they go into a file.
template <class Write>
Status for_each_saved_page(const Session::Impl& session, SequenceId sequence, LastPage* last, Write&& write) {
  const uint32_t length = session.sequences[sequence].length, rows = length % ops::kPagePositions;
  return for_each_page(session, sequence, [&](size_t retention, uint32_t number, const uint8_t* page) {
    // Pages of sources are written once and hold nothing else.
    const bool partial = rows != 0 && number == length / ops::kPagePositions && !session.planned().retentions[retention].source;
    return write(partial ? last->cleared(session, retention, rows, page) : page,
                 static_cast<size_t>(session.planned().retentions[retention].page_bytes));
  });
}

Status check_state_header(const Session::Impl& session, StateHeader header, uint64_t file_bytes, AdapterId adapter) {
  if (std::memcmp(header.magic, kStateMagic, sizeof kStateMagic) != 0) return Status::error(Code::corrupt, "not a saved Linnet state");
  if (header.version != kStateVersion && header.version != kSourceVersion)
    return Status::error(Code::unsupported, "a saved state of version %u; this library reads %u and %u", header.version, kStateVersion,
                         kSourceVersion);
  // Of another version than this model's, so of another model; its header may be longer than what was read.
  if (header.version != version_of(session.planned()))
    return Status::error(Code::mismatch, "the saved state belongs to another model: one of the two reads a source, the other none");
  if (header.checksum() != header.header_checksum) return Status::error(Code::corrupt, "the saved state's header is damaged");
  LINNET_TRY(check_hash(session, header.model_hash, adapter));
  if (header.layout_hash != layout_hash(session.planned()))
    return Status::error(Code::mismatch, "the saved state has another encoding than this session; choose the same limits.state");
  if (header.length > session.planned().limits.context)
    return Status::error(Code::context_full, "the saved state has %u positions; the planned context is %u", header.length,
                         session.planned().limits.context);
  const Plan::Impl& plan = session.planned();
  if (header.source > plan.limits.source_tokens)
    return Status::error(Code::context_full, "the saved state has a source of %llu tokens; limits.source_tokens is %u",
                         static_cast<unsigned long long>(header.source), plan.limits.source_tokens);
  uint64_t expected = 0;
  for (const plan_detail::Retention& retention : plan.retentions) {
    Stretch stretch = stretch_of(retention, sequence_of(header));
    if (stretch.count > retention.pages_per_sequence)
      return Status::error(Code::context_full, "the saved state's windows do not fit this session's limits");
    expected += stretch.count * retention.page_bytes;
  }
  if (header.page_bytes != expected)
    return Status::error(Code::corrupt, "the saved state holds %llu bytes of pages, not %llu",
                         static_cast<unsigned long long>(header.page_bytes), static_cast<unsigned long long>(expected));
  if (file_bytes != header.bytes() + expected)
    return Status::error(Code::corrupt, "the saved state is truncated or something was appended");
  return {};
}

Status read_pages(Session::Impl* session, const core::File& file, SequenceId sequence, const StateHeader& header) {
  const Plan::Impl& plan = session->planned();
  for (size_t r = 0; r < plan.retentions.size(); ++r)
    session->pools[r].lists[sequence].first_page = stretch_of(plan.retentions[r], sequence_of(header)).first;
  // Reserve from each group's first page on: lists are empty, so every page is new and the sequence's own.
  const auto source = static_cast<uint32_t>(header.source);
  if (!reserve_stretches(session, sequence, header.length) || !stage_source(session, sequence, source)) {
    drop_staged(session, sequence);
    return Status::error(Code::context_full, "no pages are left for the saved state");
  }
  replace_source(session, sequence, source);
  session->sequences[sequence].length = header.length;
  uint64_t offset = header.bytes();
  Bytes bytes;
  Status status = for_each_page(*session, sequence, [&](size_t retention, uint32_t, uint8_t* page) -> Status {
    const size_t size = static_cast<size_t>(plan.retentions[retention].page_bytes);
    LINNET_TRY(file.read(offset, page, size));
    offset += size;
    bytes.add(page, size);
    return {};
  });
  LINNET_TRY(std::move(status));
  if (bytes.sum != header.page_checksum) return Status::error(Code::corrupt, "the saved state's pages are damaged");
  return {};
}

}  // namespace

Status Session::save(SequenceId sequence, const char* path) const noexcept {
  runtime::Entry entry(impl_);
  LINNET_TRY(entry.status());
  return runtime::save_sequence(*impl_, sequence, path);
}

Result<SequenceId> Session::restore(const char* path, AdapterId adapter) noexcept {
  if (!path) return Status::error(Code::invalid_argument, "no path was given");
  runtime::Entry entry(impl_);
  LINNET_TRY(entry.status());
  LINNET_TRY(runtime::check_adapter(*impl_, adapter));
  LINNET_ASSIGN(SequenceId sequence, runtime::add_sequence(impl_));
  Status status = runtime::restore_sequence(impl_, sequence, path, adapter);
  if (status.ok()) return sequence;
  runtime::remove_sequence(impl_, sequence);
  return Status::error(status.code(), "%s: %s", path, status.message());
}

namespace runtime {

Status save_sequence(const Session::Impl& session, SequenceId sequence, const char* path) noexcept {
  if (sequence >= session.sequences.size() || !session.sequences[sequence].alive)
    return Status::error(Code::invalid_argument, "there is no sequence %u", sequence);
  if (state_origin(session, sequence) == kSeveralOrigins)
    return Status::error(Code::invalid_argument, "sequence %u was computed with more than one adapter; a saved state is bound to one",
                         sequence);
  StateHeader header = {};
  std::memcpy(header.magic, kStateMagic, sizeof kStateMagic);
  header.version = version_of(session.planned());
  header.length = session.sequences[sequence].length;
  header.source = session.sequences[sequence].source;
  header.model_hash = state_hash(session, state_origin(session, sequence));
  header.layout_hash = layout_hash(session.planned());
  LastPage last;
  LINNET_TRY(last.reserve(session.planned()));
  Bytes bytes;
  LINNET_TRY(for_each_saved_page(session, sequence, &last, [&](const uint8_t* page, size_t size) -> Status {
    bytes.add(page, size);
    return {};
  }));
  header.page_bytes = bytes.count;
  header.page_checksum = bytes.sum;
  header.header_checksum = header.checksum();
  LINNET_ASSIGN(core::AtomicFile file, core::AtomicFile::create(path));
  LINNET_TRY(file.write(&header, header.bytes()));
  LINNET_TRY(for_each_saved_page(session, sequence, &last, [&](const uint8_t* page, size_t size) { return file.write(page, size); }));
  return file.commit();
}

Status restore_sequence(Session::Impl* session, SequenceId sequence, const char* path, AdapterId adapter) noexcept {
  LINNET_ASSIGN(core::File file, core::File::open(path));
  LINNET_ASSIGN(uint64_t length, file.length());
  StateHeader header = {};
  header.version = version_of(session->planned());
  if (length < header.bytes())
    return Status::error(Code::corrupt, "%llu bytes are too few for a saved state", static_cast<unsigned long long>(length));
  LINNET_TRY(file.read(0, &header, header.bytes()));
  LINNET_TRY(check_state_header(*session, header, length, adapter));
  if (!session->chosen.empty()) session->chosen[sequence] = {adapter, adapter_hash(*session, adapter)};
  return read_pages(session, file, sequence, header);
}

}  // namespace runtime
}  // namespace linnet
