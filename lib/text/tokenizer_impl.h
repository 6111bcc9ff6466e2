// What a tokenizer holds: the schema's tables, kept alive, and the views made of them once.
#pragma once

#include "format/model_file.h"
#include "linnet/tokenizer.h"
#include "linnet_generated.h"
#include "text/added_tokens.h"
#include "text/decoder.h"
#include "text/encode_scratch.h"
#include "text/model.h"
#include "text/normalizer.h"
#include "text/pre_tokenizer.h"
#include "text/vocabulary.h"

namespace linnet {

struct Tokenizer::Impl {
  format::ModelFile* file = nullptr;  // counted; or
  uint8_t* owned = nullptr;           // a structural part of our own, from core::allocate
  const schema::Tokenizer* table = nullptr;
  text::Vocabulary vocabulary;
  text::AddedTokens added;
  text::Normalizer normalizer;
  core::Array<text::PreTokenizerStage> pre_tokenizer;
  text::ModelTables model;
  core::Array<text::DecoderStage> decoder;
  mutable text::ScratchPool scratch;

  /// The text of an id for the decoder: added tokens first. "" where there is none.
  std::string_view token(int32_t id) const noexcept;
  bool is_special(int32_t id) const noexcept;
};

namespace text {

/// A tokenizer without its model: `bytes` is a structural part (a FlatBuffers Model) with a tokenizer, and is copied.
Result<Tokenizer> create_tokenizer(const uint8_t* bytes, size_t length) noexcept;

}  // namespace text
}  // namespace linnet
