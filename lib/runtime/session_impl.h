// What a session is made of. All of it lies in the arena, laid out by the same arithmetic that the plan counted with (control.cpp).
#pragma once

#include <atomic>
#include <span>

#include "linnet/session.h"
#include "plan/plan_impl.h"
#include "runtime/thread_pool.h"

namespace linnet {

namespace runtime {

constexpr uint32_t kNoPage = UINT32_MAX;

/// One sequence's pages in one retention group: page i of the list holds positions from (first_page + i) * 64.
struct PageList {
  uint32_t* pages = nullptr;  // numbers in the pool
  uint32_t count = 0;
  uint32_t first_page = 0;
};

/// The pages of one retention group. Of sources: the lists that a run writes stand aside until it is committed.
struct Pool {
  uint8_t* memory = nullptr;
  uint32_t* references = nullptr;  // of each page
  uint32_t* free = nullptr;        // stack of free pages
  uint32_t free_count = 0;
  PageList* lists = nullptr;  // of each sequence
  PageList* staged = nullptr;  // of sources: of each sequence; else null
};

struct Sequence {
  bool alive = false;
  uint32_t length = 0;  // committed positions
  uint32_t source = 0;  // positions of its source; 0 = it has none
  bool empty() const { return length == 0 && source == 0; }
};

constexpr uint64_t kSeveralOrigins = UINT64_MAX;

/// A sequence's adapter, in sessions that have any.
struct Chosen {
  AdapterId adapter = kNoAdapter;
  uint64_t origin = 0;  // hash of the adapter that its positions were computed with; 0 = none, or kSeveralOrigins
};

}  // namespace runtime

struct Session::Impl {
  explicit Impl(const linnet::Plan& shared) noexcept : plan(shared.share()) {}

  linnet::Plan plan;
  bool owns_arena = false;
  uint8_t* arena = nullptr;
  runtime::ThreadPool pool;
  std::atomic<bool> running{false};
  std::atomic<bool> cancelled{false};
  const std::atomic<bool>* also_cancelled = nullptr;  // of a session that this one works for (drafts), while it does
  bool holds_cancel = false;                          // whoever makes several runs of one call (generate) clears `cancelled` itself

  // Tables in the control part.
  std::span<runtime::Sequence> sequences;
  std::span<runtime::Chosen> chosen;                     // of each sequence; empty where limits.adapters is 0, as the next two
  std::span<const format::AdapterFile*> attached;        // [adapter], counted; null = free
  std::span<const format::AdapterFile*> batch_adapters;  // [input] of the run in progress
  std::span<runtime::Pool> pools;                        // of each retention group
  std::span<void**> value_memory;                        // [program][value]
  std::span<void**> constants;                           // [program][operation]
  // Of the run in progress, or the last one.
  std::span<uint32_t> batch;                       // [input]: sequence
  std::span<uint8_t> in_batch;                     // [sequence]
  std::span<uint32_t> first_position;              // [input]
  uint32_t* symbol_starts[format::kSymbols] = {};  // [symbol][input + 1]
  std::span<ops::StatePages> pages;                // [state * inputs + input]
  std::span<uint8_t*> page_pointers;               // [retention][input][page]
  uint64_t symbols[format::kSymbols] = {};
  size_t inputs = 0;
  size_t program = SIZE_MAX;  // of the last run that succeeded

  struct Timing {
    uint64_t calls, nanoseconds;
  };
  bool profiling = false;
  Timing timings[static_cast<size_t>(schema::Options::MAX) + 1] = {};
  // For tests: called before each operation.
  void (*before_operation)(void* user, size_t operation) = nullptr;
  void* before_operation_user = nullptr;

  bool is_cancelled() const {
    return cancelled.load(std::memory_order_relaxed) || (also_cancelled && also_cancelled->load(std::memory_order_relaxed));
  }
  const Plan::Impl& planned() const { return plan.impl(); }
  const format::ModelFile& file() const { return planned().model.file(); }
};

namespace runtime {

// Lets one thread in at a time.
class Entry {
 public:
  explicit Entry(Session::Impl* session) : session_(session), entered_(!session->running.exchange(true, std::memory_order_acquire)) {}
  ~Entry() {
    if (entered_) session_->running.store(false, std::memory_order_release);
  }
  Status status() const { return entered_ ? Status() : Status::error(Code::busy, "the session is in use by another thread"); }

