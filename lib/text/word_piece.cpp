// WordPiece: the longest piece from the left, again and again; a word with a place where none fits is unknown as a whole.
#include <algorithm>

#include "text/model.h"
#include "text/unicode.h"

namespace linnet::text {
namespace {

bool is_too_long(std::string_view word, size_t most) {
  if (word.size() <= most) return false;
  size_t characters = 0;
  for (size_t at = 0; at < word.size(); at += decode(word, at).length)
    if (++characters > most) return true;
  return false;
}

// The id of the longest piece at `at`, its end in `end`; -1 for none.
int32_t longest_piece(const ModelTables& model, std::string_view word, size_t at, size_t* end) {
  const Trie trie = model.vocabulary->trie();
  size_t node = trie.root();
  int32_t value = -1, found = -1;
  if (at > 0)
    for (char byte : model.prefix)
      if (!trie.step(&node, static_cast<uint8_t>(byte), &value)) return -1;
  const size_t last = std::min(word.size(), at + model.vocabulary->longest());
  for (size_t i = at; i < last && trie.step(&node, static_cast<uint8_t>(word[i]), &value); ++i)
    if (value >= 0) found = value, *end = i + 1;
  return found;
}

}  // namespace

Status word_piece(const ModelTables& model, std::string_view word, IdList* ids) noexcept {
  const size_t before = ids->size();
  bool known = !is_too_long(word, model.max_word_characters) && !model.vocabulary->trie().empty();
  for (size_t at = 0; known && at < word.size();) {
    size_t end = at;
    const int32_t id = longest_piece(model, word, at, &end);
    known = id >= 0 && static_cast<size_t>(id) < model.vocabulary->size();
    if (known) LINNET_TRY(ids->push(id));
    at = end;
  }
  if (known) return {};
  while (ids->size() > before) ids->pop();
  return model.unknown_id >= 0 ? ids->push(model.unknown_id) : Status();
}

}  // namespace linnet::text
