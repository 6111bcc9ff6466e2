// Linnet: writing tokens one after the other. The sampler is a pure function of logits, history and seed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "linnet/session.h"
#include "linnet/tokenizer.h"

namespace linnet {

/// Applied in this order: repetition penalty, temperature, top-k, top-p, min-p, draw.
struct Sampling {
  float temperature = 0;          ///< 0 = greedy: the largest logit, the lower id on ties
  uint32_t top_k = 0;             ///< keep the k most probable; 0 = all
  float top_p = 1;                ///< keep the fewest most probable that together reach p
  float min_p = 0;                ///< drop what is less probable than min_p times the most probable
  float repetition_penalty = 1;   ///< divides positive and multiplies negative logits of ids in the history
  uint64_t seed = 0;
};

/// Draws ids from logits. Owns one buffer of the vocabulary's size; drawing allocates nothing.
class LINNET_API Sampler {
 public:
  /// Errors: invalid_argument (an option out of its range, by name), out_of_memory.
  static Result<Sampler> create(size_t vocabulary, const Sampling& sampling) noexcept;
  Sampler(Sampler&& other) noexcept;
  Sampler(const Sampler&) = delete;
  Sampler& operator=(const Sampler&) = delete;
  ~Sampler();

  /// An id in [0, vocabulary). NaN counts as the lowest. `history` feeds the repetition penalty.
  int32_t draw(std::span<const float> logits, std::span<const int32_t> history) noexcept;

 private:
  struct Candidate {
    float logit;
    int32_t id;
  };
  Sampler(const Sampling& sampling, size_t vocabulary, Candidate* candidates) noexcept;
  void penalize(std::span<const float> logits, std::span<const int32_t> history) noexcept;
  size_t most_probable(size_t count) noexcept;
  double uniform() noexcept;

  Sampling sampling_;
  size_t vocabulary_;
  Candidate* candidates_;
  uint64_t state_;
};

struct GenerateOptions {
  uint32_t max_tokens = 256;
  Sampling sampling = {};
  bool ignore_eos = false;
  std::span<const int32_t> eos = {};            ///< ids that end the text
  std::span<const int32_t> banned = {};         ///< ids that are never drawn
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
