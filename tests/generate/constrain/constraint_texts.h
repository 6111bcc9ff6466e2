// Vocabularies for constraints and short ways to ask which texts they let through.
#pragma once

#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "linnet/constraint.h"
#include "text/byte_alphabet.h"
#include "text/tiny_tokenizer.h"

namespace linnet::tests {

constexpr uint32_t kAmple = 1000000;  // tokens

/// `bytes` as byte-level tokenizers write them.
inline std::string in_alphabet(const std::string& bytes) {
  std::string piece;
  for (char byte : bytes) {
    char out[4];
    piece.append(out, text::encode(text::kByteAlphabet[static_cast<uint8_t>(byte)], out));
  }
  return piece;
}

/// A byte-level tokenizer: id 0 ends the text, ids 1 to 256 are the bytes, then come `more`.
inline Tokenizer byte_tokenizer(const std::vector<std::string>& more = {}) {
  std::vector<std::string> pieces = {"<end>"};
  for (int byte = 0; byte < 256; ++byte) pieces.push_back(in_alphabet(std::string(1, static_cast<char>(byte))));
  for (const std::string& token : more) pieces.push_back(in_alphabet(token));
  TokenizerDraft draft = draft_of(schema::TokenizerKind::byte_level_bpe, pieces);
  draft.types[0] = TokenizerDraft::control;
  draft.decoder = {stage("byte_level")};
  return tokenizer_of(draft);
}

inline ConstraintVocabulary vocabulary_of(const Tokenizer& tokenizer, std::vector<int32_t> eos = {0}) {
  Result<ConstraintVocabulary> vocabulary = ConstraintVocabulary::create(tokenizer, eos);
  REQUIRE_MESSAGE(vocabulary.ok(), vocabulary.status().message());
  return std::move(*vocabulary);
}

inline bool has_bit(const std::vector<uint64_t>& bits, int32_t id) { return (bits[static_cast<size_t>(id) / 64] >> (id % 64) & 1) != 0; }

inline std::vector<uint64_t> mask_of(Constraint& constraint, const ConstraintVocabulary& vocabulary, uint32_t budget = kAmple) {
  std::vector<uint64_t> bits(vocabulary.words());
  const Status status = constraint.allowed(budget, bits);
  REQUIRE_MESSAGE(status.ok(), status.message());
  return bits;
}

/// Whether `text` as single bytes is let through to its end. Masks and accept have to agree at every byte.
inline bool accepts(Constraint& constraint, const ConstraintVocabulary& vocabulary, const std::string& text) {
  REQUIRE(constraint.reset().ok());
  for (char byte : text) {
    if (constraint.finished()) return false;
    const int32_t id = 1 + static_cast<uint8_t>(byte);
    const bool allowed = has_bit(mask_of(constraint, vocabulary), id), accepted = constraint.accept(id).ok();
    REQUIRE(allowed == accepted);
    if (!accepted) return false;
  }
  return constraint.may_end();
}

inline std::string message_of(const Result<Constraint>& result) {
  REQUIRE(!result.ok());
  return result.status().message();
}

}  // namespace linnet::tests
