#include "text/tiny_tokenizer.h"

using namespace linnet;
using namespace linnet::tests;

namespace {

// Pieces: the letters a to e, whose ids are 0 to 4.
TokenizerDraft letters(const std::vector<convert::AddedDraft>& tokens) {
  TokenizerDraft draft = draft_of(schema::TokenizerKind::byte_level_bpe, {"a", "b", "c", "d", "e", " "});
  draft.added = tokens;
  return draft;
}

IdVector encoded_with(const std::vector<convert::AddedDraft>& tokens, std::string_view text) {
  return encoded(tokenizer_of(letters(tokens)), text);
}

}  // namespace

TEST_CASE("the longest of the tokens that begin at a place is taken") {
  CHECK(encoded_with({added(10, "ab"), added(11, "abc"), added(12, "a")}, "abcab") == IdVector{11, 10});
  CHECK(encoded_with({added(10, "bc"), added(11, "ab")}, "abc") == IdVector{11, 2});
  CHECK(encoded_with({added(10, "abcd"), added(11, "ab")}, "abce") == IdVector{11, 2, 4});
}

TEST_CASE("ids outside the vocabulary are the tokens' own") {
  const Tokenizer tokenizer = tokenizer_of(letters({added(100, "<x>")}));
  CHECK(encoded(tokenizer, "a<x>") == IdVector{0, 100});
  CHECK(tokenizer.vocabulary() == 101);
  CHECK(tokenizer.piece(100) == "<x>");
  CHECK(tokenizer.id("<x>") == 100);
  CHECK(tokenizer.is_special(100));
}

TEST_CASE("a token swallows the white space beside it, but not twice") {
  convert::AddedDraft left = added(10, "<l>"), right = added(11, "<r>");
  left.lstrip = true;
  right.rstrip = true;
  CHECK(encoded_with({left, right}, "a  <l> b") == IdVector{0, 10, 5, 1});
  CHECK(encoded_with({left, right}, "a <r>\n b") == IdVector{0, 5, 11, 1});
  CHECK(encoded_with({left, right}, "<r>  <l>a") == IdVector{11, 10, 0});
}

TEST_CASE("a token that is a word does not match within one") {
  convert::AddedDraft word = added(10, "cab");
  word.single_word = true;
  CHECK(encoded_with({word}, "cab") == IdVector{10});
  CHECK(encoded_with({word}, "a cab") == IdVector{0, 5, 10});
  CHECK(encoded_with({word}, "acab") == IdVector{0, 2, 0, 1});
  CHECK(encoded_with({word}, "caba") == IdVector{2, 0, 1, 0});
}

TEST_CASE("a token may be looked for in the normalized text") {
  convert::AddedDraft token = added(10, "A B", false);
  token.normalized = true;
  TokenizerDraft draft = letters({token});
  draft.normalizer = {stage("lowercase")};
  CHECK(encoded(tokenizer_of(draft), "Aa bA") == IdVector{0, 10, 0});
  token.normalized = false;
  draft.added = {token};
  CHECK(encoded(tokenizer_of(draft), "a bA BA") == IdVector{0, 5, 1, 10, 0});
}

TEST_CASE("tokens are looked for in an input that was lowered as a whole") {
  convert::AddedDraft token = added(10, "A b", false);
  TokenizerDraft draft = letters({token, added(11, "c")});
  draft.normalizer = {stage("lowercase_input")};
  CHECK(encoded(tokenizer_of(draft), "aCA b") == IdVector{0, 11, 0, 5, 1});
  // What a token becomes is asked of the stages behind the input's alone.
  draft.added[0].normalized = true;
  CHECK(encoded(tokenizer_of(draft), "A b") == IdVector{0, 5, 1});
  draft.normalizer.push_back(stage("lowercase"));
  CHECK(encoded(tokenizer_of(draft), "cA b") == IdVector{11, 10});
}

TEST_CASE("what a special token passes over is not looked into where it must not match") {
  const Tokenizer tokenizer = tokenizer_of(letters({added(10, "abc", true), added(11, "bc", false)}));
  CHECK(encoded(tokenizer, "abcbc", {.match_special = false}) == IdVector{0, 1, 2, 11});
}

TEST_CASE("every stretch between tokens is normalized by itself") {
  TokenizerDraft draft = letters({added(10, "<x>")});
  draft.normalizer = {stage("prepend", "e")};
  CHECK(encoded(tokenizer_of(draft), "a<x>b<x>") == IdVector{4, 0, 10, 4, 1, 10});
}

TEST_CASE("of tokens with one text the first of the file counts") {
  CHECK(encoded_with({added(12, "<x>"), added(11, "<x>")}, "<x>") == IdVector{12});
}
