// Linnet: writing tokens one after the other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "linnet/sampling.h"
#include "linnet/session.h"
#include "linnet/tokenizer.h"

namespace linnet {

struct GenerateOptions {
  uint32_t max_tokens = 256;
  Sampling sampling = {};
  bool ignore_eos = false;
  std::span<const int32_t> eos = {};  ///< ids that end the text
  /// Called with each new id; return false to stop. May be null.
  bool (*on_token)(void* user, int32_t id) = nullptr;
  void* user = nullptr;
};

struct GenerateReport {
  enum class End : uint8_t { max_tokens, eos, stopped, context_full };
  End end = End::max_tokens;
  uint64_t prefill_nanoseconds = 0, decode_nanoseconds = 0;
  uint32_t prompt_tokens = 0, new_tokens = 0;
};

/// Feeds `prompt` to the sequence and appends new ids to `ids` until an end. The model needs an autoregressive program.
/// Reaching the context limit ends the text (End::context_full); a prompt that does not fit at all is Code::context_full.
LINNET_API Result<GenerateReport> generate(Session& session, const Model& model, SequenceId sequence, std::span<const int32_t> prompt,
                                           const GenerateOptions& options, Ids* ids) noexcept;

}  // namespace linnet
