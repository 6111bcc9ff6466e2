// Linnet: running a model. A session owns (or was lent) one arena, planned beforehand; `run` allocates nothing and cannot fail for a
// reason that the file could cause. One thread uses a session at a time (another gets Code::busy); cancel() may come from any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "linnet/adapter.h"
#include "linnet/plan.h"

namespace linnet {

using SequenceId = uint32_t;
using AdapterId = uint32_t;
constexpr AdapterId kNoAdapter = UINT32_MAX;  ///< the model as it is

/// One sequence's share of a run. Rows are consecutive; positions count on from what the sequence holds.
struct Input {
  SequenceId sequence = 0;                    ///< ignored by programs without state
  std::span<const int32_t> tokens = {};            ///< role token_ids; source_ids: a whole source, in the place of the sequence's
  std::span<const int32_t> token_types = {};       ///< role token_types; empty = all 0
  std::span<const int32_t> positions = {};         ///< role positions, source_positions, empty = as ProgramInfo::padding_id says; role image_positions
  std::span<const float> features = {};            ///< role features, pixels or embeddings: rows x columns of that port; embeddings may be none
  std::span<const uint32_t> output_rows = {};      ///< rows of this input whose outputs are wanted, rising; see RunOptions::outputs
  uint32_t total_length = 0;                  ///< of the whole prompt that this input is a chunk of (length-dependent rotary); 0 = up to here
  std::span<const int32_t> global_tokens = {};     ///< role global_tokens: 1 or 0 for each token; empty = as the file says
  AdapterId adapter = kNoAdapter;             ///< of programs without state; with state the sequence's counts (Session::use)
};

struct RunOptions {
  enum class Outputs : uint8_t { last, all, listed };
  Outputs outputs = Outputs::last;            ///< which rows reach the output head, for each input
  bool commit = true;                         ///< false: compute against the state and append nothing
};

/// Rows of an output; valid until the session's next call.
struct Matrix {
  const float* data = nullptr;
  size_t rows = 0, columns = 0;
  std::span<const float> row(size_t i) const { return {data + i * columns, columns}; }
};

/// A memory block for a session: at least Plan::arena() bytes, aligned to 64.
struct Arena {
  void* memory = nullptr;
  size_t bytes = 0;
};

class LINNET_API Session {
 public:
  /// Makes a session with the plan's limits. Without an arena it allocates one (one call); with the caller's it allocates nothing large.
  /// Errors: out_of_memory, invalid_argument (arena too small or misaligned, with both numbers).
  static Result<Session> create(const Model& model, const Plan& plan, Arena arena = {}) noexcept;
  Session(Session&&) noexcept;
  Session& operator=(Session&&) noexcept;
  ~Session();

  /// A new empty sequence that uses `adapter`. context_full when `limits.sequences` are alive, invalid_argument for an unknown adapter.
  Result<SequenceId> add(AdapterId adapter = kNoAdapter) noexcept;
  /// A sequence that begins as a copy of another: full pages and the source are shared, at most one page is copied.
  Result<SequenceId> fork(SequenceId sequence) noexcept;
  Status remove(SequenceId sequence) noexcept;
  /// Forgets the last `count` positions, not the source. invalid_argument where a window no longer holds what would be visible then.
  Status rewind(SequenceId sequence, uint32_t count) noexcept;
  /// Committed positions; 0 for an unknown sequence.
  uint32_t length(SequenceId sequence) const noexcept;

  /// Makes an adapter one that sequences may use; the session keeps it until detach. Errors: mismatch (opened for another model),
  /// invalid_argument (its rank is above limits.adapter_rank, with both numbers), context_full (limits.adapters are attached).
  Result<AdapterId> attach(const Adapter& adapter) noexcept;
  /// invalid_argument while a sequence uses it.
  Status detach(AdapterId adapter) noexcept;
  /// What the sequence's next tokens are computed with; a fork starts with its original's. Positions that
  /// were computed before keep their state: to have them computed anew, rewind or begin a new sequence.
  Status use(SequenceId sequence, AdapterId adapter) noexcept;
  AdapterId adapter(SequenceId sequence) const noexcept;  ///< kNoAdapter for an unknown sequence
  /// Whether all positions of a sequence were computed with this adapter (kNoAdapter: without any): only then its state is what a new
  /// sequence with that adapter would hold.
  bool computed_with(SequenceId sequence, AdapterId adapter) const noexcept;

  /// Runs one program over all inputs at once: at most limits.batch_tokens rows together (source_tokens where sources are read). After an
  /// error or a cancellation every sequence is as it was before the call.
  /// Errors: invalid_argument (a token beyond the vocabulary, too many rows, no source to decode from), context_full (with both numbers),
  /// cancelled, busy, not_found (no such program).
  Status run(std::string_view program, std::span<const Input> inputs, const RunOptions& options = {}) noexcept;
  /// The same for one sequence and any number of tokens, in chunks of limits.batch_tokens, a source in one; outputs are those of the last
  /// chunk (Outputs::last only). On an error the sequence is as it was before the call, unless its pages had to be given up by a window.
  Status prefill(std::string_view program, const Input& input) noexcept;

  /// An output of the last run by its name ("logits"); not_found when the program has none such.
  Result<Matrix> output(std::string_view name) const noexcept;

  /// Stops the run in progress within one operation: it returns Code::cancelled. Safe from any thread and from signal handlers.
  void cancel() noexcept;

  /// Writes the state of one sequence's tokens and source to a file, written aside and renamed. It is bound to the hashes of the model and
  /// of the adapter that it was computed with. invalid_argument where several adapters took part.
  Status save(SequenceId sequence, const char* path) const noexcept;
  /// Reads such a file into a new sequence that uses `adapter`. mismatch for another model, adapter or state encoding, corrupt for a
  /// damaged file.
  Result<SequenceId> restore(const char* path, AdapterId adapter = kNoAdapter) noexcept;

  const Plan& plan() const noexcept;

  /// Time and calls per operation type since the session was made or reset_profile(); kept only while profiling is on.
  struct ProfileEntry {
    std::string_view operation;
    uint64_t calls, nanoseconds;
  };
  void profile(bool on) noexcept;
  size_t profile_entries() const noexcept;
  ProfileEntry profile_entry(size_t i) const noexcept;

  struct Impl;
  const Impl& impl() const noexcept { return *impl_; }
  Impl& impl() noexcept { return *impl_; }
  explicit Session(Impl* impl) noexcept : impl_(impl) {}

 private:
  Impl* impl_;
};

}  // namespace linnet
