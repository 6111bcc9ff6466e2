// Drafts for the ids that come next, and how many of them to check in one run.
#pragma once

#include <atomic>
#include <optional>

#include "generate/lookup.h"
#include "generate/program.h"
#include "generate/speculation_policy.h"
#include "linnet/generate.h"

namespace linnet::generation {

/// A smaller model with the same vocabulary that writes on greedily in a sequence of its own.
class DraftModel {
 public:
  /// Errors: invalid_argument (another vocabulary), unsupported, mismatch, context_full (no sequence is free), out_of_memory.
  static Result<DraftModel> create(Session& session, const Model& model, size_t vocabulary) noexcept;
  DraftModel(DraftModel&& other) noexcept;
  DraftModel& operator=(DraftModel&&) = delete;
  ~DraftModel();

  /// Writes up to out.size() ids behind `context`; returns how many: fewer when its own context is full. Errors: those of Session::run,
  /// cancelled also within one operation of `cancelled` becoming true.
  Result<size_t> propose(std::span<const int32_t> context, std::span<int32_t> out, const std::atomic<bool>& cancelled) noexcept;

 private:
  DraftModel(Session& session, const Autoregressive& program, SequenceId sequence) noexcept
      : session_(&session), program_(program), sequence_(sequence) {}
  Status read(std::span<const int32_t> context) noexcept;

  Session* session_;  // null once moved from
  Autoregressive program_;
  SequenceId sequence_;
  core::Array<int32_t> held_;  // what the sequence holds
};

/// Of a generator whose options ask for drafts. It follows one text at a time.
class Speculator {
 public:
  static constexpr size_t kMost = SpeculationPolicy::kMost;
  /// Errors: invalid_argument (an option, by name), and those of DraftModel.
  static Result<Speculator> create(const Speculation& options, const Session& session, const Autoregressive& program) noexcept;

  /// Up to `room` ids that may come behind `context`, the end of all `ids` of text number `text`.
  Result<std::span<const int32_t>> propose(uint32_t text, std::span<const int32_t> ids, std::span<const int32_t> context,
                                           size_t room) noexcept;
  void report(size_t drafts, size_t right, uint64_t nanoseconds) noexcept { policy_.report(drafts, right, nanoseconds); }

 private:
  Speculator(size_t most, bool adaptive) noexcept : most_(most), policy_(most, adaptive) {}
  Status follow(uint32_t text, std::span<const int32_t> ids) noexcept;

  size_t most_;
  SpeculationPolicy policy_;
  const std::atomic<bool>* cancelled_ = nullptr;  // of the session that checks the drafts
  bool use_lookup_ = false;
  size_t capacity_ = 0;  // ids that the lookup is made for
  std::optional<Lookup> lookup_;
  uint32_t text_ = UINT32_MAX;
  size_t followed_ = 0;  // ids of the text that the lookup knows
  std::optional<DraftModel> model_;
  int32_t drafts_[kMost] = {};
};

}  // namespace linnet::generation
