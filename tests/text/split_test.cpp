#include "text/pre_tokenizer.h"
#include "text/random_text.h"
#include "text/scanners.h"
#include "text/tiny_tokenizer.h"

using namespace linnet;
using namespace linnet::tests;
using text::Behavior;

namespace {

using Strings = std::vector<std::string>;

Strings pieces_of(const std::vector<StageDraft>& stages, std::string_view text, bool begins_input = true) {
  TokenizerDraft draft = draft_of(schema::TokenizerKind::word_level, {});
  draft.pre_tokenizer = stages;
  const Tokenizer tokenizer = tokenizer_of(draft);
  text::Pieces pieces;
  pieces.stretch.start(text, begins_input, 1 << 20);
  const Status status = text::pre_tokenize(tokenizer.impl().pre_tokenizer, &pieces);
  REQUIRE_MESSAGE(status.ok(), status.message());
  Strings found;
  for (text::Span span : pieces.spans) found.emplace_back(pieces.text(span));
  return found;
}

Strings scanned(const std::string& scanner, std::string_view text) { return pieces_of({split_at(scanner)}, text); }

StageDraft split_literal(const std::string& literal, Behavior behavior, uint32_t flags = 0) {
  return stage("split", literal, "", static_cast<int32_t>(behavior), flags);
}

}  // namespace

TEST_CASE("what becomes of matches and gaps") {
  CHECK(pieces_of({split_literal("-", Behavior::isolated)}, "a--b-") == Strings{"a", "-", "-", "b", "-"});
  CHECK(pieces_of({split_literal("-", Behavior::removed)}, "a--b-") == Strings{"a", "b"});
  CHECK(pieces_of({split_literal("-", Behavior::merged_with_previous)}, "a--b-") == Strings{"a-", "-", "b-"});
  CHECK(pieces_of({split_literal("-", Behavior::merged_with_next)}, "a--b-") == Strings{"a", "-", "-b", "-"});
  CHECK(pieces_of({split_literal("-", Behavior::contiguous)}, "a--b-") == Strings{"a", "--", "b", "-"});
  CHECK(pieces_of({split_literal("-", Behavior::removed, text::kInvert)}, "a--b-") == Strings{"-", "-", "-"});
  CHECK(pieces_of({split_literal("-", Behavior::isolated)}, "") == Strings{});
}

TEST_CASE("GPT-2's words, numbers, marks and spaces") {
  CHECK(scanned("gpt2", "I'm 12 years  old!!") == Strings{"I", "'m", " 12", " years", " ", " old", "!!"});
  CHECK(scanned("gpt2", "We'LL  ") == Strings{"We", "'", "LL", "  "});
  CHECK(scanned("gpt2", "a\n\n b") == Strings{"a", "\n\n", " b"});
  CHECK(scanned("gpt2", "it's'll") == Strings{"it", "'s", "'ll"});
}

TEST_CASE("Llama 3's and Qwen 2's lines and digits") {
  CHECK(scanned("llama3", "We'LL go 12345") == Strings{"We", "'LL", " go", " ", "123", "45"});
  CHECK(scanned("qwen2", "x=12") == Strings{"x", "=", "1", "2"});
  CHECK(scanned("llama3", "a!\n\n  b \n\t c") == Strings{"a", "!\n\n", " ", " b", " \n", "\t", " c"});
  CHECK(scanned("llama3", "(word)") == Strings{"(word", ")"});
}

TEST_CASE("words end where small letters end") {
  CHECK(scanned("o200k", "HTTPServer camelCase's") == Strings{"HTTPServer", " camel", "Case's"});
  CHECK(scanned("tekken", "it's 42//\n") == Strings{"it", "'s", " ", "4", "2", "//\n"});
  CHECK(scanned("o200k",
                "\xE4\xB8\xAD"
                "ABC") == Strings{"\xE4\xB8\xAD", "ABC"});
}

