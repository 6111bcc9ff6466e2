// Linnet: writing tokens one after the other, for one text or for several at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "linnet/sampling.h"
#include "linnet/session.h"
#include "linnet/tokenizer.h"

namespace linnet {

/// What happens when a sequence has no room for the next id.
enum class ContextPolicy : uint8_t {
  stop,    ///< the text ends (End::context_full)
  refuse,  ///< a text whose prompt and max_tokens do not fit is refused before it begins (Code::context_full, with the numbers)
  /// The oldest ids after the first `keep` are forgotten and the rest, half of what is left of the context, is read again: each time as
  /// much work as a prompt of that length. The model then goes on as if that were its prompt. Only for texts whose ids are all known.
  slide,
};

/// Where a text may go on: a grammar, a schema. Its functions are called in the order of the text; an error ends the whole run.
struct TokenFilter {
  /// Sets the bits of the ids that may follow (see History::allowed) when at most `budget` more, this one included, will be written.
  Status (*allowed)(void* user, uint32_t budget, std::span<uint64_t> bits) = nullptr;  ///< null = no filter
  /// Hears every id that was chosen, one that ends the text included. May be null.
  Status (*accept)(void* user, int32_t id) = nullptr;
  void* user = nullptr;
  /// Asked after accept whether nothing can follow; then the text ends (End::complete) without an id that says so. May be null.
  bool (*finished)(void* user) = nullptr;
};

class Constraint;
/// What keeps a text to a constraint, which must outlive the writing.
LINNET_API TokenFilter keep_to(Constraint& constraint) noexcept;

/// A new id as the listener hears it.
struct NewToken {
  uint32_t text = 0;                           ///< which of the generator's texts
  int32_t id = -1;                             ///< -1 at the end of a text, for what had been held back of it
  std::string_view piece = {};                 ///< text that has become certain; "" without a tokenizer
  float log_probability = 0;                   ///< with GenerateOptions::log_probabilities
  std::span<const TokenProbability> top = {};  ///< the best ids at this place
};

/// Several ids in one run: drafts are checked together, and those that the text would have had anyway are kept. The text is the same as
/// without, for every way of drawing; it takes less time where drafts are often right, and is switched off where they are not. Used while
/// one text alone is written, and not by models whose rotary frequencies depend on the length. The plan's limits.outputs must have room for
/// the drafts and one more row.
struct Speculation {
  bool lookup = false;                 ///< drafts are what followed the latest ids when they occurred before
  Session* draft = nullptr;            ///< or a smaller model of the same vocabulary writes them, in a free sequence of this session
  const Model* draft_model = nullptr;  ///< the model of `draft`
  uint32_t most = 8;                   ///< drafts in one run, at most 16
  bool adaptive = true;                ///< false: `most` are checked in every run, whether that pays or not
};

struct GenerateOptions {
  uint32_t max_tokens = 256;
  uint32_t min_tokens = 0;  ///< no eos before so many
  Sampling sampling = {};
  std::span<const int32_t> eos = {};  ///< ids that end the text and are no part of it
  bool ignore_eos = false;
  int32_t forced_bos = -1;  ///< the first new id, whatever the logits; -1 = none
  int32_t forced_eos = -1;  ///< the same for the last of max_tokens
  ContextPolicy context_policy = ContextPolicy::stop;
  uint32_t keep = 0;  ///< of ContextPolicy::slide

  Speculation speculation = {};

  const Tokenizer* tokenizer = nullptr;         ///< gives texts besides ids; stop strings need it
  bool skip_special = true;                     ///< special tokens are no part of the text
  std::span<const std::string_view> stop = {};  ///< strings that end the text; no part of it unless include_stop
  bool include_stop = false;

  bool log_probabilities = false;      ///< of every new id, from the logits as they came (see LogProbabilities)
  uint32_t top_log_probabilities = 0;  ///< and of so many best ids at its place

