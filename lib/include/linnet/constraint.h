// Linnet: output that keeps to a form. A JSON schema or a grammar says which texts are possible; before each token a mask says which tokens
// lead on to one of them and leave enough of the budget to come to its end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "linnet/tokenizer.h"

namespace linnet {

namespace constrain {
class TokenTrie;
struct Compiled;
class Reader;
}  // namespace constrain

/// What the tokens of a tokenizer add to a text, prepared once for any number of constraints. Immutable; copies share it, and it outlives
/// the tokenizer.
class LINNET_API ConstraintVocabulary {
 public:
  /// `eos`: the ids that end a text. `model_vocabulary`: how many ids the model has logits for, where the tokenizer has more; 0 = as many.
  /// Special tokens besides them are never allowed, nor tokens that add nothing, stand for an unknown
  /// character, or have more than 256 bytes. A text is taken for the continuation of a prompt: "▁a" adds " a".
  /// Errors: unsupported (a decoder whose tokens do not stand for bytes of their own, such as word_piece, by its name), out_of_memory.
  static Result<ConstraintVocabulary> create(const Tokenizer& tokenizer, std::span<const int32_t> eos,
                                             size_t model_vocabulary = 0) noexcept;
  ConstraintVocabulary(const ConstraintVocabulary& other) noexcept;
  ConstraintVocabulary(ConstraintVocabulary&& other) noexcept;
  ConstraintVocabulary& operator=(ConstraintVocabulary other) noexcept;
  ~ConstraintVocabulary();

  /// One more than the largest id that a mask can allow.
  size_t size() const noexcept;
  /// Numbers of 64 bits that a mask has at least.
  size_t words() const noexcept { return (size() + 63) / 64; }

 private:
  friend class Constraint;
  explicit ConstraintVocabulary(constrain::TokenTrie* trie) noexcept : trie_(trie) {}
  constrain::TokenTrie* trie_;
};

/// One text on its way; a generator asks it through keep_to(). Not for two threads at once; forks may be used at the same time.
class LINNET_API Constraint {
 public:
  /// One JSON value that the schema (JSON Schema as text, what docs/constrained-output.md lists of it) accepts, written compactly.
  /// Errors: invalid_argument (no JSON, no schema, nothing satisfies it, the vocabulary cannot spell it, a limit), unsupported (a keyword
  /// or a form of it that is not known, with its place); out_of_memory.
  static Result<Constraint> from_schema(const ConstraintVocabulary& vocabulary, std::string_view schema) noexcept;
  /// A text of the rule `root` of a grammar in the notation of GBNF. Errors: invalid_argument with the line; as above.
  static Result<Constraint> from_grammar(const ConstraintVocabulary& vocabulary, std::string_view grammar) noexcept;
  /// Any JSON value.
  static Result<Constraint> any_json(const ConstraintVocabulary& vocabulary) noexcept;

  Constraint(Constraint&& other) noexcept;
  Constraint& operator=(Constraint&& other) noexcept;
  ~Constraint();

  /// Another text, as far as this one is; what was compiled and found out is shared.
  Result<Constraint> fork() const noexcept;
  /// Back to an empty text.
  Status reset() noexcept;

  /// Sets exactly the bits of the ids that may come next, id i as bit i % 64 of bits[i / 64]: after each of them the text can be ended
  /// with at most budget - 1 further tokens. `budget` counts this token and all that follow, but not the end-of-text id, which is allowed
  /// wherever the text may end. `bits` has at least words() elements, all others become 0. With budget >= shortest_tokens() at the start,
  /// and one less after each token, the mask is never empty.
  /// Errors: invalid_argument (too few bits; a budget that is too small for any end).
  Status allowed(uint32_t budget, std::span<uint64_t> bits) noexcept;
  /// The token that was chosen. Errors: invalid_argument (it cannot come here), after which the text is as before.
  Status accept(int32_t id) noexcept;

  /// The text may end here.
  bool may_end() const noexcept;
  /// The text has ended: by an end-of-text id, or because nothing can follow.
  bool finished() const noexcept;
  /// Tokens, without an end-of-text id, that suffice for a whole text from its start: what the shortest text (in bytes) takes at least.
  uint32_t shortest_tokens() const noexcept;
  /// As shortest_tokens, from here.
  Result<uint32_t> remaining_tokens() noexcept;

 private:
  explicit Constraint(constrain::Reader* reader) noexcept : reader_(reader) {}
  static Result<Constraint> start(constrain::Compiled* compiled) noexcept;
  constrain::Reader* reader_;
};

}  // namespace linnet