TEST_CASE("the expressions that cut several times") {
  CHECK(scanned("three_digits", "12345678") == Strings{"123", "456", "78"});
  CHECK(scanned("numbers_1_3", "12345") == Strings{"123", "45"});
  CHECK(scanned("deepseek3", "+abc \xC3\xA9\xCC\x81 x.\n") == Strings{"+abc", " \xC3\xA9\xCC\x81", " x", ".\n"});
  CHECK(scanned("trailing_spaces", "a  b  ") == Strings{"a  b", "  "});
  CHECK(scanned("bloom", "a b, (c)") == Strings{"a", " b", ", (", "c", ")"});
}

TEST_CASE("bytes become printable characters, and a space goes in front where there is none") {
  const StageDraft prefix = stage("prepend", " "), bytes = stage("byte_level");
  CHECK(pieces_of({prefix, split_at("gpt2"), bytes}, "a b") == Strings{"\xC4\xA0"
                                                                       "a",
                                                                       "\xC4\xA0"
                                                                       "b"});
  CHECK(pieces_of({prefix, bytes}, " a") == Strings{"\xC4\xA0"
                                                    "a"});
  CHECK(pieces_of({bytes}, "\xC3\xA9\n~") == Strings{"\xC3\x83\xC2\xA9\xC4\x8A~"});
}

TEST_CASE("SentencePiece's space goes in front of every piece, or of the first of the input") {
  const auto metaspace = [](uint32_t flags) {
    return std::vector<StageDraft>{stage("replace", " ", "_"), stage("prepend", "_", "", 0, flags),
                                   split_literal("_", Behavior::merged_with_next)};
  };
  CHECK(pieces_of(metaspace(0), "a  b") == Strings{"_a", "_", "_b"});
  CHECK(pieces_of(metaspace(0), " a") == Strings{"_a"});
  CHECK(pieces_of(metaspace(text::kFirst), "a b", false) == Strings{"a", "_b"});
  std::vector<StageDraft> after_words = metaspace(text::kFirst);
  after_words.insert(after_words.begin(), split_at("white_space", Behavior::removed));
  CHECK(pieces_of(after_words, "a b") == Strings{"_a", "b"});
  CHECK(pieces_of(after_words, " a b") == Strings{"a", "b"});  // the first character was dropped
}

TEST_CASE("pieces that are only cut make up the text again, whatever it is") {
  Random random(5);
  for (const char* scanner : {"gpt2",
                              "llama3",
                              "qwen2",
                              "clip",
                              "bloom",
                              "o200k",
                              "tekken",
                              "deepseek3",
                              "deepseek_cased",
                              "deepseek_marks",
                              "deepseek_ideographs",
                              "deepseek3_ideographs",
                              "number",
                              "numbers",
                              "numbers_1_3",
                              "three_digits",
                              "line_end",
                              "spaced_letters",
                              "spaced_punctuation",
                              "trailing_spaces",
                              "spaced_words",
                              "marks_backquote",
                              "marks",
                              "words",
                              "white_space",
                              "white_space_run",
                              "two_spaces",
                              "punctuation"}) {
    CAPTURE(scanner);
    REQUIRE(text::find_scanner(scanner) != nullptr);
    for (int round = 0; round < 40; ++round)
      for (Behavior behavior : {Behavior::isolated, Behavior::merged_with_previous, Behavior::merged_with_next, Behavior::contiguous}) {
        const std::string text = random_characters(random, random.below(40));
        std::string joined;
        for (const std::string& piece : pieces_of({split_at(scanner, behavior)}, text)) {
          CHECK_FALSE(piece.empty());
          joined += piece;
        }
        CHECK(joined == text);
      }
  }
}

TEST_CASE("unknown scanners and behaviours are refused by name") {
  TokenizerDraft draft = draft_of(schema::TokenizerKind::word_level, {});
  draft.pre_tokenizer = {split_at("perl")};
  CHECK(std::string(created(draft).status().message()) == "the tokenizer splits at 'perl', which this build does not have");
  draft.pre_tokenizer = {split_at("gpt2", static_cast<Behavior>(9))};
  CHECK(created(draft).status().code() == Code::corrupt);
}
