#include "convert/text/tokenizer_json.h"

#include "convert/checkpoint.h"
#include "text/tiny_tokenizer.h"

using namespace linnet;
using namespace linnet::tests;
using convert::parse_tokenizer_json;

namespace {

const char* const kModel = R"({"type": "WordLevel", "vocab": {"a": 0, "b": 1, "<unk>": 2}, "unk_token": "<unk>"})";

std::string file(const std::string& parts, const std::string& model = kModel) {
  return "{" + parts + (parts.empty() ? "" : ",") + "\"model\":" + model + "}";
}

std::string refusal(const std::string& text) {
  try {
    parse_tokenizer_json(text, "tokenizer.json");
  } catch (const convert::Error& error) {
    return error.what();
  }
  return "";
}

IdVector ids_with(const std::string& parts, std::string_view text, const std::string& model = kModel) {
  return encoded(tokenizer_of(parse_tokenizer_json(file(parts, model), "tokenizer.json")), text);
}

}  // namespace

TEST_CASE("what is not known is refused by its name") {
  CHECK(refusal(file(R"("normalizer": {"type": "Nmt"})")) == "tokenizer.json: the normalizer Nmt is not known to this library");
  CHECK(refusal(file(R"("pre_tokenizer": {"type": "UnicodeScripts"})")) ==
        "tokenizer.json: the pre-tokenizer UnicodeScripts is not known to this library");
  CHECK(refusal(file(R"("decoder": {"type": "CTC"})")) == "tokenizer.json: the decoder CTC is not known to this library");
  CHECK(refusal(file(R"("post_processor": {"type": "Magic"})")) == "tokenizer.json: the post-processor Magic is not known to this library");
  CHECK(refusal(file("", R"({"type": "CharBPE", "vocab": {}})")) == "tokenizer.json: the model CharBPE is not known to this library");
  CHECK(refusal(file(R"("pre_tokenizer": {"type": "Split", "pattern": {"Regex": "(a|b)+"}, "behavior": "Isolated", "invert": false})")) ==
        "tokenizer.json: the tokenizer's expression (a|b)+ is not known to this library");
  CHECK(refusal(file("", R"({"type": "BPE", "vocab": {"a": 0}, "merges": [], "dropout": 0.1})")).find("dropout") != std::string::npos);
}

TEST_CASE("malformed files are refused") {
  CHECK(refusal("").rfind("tokenizer.json: ", 0) == 0);
  CHECK(refusal("{}") == "tokenizer.json: there is no \"model\"");
  CHECK(refusal(file("", R"({"type": "WordLevel", "vocab": {"a": "x"}})")).rfind("tokenizer.json: ", 0) == 0);
  CHECK(refusal(file("", R"({"type": "WordLevel", "vocab": {"a": 4194304}})")).find("id 4194304") != std::string::npos);
  CHECK(refusal(file("", R"({"type": "BPE", "vocab": {"a": 0}, "merges": ["a"]})")) == "tokenizer.json: the merge \"a\" is not two pieces");
  CHECK(refusal(file(R"("normalizer": {"type": "Precompiled", "precompiled_charsmap": "?"})")) ==
        "tokenizer.json: a character map is not written in base64");
}

TEST_CASE("merges of pieces that the vocabulary lacks are refused") {
  const convert::TokenizerDraft draft =
      parse_tokenizer_json(file("", R"({"type": "BPE", "vocab": {"a": 0, "b": 1}, "merges": ["a b"]})"), "tokenizer.json");
  flatbuffers::FlatBufferBuilder builder;
  CHECK_THROWS_AS(write_tokenizer(builder, draft), convert::Error);
}

TEST_CASE("merges are written as texts or as pairs") {
  const std::string vocabulary = R"("vocab": {"a": 0, "b": 1, "ab": 2})";
  CHECK(ids_with("", "ab", R"({"type": "BPE", )" + vocabulary + R"(, "merges": ["a b"]})") == IdVector{2});
  CHECK(ids_with("", "ab", R"({"type": "BPE", )" + vocabulary + R"(, "merges": [["a", "b"]]})") == IdVector{2});
  CHECK(ids_with("", "ab", "{" + vocabulary + R"(, "merges": ["a b"]})") == IdVector{2});  // old files name no type
}

TEST_CASE("splits, delimiters, digits and punctuation") {
  CHECK(ids_with(R"("pre_tokenizer": {"type": "CharDelimiterSplit", "delimiter": "-"})", "a-b-x") == IdVector{0, 1, 2});
  CHECK(ids_with(R"("pre_tokenizer": {"type": "Split", "pattern": {"String": "-"}, "behavior": "Removed", "invert": false})", "a-b") ==
        IdVector{0, 1});
  CHECK(ids_with(R"("pre_tokenizer": {"type": "Whitespace"})", "a b!!") == IdVector{0, 1, 2});
  CHECK(ids_with(R"("pre_tokenizer": {"type": "Digits", "individual_digits": true})", "a12") == IdVector{0, 2, 2});
  CHECK(ids_with(R"("pre_tokenizer": {"type": "Digits", "individual_digits": false})", "a12") == IdVector{0, 2});
  CHECK(ids_with(R"("pre_tokenizer": {"type": "Punctuation", "behavior": "Removed"})", "a!b") == IdVector{0, 1});
}

TEST_CASE("templates of every kind of post-processor") {
  const std::string sep = R"("sep": ["b", 1], "cls": ["a", 0])";
  CHECK(ids_with(R"("post_processor": {"type": "BertProcessing", )" + sep + "}", "x") == IdVector{0, 2, 1});
  const Tokenizer roberta =
      tokenizer_of(parse_tokenizer_json(file(R"("post_processor": {"type": "RobertaProcessing", )" + sep + "}"), "tokenizer.json"));
  Ids ids, types;
  REQUIRE(roberta.encode_pair("x", "x", {}, &ids, &types).ok());
  CHECK(IdVector(ids.begin(), ids.end()) == IdVector{0, 2, 1, 1, 2, 1});
  CHECK(IdVector(types.begin(), types.end()) == IdVector(6, 0));
  const std::string sequence =
      R"("post_processor": {"type": "Sequence", "processors": [{"type": "ByteLevel"}, {"type": "TemplateProcessing",
    "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
    "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 3}}],
    "special_tokens": {"<s>": {"id": "<s>", "ids": [1, 0], "tokens": ["b", "a"]}}}]})";
  CHECK(ids_with(sequence, "x") == IdVector{1, 0, 2});
}

TEST_CASE("the length that the file cuts at is kept") {
  const std::string rule =
      R"("pre_tokenizer": {"type": "WhitespaceSplit"}, "truncation": {"max_length": 2, "strategy": "LongestFirst", "stride": 0, "direction": "Right"})";
  CHECK(ids_with(rule, "a b a b") == IdVector{0, 1});
  // Whether it matters is for the converter to say, which knows what the model is for.
  const auto foreign_cut = [](const std::string& part) { return parse_tokenizer_json(file(part), "tokenizer.json").foreign_cut; };
  CHECK(foreign_cut(rule) == "");
  CHECK(foreign_cut(R"("truncation": {"max_length": 2, "strategy": "OnlyFirst", "direction": "Right"})").find("OnlyFirst") !=
        std::string::npos);
  CHECK(foreign_cut(R"("truncation": {"max_length": 2, "strategy": "LongestFirst", "direction": "Left"})").find("left") !=
        std::string::npos);
}
