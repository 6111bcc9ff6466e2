// Linnet: choosing the next token from a row of logits. What is chosen is a pure function of logits, history and seed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "linnet/status.h"

namespace linnet {

/// Added to the logit of one id; minus infinity bans it.
struct LogitBias {
  int32_t id;
  float value;
};

/// The steps, in their order: banned ids, ids that a constraint excludes and the logit bias; repetition, presence and frequency penalty;
/// repeated n-grams; temperature; top-k; top-p; min-p; typical; draw. What is listed in spans stays the caller's and must outlive the
/// sampler.
struct Sampling {
  float temperature = 0;         ///< 0 = greedy: the largest logit, the lower id on ties
  uint32_t top_k = 0;            ///< keep the k most probable, lower ids on ties; 0 = all
  float top_p = 1;               ///< keep the fewest most probable that together reach p of what top-k left
  float min_p = 0;               ///< drop what is less probable than min_p times the most probable
  float typical = 1;             ///< keep the fewest that together reach this mass, those first whose surprise is nearest to the entropy
  float repetition_penalty = 1;  ///< divides positive and multiplies negative logits of ids in the history, once each
  float presence_penalty = 0;    ///< subtracted from logits of ids that are new in the history (not in its prompt)
  float frequency_penalty = 0;   ///< subtracted once for each time that they are
  uint32_t no_repeat_ngram = 0;  ///< an id that would complete a group of n that occurred before is excluded; 0 = off
  std::span<const LogitBias> logit_bias = {};
  std::span<const int32_t> banned = {};  ///< never drawn; ids beyond the vocabulary are nobody's
  uint64_t seed = 0;
};

/// What a draw depends on besides the logits.
struct History {
  std::span<const int32_t> ids = {};  ///< prompt and new ids, in order
  size_t prompt = 0;                  ///< how many of them are the prompt
  uint64_t before = 0;                ///< positions in front of ids[0] that are not listed
  uint32_t stream = 0;                ///< of the seed: samples of one prompt draw from different streams
  /// The ids that may follow, one bit an id (id i is bit i % 64 of word i / 64), for the whole vocabulary; empty = all.
  std::span<const uint64_t> allowed = {};
  std::span<const int32_t> excluded = {};  ///< must not follow: ends of the text that would come too early
};

struct TokenProbability {
  int32_t id;
  float log_probability;
};

/// Draws ids from logits. Owns its working memory, about 20 bytes for each id of the vocabulary; drawing allocates nothing.
class LINNET_API Sampler {
 public:
  /// Errors: invalid_argument (an option out of its range, by name), out_of_memory.
  static Result<Sampler> create(size_t vocabulary, const Sampling& sampling) noexcept;
  Sampler(Sampler&& other) noexcept;
  Sampler(const Sampler&) = delete;
  Sampler& operator=(const Sampler&) = delete;
  ~Sampler();

  /// An id in [0, vocabulary), or -1 when every id is excluded. NaN counts as the lowest logit. The draw at a position of the text (before
  /// + ids.size()) takes that number of the seed's stream: the same arguments give the same id.
  int32_t draw(std::span<const float> logits, const History& history) noexcept;

 private:
  struct Memory;
  Sampler(const Sampling& sampling, size_t vocabulary, Memory* memory) noexcept
      : sampling_(sampling), vocabulary_(vocabulary), memory_(memory) {}
  int32_t draw_weighted(const History& history) noexcept;

  Sampling sampling_;
  size_t vocabulary_;
  Memory* memory_;
};

/// Log-probabilities of the logits as the model gave them, before any step of the sampler: x - log(sum of e^x), NaN as the lowest.
class LINNET_API LogProbabilities {
 public:
  /// Finds up to `most` best. Errors: out_of_memory.
  static Result<LogProbabilities> create(size_t vocabulary, size_t most) noexcept;
  LogProbabilities(LogProbabilities&& other) noexcept;
  LogProbabilities(const LogProbabilities&) = delete;
  LogProbabilities& operator=(const LogProbabilities&) = delete;
  ~LogProbabilities();

  /// Takes in a row; allocates nothing.
  void read(std::span<const float> logits) noexcept;
  /// Of the row read last; `id` is in [0, vocabulary).
  float of(int32_t id) const noexcept;
  /// The best of the row, in falling order, the lower id on ties; valid until the next row.
  std::span<const TokenProbability> top() const noexcept;

 private:
  struct Memory;
  LogProbabilities(size_t vocabulary, size_t most, Memory* memory) noexcept : vocabulary_(vocabulary), most_(most), memory_(memory) {}
  size_t vocabulary_, most_;
  Memory* memory_;
};

}  // namespace linnet
