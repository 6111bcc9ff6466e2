// The words of a template: text between tags, and what stands inside of them. White space around tags is taken away here, as the
// reference does it with trim_blocks and lstrip_blocks.
#pragma once

#include <cstdint>
#include <string_view>

#include "core/array.h"

namespace linnet::text::chat {

enum class TokenKind : uint8_t { text, block_begin, block_end, print_begin, print_end, name, string, integer, real, sign, end };

struct Token {
  TokenKind kind = TokenKind::end;
  uint32_t line = 1;
  std::string_view text;  // of strings with their quotes; of signs "+", "**", "(", ...

  bool is(std::string_view sign) const noexcept { return kind == TokenKind::sign && text == sign; }
  bool is_name(std::string_view name) const noexcept { return kind == TokenKind::name && text == name; }
};

/// Appends the tokens of `source`, whose line ends are "\n", and one of kind `end`. Errors: corrupt, with the line; out_of_memory.
Status read_tokens(std::string_view source, core::Array<Token>* tokens) noexcept;

}  // namespace linnet::text::chat
