#include "convert/text/sentence_settings.h"

#include "convert/text/tokenizer_json.h"
#include "convert/text/vocabulary_files.h"
#include "text/tiny_tokenizer.h"

using namespace linnet;
using namespace linnet::tests;
using convert::Json;

namespace {

const std::string kVocabulary =
    "[PAD]\n[UNK]\n[CLS]\n[SEP]\nHello\nhello\n[\n]\nse\n##p\nsep\nx\n\xCF\x83\xCE\xB1\xCF\x82\n\xCF\x83\xCE\xB1\xCF\x83\n";

TokenizerDraft cased(const Json& settings) {
  TokenizerDraft draft = convert::parse_vocab_txt(kVocabulary, Json{{"do_lower_case", false}});
  convert::apply_sentence_settings(settings, "sentence_bert_config.json", &draft);
  return draft;
}

}  // namespace

TEST_CASE("without do_lower_case the tokenizer is what its own files say") {
  for (const Json& settings : {Json(nullptr), Json::object(), Json{{"do_lower_case", false}}, Json{{"do_lower_case", nullptr}}})
    CHECK(encoded(tokenizer_of(cased(settings)), "Hello [SEP]") == IdVector{2, 4, 3, 3});
}

TEST_CASE("do_lower_case lowers the text before anything else, special tokens in it included") {
  const Tokenizer tokenizer = tokenizer_of(cased({{"do_lower_case", true}}));
  CHECK(encoded(tokenizer, "Hello HELLO hello") == IdVector{2, 5, 5, 5, 3});
  CHECK(encoded(tokenizer, "[SEP]") == IdVector{2, 6, 10, 7, 3});  // "[sep]": no token any more
  CHECK(decoded(tokenizer, {2, 5, 3}, true) == "hello");
  CHECK(tokenizer.piece(3) == "[SEP]");
  CHECK(tokenizer.is_special(3));
}

TEST_CASE("lower case is the reference's: a sigma that ends a word is a final one") {
  const Tokenizer tokenizer = tokenizer_of(cased({{"do_lower_case", true}}));
  CHECK(encoded(tokenizer, "\xCE\xA3\xCE\x91\xCE\xA3") == IdVector{2, 12, 3});
  CHECK(encoded(tokenizer, "\xCE\xA3\xCE\x91\xCF\x83") == IdVector{2, 13, 3});  // it was small already
}

TEST_CASE("added tokens in lower case are found in text that was in upper case, those behind the vocabulary keep their ids") {
  TokenizerDraft draft = convert::parse_vocab_txt(kVocabulary, Json{{"do_lower_case", false}});
  draft.added.push_back(added(20, "<y>"));
  draft.added.push_back(added(22, "<Z>"));
  convert::apply_sentence_settings({{"do_lower_case", true}}, "sentence_bert_config.json", &draft);
  const Tokenizer tokenizer = tokenizer_of(draft);
  CHECK(encoded(tokenizer, "x<Y>X<y>") == IdVector{2, 11, 20, 11, 20, 3});
  CHECK(tokenizer.piece(22) == "<Z>");
  CHECK(tokenizer.is_special(22));
  CHECK(tokenizer.id("<Z>") == 22);
}

TEST_CASE("tokens that the tokenizer's own normalizer lowers, and those that it does not touch, keep their ids") {
  TokenizerDraft draft = convert::parse_tokenizer_json(R"({"normalizer": {"type": "BertNormalizer", "lowercase": true},
      "pre_tokenizer": {"type": "BertPreTokenizer"}, "added_tokens": [
        {"id": 8, "content": "Foo", "special": false, "normalized": true},
        {"id": 9, "content": "\u00e9", "special": true, "normalized": false}],
      "model": {"type": "WordPiece", "unk_token": "[UNK]", "vocab": {"[UNK]": 0, "foo": 4, "bar": 5, "e": 7}}})",
                                                       "tokenizer.json");
  CHECK(encoded(tokenizer_of(draft), "foo FOO bar \u00e9 e") == IdVector{8, 8, 5, 9, 7});
  convert::apply_sentence_settings({{"do_lower_case", true}}, "sentence_bert_config.json", &draft);
  CHECK(encoded(tokenizer_of(draft), "foo FOO bar \u00e9 e") == IdVector{8, 8, 5, 9, 7});
  CHECK(encoded(tokenizer_of(draft), "\u00c9") == IdVector{9});  // "\u00e9" before the tokenizer looks for it
}

TEST_CASE("a token is in lower case as Unicode says") {
  TokenizerDraft draft = convert::parse_vocab_txt(kVocabulary, Json{{"do_lower_case", false}});
  draft.added.push_back(added(20, "\u00c9"));
  convert::apply_sentence_settings({{"do_lower_case", true}}, "sentence_bert_config.json", &draft);
  CHECK(encoded(tokenizer_of(draft), "\u00c9") == IdVector{2, 1, 3});
}

TEST_CASE("max_seq_length cuts, and settings that make no sense are refused by name") {
  CHECK(encoded(tokenizer_of(cased({{"max_seq_length", 4}})), "x x x x") == IdVector{2, 11, 11, 3});
  CHECK(cased({{"max_seq_length", nullptr}}).max_length == 0);
  CHECK_THROWS_WITH_AS(cased({{"max_seq_length", -4}}), doctest::Contains("sentence_bert_config.json: max_seq_length is -4"),
                       convert::Error);
  CHECK_THROWS_WITH_AS(cased({{"do_lower_case", "yes"}}), doctest::Contains("do_lower_case"), convert::Error);
}
