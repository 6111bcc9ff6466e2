#include "text/model.h"

#include <algorithm>

#include "text/unicode.h"

namespace linnet::text {
namespace {

constexpr double kUnknownPenalty = 10;

std::string_view text_of(const flatbuffers::String* string) {
  return string ? std::string_view(string->c_str(), string->size()) : std::string_view();
}

void find_byte_pieces(ModelTables* model) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  for (uint32_t byte = 0; byte < 256; ++byte) {
    const char piece[6] = {'<', '0', 'x', kDigits[byte >> 4], kDigits[byte & 15], '>'};
    model->byte_ids[byte] = model->vocabulary->find({piece, 6});
  }
}

void find_characters(ModelTables* model) {
  for (char32_t code = 0; code < 512; ++code) {
    char bytes[4];
    model->character_ids[code] = model->vocabulary->find({bytes, encode(code, bytes)});
  }
}

}  // namespace

Status read_model(const schema::Tokenizer& table, const Vocabulary& vocabulary, ModelTables* model) noexcept {
  using Kind = schema::TokenizerKind;
  model->vocabulary = &vocabulary;
  model->kind = table.kind();
  model->prefix = text_of(table.continuing_prefix());
  model->suffix = text_of(table.end_of_word_suffix());
  model->unknown_id = table.unknown_id();
  model->max_word_characters = table.max_word_characters();
  model->byte_fallback = table.byte_fallback();
  model->fuse_unknown = table.fuse_unknown();
  model->ignore_merges = table.ignore_merges();
  const bool walks = model->kind == Kind::word_piece || model->kind == Kind::unigram;
  if (walks && vocabulary.size() > 0 && vocabulary.trie().empty())
    return Status::error(Code::corrupt, "a tokenizer of kind %s has no piece_trie", schema::EnumNameTokenizerKind(model->kind));
  if (model->kind == Kind::unigram && !vocabulary.has_scores()) return Status::error(Code::corrupt, "a unigram tokenizer has no scores");
  double least = 0;
  for (size_t i = 0; i < vocabulary.size(); ++i)
    least = std::min(i == 0 ? vocabulary.score(0) : least, double{vocabulary.score(static_cast<int32_t>(i))});
  model->unknown_score = least - kUnknownPenalty;
  find_byte_pieces(model);
  find_characters(model);
  return {};
}

Result<bool> append_bytes(const ModelTables& model, std::string_view bytes, IdList* ids) noexcept {
  if (!model.byte_fallback) return false;
  for (char byte : bytes)
    if (model.byte_ids[static_cast<uint8_t>(byte)] < 0) return false;
  for (char byte : bytes) LINNET_TRY(ids->push(model.byte_ids[static_cast<uint8_t>(byte)]));
  return true;
}

Status tokenize_word(const ModelTables& model, std::string_view word, ModelScratch* scratch, IdList* ids) noexcept {
  switch (model.kind) {
    case schema::TokenizerKind::word_piece:
      return word_piece(model, word, ids);
    case schema::TokenizerKind::unigram:
      return unigram(model, word, scratch, ids);
    case schema::TokenizerKind::word_level: {
      const int32_t id = model.vocabulary->find(word);
      if (id < 0 && model.unknown_id < 0) return {};
      return ids->push(id >= 0 ? id : model.unknown_id);
    }
    default:
      return bpe(model, word, scratch, ids);
  }
}

}  // namespace linnet::text
