// Linnet: beam search, which follows several beginnings of a text side by side and answers with the most probable ones it ended.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "linnet/sampling.h"
#include "linnet/session.h"

namespace linnet {

/// When a search ends before max_tokens, once as many texts are finished as there are beams.
enum class EarlyStopping : uint8_t {
  no,     ///< when the best beam, scored as if it ended now, is no better than the worst of them
  yes,    ///< at once
  never,  ///< when the best beam could not become better than the worst of them even at max_tokens
};

struct BeamOptions {
  uint32_t beams = 4;         ///< followed at once; 1 = greedy
  uint32_t max_tokens = 256;  ///< new ids of a text, its eos included
  uint32_t min_tokens = 0;    ///< no eos before so many
  float length_penalty = 1;   ///< score = sum of log-probabilities / ids^length_penalty: above 0 favours long texts
  EarlyStopping early_stopping = EarlyStopping::no;
  std::span<const int32_t> eos = {};         ///< ids that end a text; the last of its ids
  int32_t forced_bos = -1, forced_eos = -1;  ///< the first new id, and the last of max_tokens, at no cost; -1 = none
  std::span<const int32_t> banned = {};
  float repetition_penalty = 1;  ///< as in Sampling, on log-probabilities
  uint32_t no_repeat_ngram = 0;
  AdapterId adapter = kNoAdapter;  ///< of beam_search's sequences
  std::span<const int32_t> source = {};  ///< of encoder-decoders: what beam_search's texts are written from
  /// Called after each new id of the beams with how many there are; return false to end with what is finished. May be null.
  bool (*on_step)(void* user, uint32_t step) = nullptr;
  void* user = nullptr;
};

/// The search itself, which knows nothing of models: it is given rows of logits and says which beams go on with which ids.
class LINNET_API BeamSearch {
 public:
  /// `prompt` (which is copied) is looked at for repetitions and counts in no length. What options point to must outlive the search.
  /// Errors: invalid_argument (an option, by name), out_of_memory.
  static Result<BeamSearch> create(size_t vocabulary, std::span<const int32_t> prompt, const BeamOptions& options) noexcept;
  BeamSearch(BeamSearch&& other) noexcept;
  BeamSearch& operator=(BeamSearch&&) = delete;
  ~BeamSearch();

  bool done() const noexcept;
  /// Beams whose next logits are wanted: 1 at the start.
  size_t running() const noexcept;
  /// Beam i is what was beam parent(i) before the last step, with id(i) behind it. Best first.
  size_t parent(size_t i) const noexcept;
  int32_t id(size_t i) const noexcept;
  /// One step with the logits behind each running beam, in their order. Allocates nothing.
  /// Errors: invalid_argument (rows or columns other than expected, with the numbers).
  Status advance(const Matrix& logits) noexcept;

  /// Finished texts by falling score; at most as many as beams.
  size_t results() const noexcept;
  std::span<const int32_t> ids(size_t result) const noexcept;  ///< new ids, eos included where the text ended by it
  double score(size_t result) const noexcept;

  struct Impl;

 private:
  explicit BeamSearch(Impl* impl) noexcept : impl_(impl) {}
  Impl* impl_;
};

/// Searches with the model's program that writes text, in sequences of its own: limits.sequences, outputs and batch_tokens must have room
/// for the beams. An encoder-decoder reads its source once; its prompt may be empty, which means what the file says. The search that comes
/// back is done. Errors: invalid_argument (a limit or option, by name and with the numbers), context_full (prompt and max_tokens do not
/// fit), unsupported, cancelled, out_of_memory.
LINNET_API Result<BeamSearch> beam_search(Session& session, const Model& model, std::span<const int32_t> prompt,
                                          const BeamOptions& options) noexcept;

}  // namespace linnet
