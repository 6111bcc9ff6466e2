#include "text/decoder.h"

#include "text/random_text.h"
#include "text/tiny_tokenizer.h"

using namespace linnet;
using namespace linnet::tests;

namespace {

// Ids are the places of the pieces.
Tokenizer decoder_of(const std::vector<StageDraft>& stages, const std::vector<std::string>& pieces) {
  TokenizerDraft draft = draft_of(schema::TokenizerKind::word_level, pieces);
  draft.decoder = stages;
  return tokenizer_of(draft);
}

std::string decoded_pieces(const std::vector<StageDraft>& stages, const std::vector<std::string>& pieces) {
  IdVector ids;
  for (size_t i = 0; i < pieces.size(); ++i) ids.push_back(static_cast<int32_t>(i));
  return decoded(decoder_of(stages, pieces), ids);
}

bool is_valid(std::string_view text) {
  for (size_t at = 0; at < text.size();) {
    const text::Point point = text::decode(text, at);
    if (!point.valid) return false;
    at += point.length;
  }
  return true;
}

const std::vector<std::string> kPieces = {"a",
                                          "\xE2\x96\x81"
                                          "b",
                                          "<0xE2>",
                                          "<0x82>",
                                          "<0xAC>",
                                          "<0xFF>",
                                          "\xC3\xA2\xC4\xA4",
                                          "\xC2\xAC",
                                          "\xC4\xA0",
                                          "</w>",
                                          "c</w>d",
                                          " ",
                                          "##x",
                                          ".",
                                          "xx",
                                          "x",
                                          "\xC3\xA2",
                                          "<0x41>",
                                          "'s",
                                          "  "};

const std::vector<std::vector<StageDraft>> kDecoders = {
    {stage("byte_level")},
    {stage("byte_level"), stage("strip", " ", "", 1 | 1 << 16)},
    {stage("replace", "\xE2\x96\x81", " "), stage("byte_fallback"), stage("fuse"), stage("strip", " ", "", 1)},
    {stage("byte_fallback", "", "", 0, 1), stage("fuse"), stage("replace", "xx", "y"), stage("strip", "x", "", 2 | 2 << 16)},
    {stage("word_piece", "##", "", 0, 1)},
    {stage("metaspace", "\xE2\x96\x81"), stage("byte_fallback")},
    {stage("bpe", "</w>")},
    {stage("bpe", "</w>"), stage("fuse"), stage("replace", " ", "_")},
    {stage("join", " ")},
    {stage("strip", " ", "", 1 | 1 << 16)},
    {},
};

}  // namespace

TEST_CASE("printable characters become bytes, and pieces outside the alphabet stay") {
  CHECK(decoded_pieces({stage("byte_level")}, {"\xC4\xA0Hi", "\xC3\x83", "\xC2\xA9"}) == " Hi\xC3\xA9");
  CHECK(decoded_pieces({stage("byte_level")}, {"a b", "\xE4\xB8\xAD"}) == "a b\xE4\xB8\xAD");
  CHECK(decoded_pieces({stage("byte_level")}, {"\xC3\x83", "x"}) == "\xEF\xBF\xBDx");
}

TEST_CASE("a run of bytes is text as a whole, or every byte is lost") {
  const std::vector<std::string> euro = {"<0xE2>", "<0x82>", "<0xAC>"};
  CHECK(decoded_pieces({stage("byte_fallback")}, euro) == "\xE2\x82\xAC");
  CHECK(decoded_pieces({stage("byte_fallback")}, {"<0x41>", "<0xFF>", "b"}) ==
        "\xEF\xBF\xBD\xEF\xBF\xBD"
        "b");
  CHECK(decoded_pieces({stage("byte_fallback", "", "", 0, 1)}, {"<0x41>", "<0xFF>", "b"}) ==
        "A\xEF\xBF\xBD"
        "b");
}

TEST_CASE("words, spaces and suffixes") {
  CHECK(decoded_pieces({stage("word_piece", "##", "", 0, 1)}, {"a", "##b", "do", "n't", ".", "x"}) == "ab don't. x");
  CHECK(decoded_pieces({stage("word_piece", "##")}, {"a", ".", "##b"}) == "a .b");
  CHECK(decoded_pieces({stage("metaspace", "_")}, {"__a", "_b", "c_d"}) == "a bc d");
  CHECK(decoded_pieces({stage("metaspace", "_", "", 0, 1)}, {"_a", "_b"}) == " a b");
  CHECK(decoded_pieces({stage("metaspace", "_", "", 0, 2)}, {"__a", "_b"}) == " a b");
  CHECK(decoded_pieces({stage("bpe", "</w>")}, {"he", "llo</w>", "you</w>"}) == "hello you");
  CHECK(decoded_pieces({stage("join", " ")}, {"a", "b"}) == "a b");
  CHECK(decoded_pieces({}, {"a", "b"}) == "ab");
}