  /// Called with each new id; return false to end this text. May be null. Must not use the session, except for cancel().
  bool (*on_token)(void* user, const NewToken& token) = nullptr;
  /// Called when a piece of a prompt has been read; return false to end this text. May be null.
  bool (*on_prompt)(void* user, uint32_t text, uint32_t done, uint32_t total) = nullptr;
  void* user = nullptr;
};

struct GenerateReport {
  enum class End : uint8_t { max_tokens, eos, stopped, context_full, stop_string, complete };
  End end = End::max_tokens;
  uint64_t prefill_nanoseconds = 0, decode_nanoseconds = 0;  ///< until the first logits; from there to the end
  uint32_t prompt_tokens = 0, new_tokens = 0;
  uint32_t drafted = 0, drafts_kept = 0;  ///< with GenerateOptions::speculation
  /// The last id was drawn but not read by the sequence, which holds everything before it: to go on, it is the first id of the next
  /// prompt. -1: the sequence holds all ids (the text ended by eos, or there is no new id).
  int32_t unread = -1;
  int32_t eos = -1;            ///< the id that ended the text; neither in the ids nor in the sequence
  double log_probability = 0;  ///< sum over the new ids and the eos, with GenerateOptions::log_probabilities
};

/// Writes several texts in one batch: those that end leave it, those that wait come in, long prompts are read in chunks beside the others.
/// What a text becomes does not depend on its neighbours. After an error from run(), Code::cancelled included, run() goes on where it
/// stopped (but not after out_of_memory). One thread uses it at a time, and nobody else its session in the meantime.
class LINNET_API Generator {
 public:
  /// Model, session, and what options point to must outlive the generator. Errors: unsupported (the model writes no text),
  /// invalid_argument (an option, by name), mismatch, out_of_memory.
  static Result<Generator> create(Session& session, const Model& model, const GenerateOptions& options) noexcept;
  Generator(Generator&& other) noexcept;
  Generator& operator=(Generator&&) = delete;
  ~Generator();  ///< removes the sequences it made

  struct Start {
    std::span<const int32_t> prompt = {};  ///< at least one id; of encoder-decoders what the text begins with: none = as the file says
    uint32_t samples = 1;                  ///< texts from this prompt, which is read once; each has a stream of the seed of its own
    /// Goes on where a sequence of the caller's stands; it stays alive afterwards. -1 = a new one, removed when the text has ended.
    int64_t sequence = -1;
    std::span<const int32_t> held = {};  ///< the ids that this sequence holds, where known: penalties and slide look at them
    TokenFilter filter = {};             ///< only with one sample
    AdapterId adapter = kNoAdapter;      ///< of a new sequence; the caller's has its own
    /// Of encoder-decoders: what the text is written from. It is read once, together with those of other texts that begin; the sequence
    /// of the caller may hold one already.
    std::span<const int32_t> source = {};
  };
  /// Returns the number of the first of its texts; they are numbered in the order of adding, and text i draws from the seed's stream i.
  /// Nothing runs yet. Errors: invalid_argument (an id beyond the vocabulary, by place and number, too), context_full (with the numbers),
  /// out_of_memory.
  Result<uint32_t> add(const Start& start) noexcept;

  /// Writes until every text has ended. Errors: those of Session::run; context_full when no sequence is free; out_of_memory.
  Status run() noexcept;

  size_t texts() const noexcept;
  bool ended(size_t text) const noexcept;
  std::span<const int32_t> ids(size_t text) const noexcept;  ///< the new ones
  std::string_view text(size_t text) const noexcept;
  GenerateReport report(size_t text) const noexcept;
  std::span<const float> log_probabilities(size_t text) const noexcept;         ///< one for each new id
  std::span<const TokenProbability> top(size_t text, size_t i) const noexcept;  ///< at the place of new id i; empty behind the last
  /// Fills `best` with ended texts by falling mean log-probability (sum over ids and eos, through their number), lower numbers first on
  /// ties, and returns how many there are. Needs GenerateOptions::log_probabilities.
  size_t rank(std::span<uint32_t> best) const noexcept;

  struct Impl;

 private:
  explicit Generator(Impl* impl) noexcept : impl_(impl) {}
  Impl* impl_;
};

/// One text: feeds `prompt` to the sequence (an encoder-decoder's holds a source) and appends the new ids to `ids`, and with a tokenizer the
/// text to `text`. When the prompt cannot be read, the sequence is as it was (where windows allow); later it holds all ids but the last.
LINNET_API Result<GenerateReport> generate(Session& session, const Model& model, SequenceId sequence, std::span<const int32_t> prompt,
                                           const GenerateOptions& options, Ids* ids, Text* text = nullptr) noexcept;

}  // namespace linnet
