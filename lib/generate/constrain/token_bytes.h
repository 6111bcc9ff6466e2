// The bytes that a token adds to a text that has begun: what the decoder's stages make of it, which must not depend on its neighbours.
#pragma once

#include "text/bytes.h"
#include "text/tokenizer_impl.h"

namespace linnet::constrain {

/// Refuses stages whose result depends on neighbours, by name.
Status check_decoder(const Tokenizer::Impl& tokenizer) noexcept;
/// Replaces `bytes`. Empty where the token adds nothing, is special, or could not be joined to others byte by byte.
Status token_bytes(const Tokenizer::Impl& tokenizer, int32_t id, text::Bytes* bytes) noexcept;

}  // namespace linnet::constrain
