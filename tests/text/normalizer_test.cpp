#include "text/normalizer.h"

#include "text/random_text.h"
#include "text/tiny_tokenizer.h"

using namespace linnet;
using namespace linnet::tests;

namespace {

// What stages make of a text, seen through a vocabulary without pieces: the normalizer of a tokenizer, run by itself.
std::string normalized(const std::vector<StageDraft>& stages, std::string_view text, bool* begins_input = nullptr) {
  TokenizerDraft draft = draft_of(schema::TokenizerKind::word_level, {});
  draft.normalizer = stages;
  const Tokenizer tokenizer = tokenizer_of(draft);
  text::Stretch stretch;
  stretch.start(text, true, 1 << 20);
  const Status status = tokenizer.impl().normalizer.rewrite(&stretch);
  REQUIRE_MESSAGE(status.ok(), status.message());
  if (begins_input) *begins_input = stretch.begins_input();
  return std::string(stretch.text());
}

std::string nfc(std::string_view text) { return normalized({stage("nfc")}, text); }
std::string nfd(std::string_view text) { return normalized({stage("nfd")}, text); }
std::string nfkc(std::string_view text) { return normalized({stage("nfkc")}, text); }
std::string nfkd(std::string_view text) { return normalized({stage("nfkd")}, text); }

// A character map with one key per entry, in the layout of SentencePiece's files: the tree has the keys' bytes in one block.
StageDraft character_map(const std::string& key, const std::string& replacement) {
  std::vector<uint32_t> units(1024, 0);
  const uint32_t root = 256;
  units[0] = root << 10;
  uint32_t base = root;
  for (size_t i = 0; i < key.size(); ++i) {
    const auto label = static_cast<uint8_t>(key[i]);
    const uint32_t unit = base ^ label, next = 512 + static_cast<uint32_t>(i) * 128;
    units[unit] = (unit ^ next) << 10 | label;
    base = next;
    if (i + 1 == key.size()) units[unit] |= 1u << 8, units[base] = 1u << 31;
  }
  StageDraft draft = stage("precompiled");
  const auto size = static_cast<uint32_t>(units.size() * 4);
  draft.bytes.resize(4 + size);
  std::memcpy(draft.bytes.data(), &size, 4);
  std::memcpy(draft.bytes.data() + 4, units.data(), size);
  draft.bytes.insert(draft.bytes.end(), replacement.begin(), replacement.end());
  draft.bytes.push_back(0);
  return draft;
}

}  // namespace

TEST_CASE("normal forms compose, decompose and order marks") {
  CHECK(nfc("e\xCC\x81") == "\xC3\xA9");
  CHECK(nfd("\xC3\xA9") == "e\xCC\x81");
  CHECK(nfc("caf\xC3\xA9 \xC3\xBC") == "caf\xC3\xA9 \xC3\xBC");
  CHECK(nfc("\xE1\x84\x92\xE1\x85\xA1\xE1\x86\xAB") == "\xED\x95\x9C");  // Hangul of three letters
  CHECK(nfd("\xED\x95\x9C") == "\xE1\x84\x92\xE1\x85\xA1\xE1\x86\xAB");
  CHECK(nfd("a\xCC\x81\xCC\xA3") == "a\xCC\xA3\xCC\x81");    // the dot below goes first
  CHECK(nfc("\xC3\xA9\xCC\xA3") == "\xE1\xBA\xB9\xCC\x81");  // across a composed letter
  CHECK(nfc("\xE2\x84\xAB") == "\xC3\x85");                  // the Angstrom sign is a ring A
  CHECK(nfc("\xE0\xA5\x98") == "\xE0\xA4\x95\xE0\xA4\xBC");  // excluded from composition
  CHECK(nfkc("\xEF\xAC\x81\xC2\xBD") ==
        "fi1\xE2\x81\x84"
        "2");
  CHECK(nfkd("\xEF\xBC\xA1\xC2\xA0\xC3\xA9") == "A e\xCC\x81");
  CHECK(nfc("\xEF\xAC\x81") == "\xEF\xAC\x81");
  CHECK(nfc("") == "");
}

TEST_CASE("long runs of marks are ordered like short ones") {
  std::string marks, sorted;
  for (int i = 0; i < 1000; ++i) marks += i % 2 ? "\xCC\xA3" : "\xCC\x81";  // classes 220 and 230
  for (int i = 0; i < 500; ++i) sorted += "\xCC\xA3";
  for (int i = 0; i < 500; ++i) sorted += "\xCC\x81";
  CHECK(nfd("x" + marks) == "x" + sorted);
}

TEST_CASE("composing what was decomposed gives the same as composing") {
  Random random(11);
  for (int round = 0; round < 500; ++round) {
    const std::string text = random_characters(random, random.below(30));
    CHECK(nfc(nfd(text)) == nfc(text));
    CHECK(nfkc(nfkd(text)) == nfkc(text));
    CHECK(nfd(nfd(text)) == nfd(text));
  }
}

