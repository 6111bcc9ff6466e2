// What a tokenizer holds: the schema's tables, kept alive, and the views made of them once.
#pragma once

#include "format/model_file.h"
#include "linnet/tokenizer.h"
#include "linnet_generated.h"
#include "text/vocabulary.h"

namespace linnet {

struct Tokenizer::Impl {
  format::ModelFile* file = nullptr;       // counted; or
  uint8_t* owned = nullptr;                // a structural part of our own, from core::allocate
  const schema::Tokenizer* table = nullptr;
  text::Vocabulary vocabulary;
};

namespace text {

/// A tokenizer without its model: `bytes` is a structural part (a FlatBuffers Model) with a tokenizer, and is copied.
Result<Tokenizer> create_tokenizer(const uint8_t* bytes, size_t length) noexcept;

}  // namespace text
}  // namespace linnet
