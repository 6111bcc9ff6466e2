#include "text/tiny_tokenizer.h"

using namespace linnet;
using namespace linnet::tests;

namespace {

TokenizerDraft bert() {
  TokenizerDraft draft = draft_of(schema::TokenizerKind::word_piece,
                                  {"[UNK]", "[CLS]", "[SEP]", "un", "##aff", "##able", "##a", "##ff", "want", "##ed", ",", "\xE4\xB8\xAD"});
  draft.continuing_prefix = "##";
  draft.unknown_id = 0;
  draft.types[0] = draft.types[1] = draft.types[2] = TokenizerDraft::control;
  draft.added = {added(0, "[UNK]"), added(1, "[CLS]"), added(2, "[SEP]")};
  draft.normalizer = {stage("bert_clean"), stage("bert_ideographs"), stage("nfd"), stage("strip_accents", "", "", 0, 1),
                      stage("lowercase")};
  draft.pre_tokenizer = {split_at("white_space", text::Behavior::removed), split_at("punctuation")};
  draft.decoder = {stage("word_piece", "##", "", 0, 1)};
  draft.single = {{1, -1, 0}, {-1, 0, 0}, {2, -1, 0}};
  draft.pair = {{1, -1, 0}, {-1, 0, 0}, {2, -1, 0}, {-1, 1, 1}, {2, -1, 1}};
  return draft;
}

constexpr Tokenizer::EncodeOptions kPlain{.add_special = false};

}  // namespace

TEST_CASE("the longest piece from the left is taken") {
  const Tokenizer tokenizer = tokenizer_of(bert());
  CHECK(encoded(tokenizer, "unaffable", kPlain) == IdVector{3, 4, 5});
  CHECK(encoded(tokenizer, "Wanted, UNWANTED", kPlain) == IdVector{8, 9, 10, 0});
}

TEST_CASE("a word with a place where no piece fits is unknown as a whole") {
  const Tokenizer tokenizer = tokenizer_of(bert());
  CHECK(encoded(tokenizer, "unaffx want", kPlain) == IdVector{0, 8});
  CHECK(encoded(tokenizer, "xun", kPlain) == IdVector{0});
}

TEST_CASE("accents and case go, ideographs stand alone, control characters vanish") {
  const Tokenizer tokenizer = tokenizer_of(bert());
  CHECK(encoded(tokenizer, "W\xC3\x84nt", kPlain) == IdVector{8});
  CHECK(encoded(tokenizer, "want\xE4\xB8\xADwant", kPlain) == IdVector{8, 11, 8});
  CHECK(encoded(tokenizer, std::string_view("wa\0nt", 5), kPlain) == IdVector{8});
}

TEST_CASE("a word of more characters than allowed is unknown") {
  TokenizerDraft draft = bert();
  draft.max_word_characters = 4;
  const Tokenizer tokenizer = tokenizer_of(draft);
  CHECK(encoded(tokenizer, "want", kPlain) == IdVector{8});
  CHECK(encoded(tokenizer, "wanted", kPlain) == IdVector{0});
}

TEST_CASE("one text and a pair get their special tokens and type ids") {
  const Tokenizer tokenizer = tokenizer_of(bert());
  CHECK(encoded(tokenizer, "want") == IdVector{1, 8, 2});
  Ids ids, types;
  REQUIRE(tokenizer.encode_pair("want", "un,", {}, &ids, &types).ok());
  CHECK(IdVector(ids.begin(), ids.end()) == IdVector{1, 8, 2, 3, 10, 2});
  CHECK(IdVector(types.begin(), types.end()) == IdVector{0, 0, 0, 1, 1, 1});
}

TEST_CASE("special tokens are cut around, and of a pair the longer text gives first") {
  const Tokenizer tokenizer = tokenizer_of(bert());
  CHECK(encoded(tokenizer, "want want want", {.max_tokens = 4}) == IdVector{1, 8, 8, 2});
  CHECK(encoded(tokenizer, "want want want", {.max_tokens = 2}) == IdVector{1, 2});
  Ids ids, types;
  REQUIRE(tokenizer.encode_pair("un", ", , , ,", {.max_tokens = 6}, &ids, &types).ok());
  CHECK(IdVector(ids.begin(), ids.end()) == IdVector{1, 3, 2, 10, 10, 2});
}

TEST_CASE("special tokens in the text are matched only where that is wanted") {
  const Tokenizer tokenizer = tokenizer_of(bert());
  CHECK(encoded(tokenizer, "want[SEP]want", kPlain) == IdVector{8, 2, 8});
  CHECK(encoded(tokenizer, "want[SEP]want", {.add_special = false, .match_special = false}) == IdVector{8, 0, 0, 0, 8});
}

TEST_CASE("words are joined again, with the spaces of English") {
  const Tokenizer tokenizer = tokenizer_of(bert());
  CHECK(decoded(tokenizer, {3, 4, 5, 10, 8}) == "unaffable, want");
  CHECK(decoded(tokenizer, {1, 8, 2}, true) == "want");
  CHECK(decoded(tokenizer, {1, 8, 2}, false) == "[CLS] want [SEP]");
  CHECK(decoded(tokenizer, {-1, 8, 999}) == "want");
}

TEST_CASE("pieces, ids and special tokens can be asked for") {
  const Tokenizer tokenizer = tokenizer_of(bert());
  CHECK(tokenizer.vocabulary() == 12);
  CHECK(tokenizer.piece(4) == "##aff");
  CHECK(tokenizer.id("want") == 8);
  CHECK(tokenizer.id("nothing") == -1);
  CHECK(tokenizer.piece(12) == "");
  CHECK(tokenizer.piece(-1) == "");
  CHECK(tokenizer.is_special(2));
  CHECK_FALSE(tokenizer.is_special(8));
  CHECK_FALSE(tokenizer.is_special(-5));
}
