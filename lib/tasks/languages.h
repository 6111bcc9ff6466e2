// Language codes among the special tokens of a tokenizer: "en_XX" beside a text says what it is written in, or is to be.
#pragma once

#include <cstdint>
#include <string_view>

#include "linnet/tokenizer.h"

namespace linnet::tasks {

/// Whether a special token reads like a language and a place or script, with an underscore between: "de_DE", "deu_Latn".
bool is_language(const Tokenizer& tokenizer, int32_t id) noexcept;

/// The code's id. Errors: invalid_argument (the tokenizer has no such special token; "" is none).
Result<int32_t> language_id(const Tokenizer& tokenizer, std::string_view code) noexcept;

}  // namespace linnet::tasks
