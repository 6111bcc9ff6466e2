#include "tasks/languages.h"

namespace linnet::tasks {
namespace {

bool all_letters(std::string_view text) {
  for (char c : text)
    if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))) return false;
  return true;
}

bool reads_like_language(std::string_view piece) {
  const size_t line = piece.find('_');
  if (line != 2 && line != 3) return false;
  const std::string_view language(piece.data(), line), place(piece.data() + line + 1, piece.size() - line - 1);
  return (place.size() == 2 || place.size() == 4) && all_letters(language) && all_letters(place);
}

}  // namespace

bool is_language(const Tokenizer& tokenizer, int32_t id) noexcept {
  return tokenizer.is_special(id) && reads_like_language(tokenizer.piece(id));
}

Result<int32_t> language_id(const Tokenizer& tokenizer, std::string_view code) noexcept {
  const int32_t id = tokenizer.id(code);
  if (id >= 0 && is_language(tokenizer, id)) return id;
  return Status::error(Code::invalid_argument, "the model has no language '%.*s' among its special tokens", static_cast<int>(code.size()),
                       code.data());
}

}  // namespace linnet::tasks
