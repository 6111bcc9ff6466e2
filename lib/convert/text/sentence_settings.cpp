#include "convert/text/sentence_settings.h"

#include <algorithm>

#include "convert/config.h"
#include "convert/text/tokenizer_json.h"

namespace linnet::convert {

namespace {

bool has_upper_case(const std::string& text) {
  return std::any_of(text.begin(), text.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
}

// Keeps the token as a piece, which text in lower case never becomes.
void keep_as_piece(const AddedDraft& token, TokenizerDraft* draft) {
  set_piece(draft, token.id, token.content);
  draft->types.resize(draft->pieces.size(), TokenizerDraft::normal);
  if (!draft->scores.empty()) draft->scores.resize(draft->pieces.size(), 0.0f);
  if (token.special) draft->types[token.id] = TokenizerDraft::control;
}

// The reference lowers a text before it looks for added tokens: of "[SEP]" in a text nothing is left to find, "<X>" is "<x>".
void lower_first(TokenizerDraft* draft) {
  draft->normalizer.insert(draft->normalizer.begin(), make_stage("lowercase", "", "", 0, 1));
  std::vector<AddedDraft> found;
  for (AddedDraft& token : draft->added) {
    if (has_upper_case(token.content)) {
      keep_as_piece(token, draft);
      continue;
    }
    token.normalized = token.normalized || draft->kind == schema::TokenizerKind::word_piece;
    found.push_back(token);
  }
  draft->added = std::move(found);
}

}  // namespace

void apply_sentence_settings(const Json& settings, TokenizerDraft* draft) {
  const Config config(settings, "sentence_bert_config.json");
  draft->max_length = config.count("max_seq_length", draft->max_length);
  if (config.flag("do_lower_case", false)) lower_first(draft);
}

}  // namespace linnet::convert