 private:
  Session::Impl* session_;
  bool entered_;
};

// session.cpp
/// A new empty sequence; context_full when all are alive.
Result<SequenceId> add_sequence(Session::Impl* session) noexcept;
void remove_sequence(Session::Impl* session, SequenceId sequence) noexcept;

// control.cpp
/// Points every span and pointer of `session` into its arena, and marks all pages free.
void lay_out_control(Session::Impl* session) noexcept;

// pages.cpp
/// Makes room for positions [length, length + count) of a sequence and makes the pages that will be written its own. False when the
/// pool is empty, which planned limits rule out.
bool reserve_positions(Session::Impl* session, SequenceId sequence, uint32_t count) noexcept;
/// Makes an empty sequence's lists reach from their first pages to `length` positions. False when the pool is empty.
bool reserve_stretches(Session::Impl* session, SequenceId sequence, uint32_t length) noexcept;
/// Makes new lists for sources of so many positions, beside those that stand. False when the pool is empty.
bool stage_source(Session::Impl* session, SequenceId sequence, uint32_t positions) noexcept;
/// Puts what was staged in the place of the sequence's source, whose pages are given back, or drops it.
void replace_source(Session::Impl* session, SequenceId sequence, uint32_t positions) noexcept;
void drop_staged(Session::Impl* session, SequenceId sequence) noexcept;
/// Gives back a sequence's source.
void drop_source(Session::Impl* session, SequenceId sequence) noexcept;
/// Gives back pages of tokens behind `length` positions.
void trim_after(Session::Impl* session, SequenceId sequence, uint32_t length) noexcept;
/// Gives back pages that lie wholly before what windows and the rewind limit still reach.
void trim_before(Session::Impl* session, SequenceId sequence) noexcept;
void share_pages(Session::Impl* session, SequenceId from, SequenceId to) noexcept;
/// Whether positions from `length` on could still see all that they must.
bool can_rewind_to(const Session::Impl& session, SequenceId sequence, uint32_t length) noexcept;
uint8_t* page_address(const Session::Impl& session, size_t retention, uint32_t page) noexcept;

// session_adapters.cpp
/// invalid_argument unless `adapter` is attached, or none.
Status check_adapter(const Session::Impl& session, AdapterId adapter) noexcept;
uint64_t adapter_hash(const Session::Impl& session, AdapterId adapter) noexcept;
/// What the sequence's positions were computed with, as Chosen::origin.
uint64_t state_origin(const Session::Impl& session, SequenceId sequence) noexcept;
/// To be called before what was computed with the chosen adapter is committed; `replaces`: it takes the place of all that was there.
void note_origin(Session::Impl* session, SequenceId sequence, bool replaces) noexcept;
void detach_all(Session::Impl* session) noexcept;

// save.cpp
Status save_sequence(const Session::Impl& session, SequenceId sequence, const char* path) noexcept;
/// Into an empty sequence; on an error its pages are for the caller to give back.
Status restore_sequence(Session::Impl* session, SequenceId sequence, const char* path, AdapterId adapter) noexcept;

// batch.cpp
/// Checks a batch completely, then counts its symbols. Nothing but the batch tables changes.
Status check_batch(Session::Impl* session, size_t program, std::span<const Input> inputs, const RunOptions& options) noexcept;
/// Writes the program's inputs into planned memory.
void fill_inputs(Session::Impl* session, size_t program, std::span<const Input> inputs, const RunOptions& options) noexcept;

// execute.cpp
/// Runs all operations; cancelled between two of them when asked.
Status execute(Session::Impl* session, size_t program) noexcept;
/// Rows of a value in the batch that was checked last.
uint64_t batch_rows(const Session::Impl& session, const format::Value& value) noexcept;

}  // namespace runtime
}  // namespace linnet