TEST_CASE("what is stripped and replaced in tokens, and in the text that they are joined to") {
  CHECK(decoded_pieces({stage("strip", " ", "", 1)}, {"  a", " b "}) == " ab ");
  CHECK(decoded_pieces({stage("fuse"), stage("strip", " ", "", 1)}, {" ", " a", " b"}) == " a b");
  CHECK(decoded_pieces({stage("fuse"), stage("strip", " ", "", 0 | 2 << 16)}, {"a ", " ", " "}) == "a ");
  CHECK(decoded_pieces({stage("replace", "ab", "X")}, {"a", "bab"}) == "abX");
  CHECK(decoded_pieces({stage("fuse"), stage("replace", "ab", "X")}, {"a", "bab"}) == "XX");
}

TEST_CASE("text released early is never taken back and in the end is the whole, for all lists of pieces") {
  Random random(17);
  for (const std::vector<StageDraft>& stages : kDecoders) {
    const Tokenizer tokenizer = decoder_of(stages, kPieces);
    for (int round = 0; round < 400; ++round) {
      IdVector ids;
      for (size_t i = random.below(12) + 1; i > 0; --i) ids.push_back(static_cast<int32_t>(random.below(kPieces.size() + 1)));
      std::string released;
      const std::vector<std::string> parts = streamed(tokenizer, ids);
      for (size_t i = 0; i < parts.size(); ++i) {
        released += parts[i];
        CHECK(is_valid(parts[i]));
        const std::string whole = decoded(tokenizer, {ids.begin(), ids.begin() + static_cast<long>(i) + 1});
        CHECK(whole.compare(0, released.size(), released) == 0);
      }
      CHECK(released == decoded(tokenizer, ids));
    }
  }
}

TEST_CASE("bytes cut anywhere give the same text as in one piece") {
  Random random(23);
  for (int round = 0; round < 300; ++round) {
    const std::string bytes = round % 2 ? random_bytes(random, random.below(12)) : random_characters(random, random.below(6));
    text::Bytes held, whole;
    REQUIRE(text::append_valid(bytes, true, &held, &whole).ok());
    CHECK(is_valid(whole.view()));
    for (size_t first = 0; first <= bytes.size(); ++first)
      for (size_t second = first; second <= bytes.size(); ++second) {
        text::Bytes out;
        const std::string_view all = bytes;
        REQUIRE(text::append_valid(all.substr(0, first), false, &held, &out).ok());
        CHECK(is_valid(out.view()));
        CHECK(held.size() <= 3);
        REQUIRE(text::append_valid(all.substr(first, second - first), false, &held, &out).ok());
        REQUIRE(text::append_valid(all.substr(second), true, &held, &out).ok());
        CHECK(out.view() == whole.view());
      }
  }
}

TEST_CASE("more ids than pass the stages at once give the same text") {
  const Tokenizer tokenizer = decoder_of({stage("byte_fallback"), stage("fuse"), stage("strip", "a", "", 3)}, kPieces);
  IdVector ids;
  std::string expected;
  for (int i = 0; i < 1000; ++i) {
    ids.insert(ids.end(), {2, 3, 4, 0});
    expected +=
        "\xE2\x82\xAC"
        "a";
  }
  CHECK(decoded(tokenizer, ids) == expected);
}

TEST_CASE("what follows a prompt is decoded as its continuation, its leading space included") {
  const std::vector<std::string> pieces = {"_met", "_a", "_girl"};
  const Tokenizer tokenizer = decoder_of({stage("metaspace", "_")}, pieces);
  const IdVector prompt = {0}, written = {1, 2};
  StreamDecoder decoder(tokenizer, false);
  Text text;
  REQUIRE(decoder.skip(prompt).ok());
  for (int32_t id : written) REQUIRE(decoder.put(id, &text).ok());
  REQUIRE(decoder.finish(&text).ok());
  CHECK(std::string(view(text)) == " a girl");
  CHECK(decoded(tokenizer, written) == "a girl");
}

TEST_CASE("a stream without ids ends without text") {
  const Tokenizer tokenizer = decoder_of({stage("byte_level")}, kPieces);
  StreamDecoder decoder(tokenizer, false);
  Text text;
  CHECK(decoder.finish(&text).ok());
  CHECK(text.size() == 0);
}

TEST_CASE("decoder stages of unknown kinds, or without their text, are refused by name") {
  TokenizerDraft draft = draft_of(schema::TokenizerKind::word_level, {});
  draft.decoder = {stage("ctc")};
  CHECK(std::string(created(draft).status().message()) == "decoder stage 0 is 'ctc', which this build does not have");
  draft.decoder = {stage("replace")};
  CHECK(std::string(created(draft).status().message()) == "decoder stage 0, 'replace', has no text");
}