TEST_CASE("case and accents") {
  CHECK(normalized({stage("lowercase")}, "A\xC3\x84\xC4\xB0\xC8\xBA") == "a\xC3\xA4i\xCC\x87\xE2\xB1\xA5");
  CHECK(normalized({stage("lowercase")}, "A\xCE\xA3") == "a\xCF\x83");
  // A final sigma only behind a letter and before none, apostrophes and marks aside.
  const StageDraft by_context = stage("lowercase", "", "", 0, 1);
  const std::string capital = "\xCE\xA3", small = "\xCF\x83", last = "\xCF\x82";
  CHECK(normalized({by_context}, "A" + capital) == "a" + last);
  CHECK(normalized({by_context}, capital) == small);
  CHECK(normalized({by_context}, "A" + capital + "A") == "a" + small + "a");
  CHECK(normalized({by_context}, "A" + capital + "' " + capital + " A'" + capital + "'a") ==
        "a" + last + "' " + small + " a'" + small + "'a");
  CHECK(normalized({by_context}, "A\xCC\x81" + capital + "\xCC\x81.") == "a\xCC\x81" + last + "\xCC\x81.");
  CHECK(normalized({by_context}, "1" + capital + "A" + capital + "1") == "1" + small + "a" + last + "1");
  CHECK(normalized({stage("strip_accents")}, "e\xCC\x81\xE0\xA4\x95\xE0\xA4\xBE") == "e\xE0\xA4\x95");
  CHECK(normalized({stage("strip_accents", "", "", 0, 1)}, "e\xCC\x81\xE0\xA4\x95\xE0\xA4\xBE") == "e\xE0\xA4\x95\xE0\xA4\xBE");
}

TEST_CASE("white space is stripped on the sides that are asked for") {
  CHECK(normalized({stage("strip", "", "", 0, 1)}, " \t\xE3\x80\x80 x ") == "x ");
  CHECK(normalized({stage("strip", "", "", 0, 2)}, " x \xC2\xA0") == " x");
  CHECK(normalized({stage("strip", "", "", 0, 3)}, " \n ") == "");
  CHECK(normalized({stage("strip", "", "", 0, 7)}, " \tx ") == "\tx");
}

TEST_CASE("matches are replaced from the left, without looking at what was put in") {
  CHECK(normalized({stage("replace", "aa", "a")}, "aaaaa") == "aaa");
  CHECK(normalized({stage("replace", "x", "")}, "xaxx") == "a");
  CHECK(normalized({stage("replace", "white_space_run", " ", 0, text::kScanner)}, "a \t\n b") == "a b");
  CHECK(normalized({stage("replace", "two_spaces", " ", 0, text::kScanner)}, "a  b c   ") == "a b c ");
}

TEST_CASE("a prefix goes in front of texts that are not empty") {
  CHECK(normalized({stage("prepend", "_")}, "a") == "_a");
  CHECK(normalized({stage("prepend", "_")}, "") == "");
}

TEST_CASE("BERT's cleaning drops control characters and makes white space one kind") {
  const std::string_view text("a\0b\x01\tc\xE2\x80\x8B\xC2\xA0\xEF\xBF\xBD\n", 15);
  CHECK(normalized({stage("bert_clean")}, text) == "ab c  ");
  CHECK(normalized({stage("bert_ideographs")}, "a\xE4\xB8\xAD\xE3\x81\x82") == "a \xE4\xB8\xAD \xE3\x81\x82");
}

TEST_CASE("a character map replaces clusters by the shortest key, or characters by the longest") {
  const StageDraft map = character_map("\xCC\x81", "'");
  CHECK(normalized({map}, "ab") == "ab");
  CHECK(normalized({map},
                   "a\xCC\x81"
                   "b") == "a'b");
  StageDraft letter = character_map("a", "[A]");
  CHECK(normalized({letter}, "a\xCC\x81") == "[A]");  // the cluster goes as a whole
  letter.flags = 1;
  CHECK(normalized({letter},
                   "a\xCC\x81"
                   "ba") ==
        "[A]\xCC\x81"
        "b[A]");
}

TEST_CASE("whether a text still begins where its input began") {
  bool begins = false;
  normalized({stage("strip", "", "", 0, 3)}, " x", &begins);
  CHECK_FALSE(begins);
  normalized({stage("strip", "", "", 0, 3)}, "x ", &begins);
  CHECK(begins);
  normalized({stage("bert_clean")}, std::string_view("\0x", 2), &begins);
  CHECK_FALSE(begins);
  normalized({stage("replace", "a", "")}, "ab", &begins);
  CHECK_FALSE(begins);
  normalized({stage("replace", "a", "c")}, "ab", &begins);
  CHECK(begins);
}

TEST_CASE("stages of unknown kinds and broken character maps are refused by name") {
  TokenizerDraft draft = draft_of(schema::TokenizerKind::word_level, {});
  draft.normalizer = {stage("nfc"), stage("rot13")};
  CHECK(std::string(created(draft).status().message()) == "normalizer stage 1 is 'rot13', which this build does not have");
  draft.normalizer = {stage("precompiled")};
  CHECK(std::string(created(draft).status().message()) == "the tokenizer's character map has a trie of 0 bytes in 0");
  draft.normalizer = {stage("precompiled")};
  draft.normalizer[0].bytes = {8, 0, 0, 0, 1, 2, 3};
  CHECK(created(draft).status().code() == Code::corrupt);
  draft.normalizer = {stage("replace", "", "x")};
  CHECK(created(draft).status().code() == Code::corrupt);
}

TEST_CASE("a stage of the whole input stands before the others") {
  TokenizerDraft draft = draft_of(schema::TokenizerKind::word_level, {});
  draft.normalizer = {stage("lowercase_input"), stage("nfc"), stage("lowercase_input")};
  const Status status = created(draft).status();
  CHECK(status.code() == Code::corrupt);
  CHECK(std::string(status.message()).rfind("normalizer stage 2 lowers the whole input", 0) == 0);
}

TEST_CASE("a chain of replacements that would grow without end is stopped") {
  TokenizerDraft draft = draft_of(schema::TokenizerKind::word_level, {});
  draft.normalizer.assign(64, stage("replace", "a", "aa"));
  const Tokenizer tokenizer = tokenizer_of(draft);
  Ids ids;
  CHECK(tokenizer.encode("aaaa", {}, &ids).code() == Code::out_of_memory);
}
