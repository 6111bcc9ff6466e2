// A megabyte of what breaks tokenizers. Nothing is timed: work that grew with the square of the length would not end.
#include "text/random_text.h"
#include "text/tiny_tokenizer.h"

using namespace linnet;
using namespace linnet::tests;

namespace {

constexpr size_t kMegabyte = 1 << 20;

std::vector<std::string> hostile_texts(size_t bytes) {
  std::vector<std::string> texts;
  for (const char* unit : {"a",
                           " ",
                           "\n",
                           "'",
                           "1",
                           ".",
                           "\xF0\x9F\x98\x80",
                           "\xF0\x9F\x91\xA9\xE2\x80\x8D",
                           "\xCC\x81",
                           "\xCC\x81\xCC\xA3",
                           "\xE4\xB8\xAD",
                           "a ",
                           " a",
                           "\xE4\xB8\xAD"
                           "A",
                           "<|",
                           "<|end|>",
                           "\xFF",
                           "\xF0\x9F",
                           "A",
                           "\xC2\xA0",
                           "\r\n ",
                           "\t1"}) {
    std::string text;
    while (text.size() < bytes) text += unit;
    texts.push_back(text);
  }
  return texts;
}

// "a", "aa", "aaaa" and so on, so that a long run merges all the way up.
TokenizerDraft doubling(schema::TokenizerKind kind) {
  TokenizerDraft draft = draft_of(kind, {"<unk>"});
  for (const char* unit : {"a", " ", "1", ".", "\xE4\xB8\xAD"}) {
    std::string piece = unit;
    draft.pieces.push_back(piece);
    for (int i = 0; i < 5; ++i) {
      draft.merges.emplace_back(piece, piece);
      piece += piece;
      draft.pieces.push_back(piece);
    }
  }
  draft.types.assign(draft.pieces.size(), TokenizerDraft::normal);
  draft.unknown_id = 0;
  draft.added = {added(1000, "<|end|>")};
  return draft;
}

void encode_all(const TokenizerDraft& draft, size_t bytes = kMegabyte) {
  const Tokenizer tokenizer = tokenizer_of(draft);
  for (const std::string& text : hostile_texts(bytes)) {
    Ids ids;
    const Status status = tokenizer.encode(text, {}, &ids);
    CHECK_MESSAGE(status.ok(), status.message());
    Text back;
    CHECK(tokenizer.decode({ids.data(), ids.size()}, false, &back).ok());
  }
}

}  // namespace

TEST_CASE("a megabyte as one word is merged by rank") { encode_all(doubling(schema::TokenizerKind::byte_level_bpe)); }

TEST_CASE("a megabyte as one word is merged by score") {
  TokenizerDraft draft = doubling(schema::TokenizerKind::sentence_piece_bpe);
  draft.merges.clear();
  for (size_t i = 0; i < draft.pieces.size(); ++i) draft.scores.push_back(-static_cast<float>(i));
  encode_all(draft);
}

TEST_CASE("a megabyte as one word is cut by Unigram and WordPiece") {
  TokenizerDraft draft = doubling(schema::TokenizerKind::unigram);
  draft.merges.clear();
  draft.scores.assign(draft.pieces.size(), -1);
  encode_all(draft);
  draft.kind = schema::TokenizerKind::word_piece;
  draft.scores.clear();
  draft.max_word_characters = UINT32_MAX;
  encode_all(draft);
}

TEST_CASE("a quarter of a megabyte goes through every scanner and normalizer") {
  for (const char* scanner : {"gpt2", "llama3", "qwen2", "clip", "bloom", "o200k", "tekken", "deepseek3", "deepseek_cased",
                              "deepseek_marks", "trailing_spaces", "spaced_letters", "words", "two_spaces"}) {
    TokenizerDraft draft = draft_of(schema::TokenizerKind::word_level, {"a"});
    draft.pre_tokenizer = {split_at(scanner), stage("byte_level")};
    encode_all(draft, kMegabyte / 4);
  }
  for (const char* kind : {"nfc", "nfd", "nfkc", "nfkd", "lowercase", "strip_accents", "strip", "bert_clean", "bert_ideographs"}) {
    TokenizerDraft draft = draft_of(schema::TokenizerKind::word_level, {"a"});
    draft.normalizer = {stage(kind, "", "", 0, 3)};
    encode_all(draft, kMegabyte / 4);
  }
}

TEST_CASE("invalid bytes count as one replacement character each") {
  const Tokenizer tokenizer = tokenizer_of([] {
    TokenizerDraft draft = draft_of(schema::TokenizerKind::byte_level_bpe, {"a", "\xEF\xBF\xBD"});
    return draft;
  }());
  CHECK(encoded(tokenizer,
                "a\xFF"
                "a") == IdVector{0, 1, 0});
  CHECK(encoded(tokenizer, "\xF0\x9F\x98") == IdVector{1, 1, 1});
  CHECK(encoded(tokenizer, "\xC0\x80") == IdVector{1, 1});
}

TEST_CASE("a tokenizer is used from its own scratch and from new ones alike") {
  const Tokenizer tokenizer = tokenizer_of(doubling(schema::TokenizerKind::byte_level_bpe));
  Random random(2);
  for (int round = 0; round < 50; ++round) {
    const std::string text = random_characters(random, random.below(200));
    const IdVector first = encoded(tokenizer, text);
    CHECK(encoded(tokenizer, text) == first);
    CHECK(encoded(tokenizer_of(doubling(schema::TokenizerKind::byte_level_bpe)), text) == first);
  }
}
