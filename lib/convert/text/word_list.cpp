#include "convert/text/word_list.h"

#include <algorithm>

#include "convert/text/patterns.h"
#include "convert/text/tokenizer_config.h"
#include "convert/text/tokenizer_json.h"

namespace linnet::convert {

namespace {

// <s>, </s>, <blank>, <unk>
bool is_mark(const std::string& word) { return word.size() > 2 && word.front() == '<' && word.back() == '>'; }

size_t characters(const std::string& word) {
  return static_cast<size_t>(
      std::count_if(word.begin(), word.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

bool ends_with(const std::string& word, const std::string& end) {
  return word.size() >= end.size() && word.compare(word.size() - end.size(), end.size(), end) == 0;
}

// What tokenizers of the field put where a word was cut: SentencePiece, subword-nmt, OpenNMT's own.
bool is_part(const std::string& word) {
  return word.find("\xE2\x96\x81") != std::string::npos || ends_with(word, "@@") || word.find("\xEF\xBF\xAD") != std::string::npos;
}

}  // namespace

std::optional<TokenizerDraft> parse_word_list(const std::vector<std::string>& words) {
  if (words.empty() || std::any_of(words.begin(), words.end(), is_part)) return std::nullopt;
  const bool by_character =
      std::all_of(words.begin(), words.end(), [](const std::string& word) { return is_mark(word) || characters(word) == 1; });
  TokenizerDraft draft;
  for (const std::string& word : words) set_piece(&draft, draft.pieces.size(), word);
  draft.types.assign(words.size(), TokenizerDraft::normal);
  for (size_t i = 0; i < words.size(); ++i) {
    if (!is_mark(words[i])) continue;
    AddedDraft mark;
    mark.id = static_cast<uint32_t>(i);
    mark.content = words[i];
    mark.special = true;
    draft.added.push_back(mark);
    draft.types[i] = TokenizerDraft::control;
    if (words[i] == "<unk>") draft.unknown_id = static_cast<int32_t>(i);
  }
  if (by_character) {
    // The one way to cut a text into pieces of one character.
    draft.kind = schema::TokenizerKind::unigram;
    draft.scores.assign(words.size(), 0);
    draft.decoder = {make_stage("fuse")};
  } else {
    draft.kind = schema::TokenizerKind::word_level;
    draft.pre_tokenizer = {split_at_scanner("white_space", text::Behavior::removed)};
    draft.decoder = {make_stage("join", " ")};
  }
  draft.single = {{-1, 0, 0}};
  draft.pair = {{-1, 0, 0}, {-1, 1, 1}};
  return draft;
}

}  // namespace linnet::convert
