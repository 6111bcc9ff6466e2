// Readers of the files beside tokenizer.json: vocab.txt, vocab.json with merges.txt, tokenizer.model, GGUF metadata.
#include "convert/text/vocabulary_files.h"

#include <bit>

#include "convert/text/gguf_tokenizer.h"
#include "convert/text/paired_pieces.h"
#include "convert/text/protobuf.h"
#include "convert/text/sentence_piece.h"
#include "text/random_text.h"
#include "text/tiny_tokenizer.h"

using namespace linnet;
using namespace linnet::tests;
using convert::GgufMetadata;
using convert::Json;

namespace {

template <class Read>
std::string refusal(Read read) {
  try {
    read();
  } catch (const convert::Error& error) {
    return error.what();
  }
  return "";
}

// Protocol buffers, written by hand.
std::string varint(uint64_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7) bytes += static_cast<char>(value | 0x80);
  return bytes + static_cast<char>(value);
}
std::string whole(uint32_t number, uint64_t value) { return varint(number << 3) + varint(value); }
std::string bytes(uint32_t number, const std::string& content) { return varint(number << 3 | 2) + varint(content.size()) + content; }
std::string real(uint32_t number, float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  std::string field = varint(number << 3 | 5);
  for (int i = 0; i < 4; ++i) field += static_cast<char>(bits >> 8 * i);
  return field;
}
std::string piece(const std::string& text, float score, uint64_t type = 1) {
  return bytes(1, bytes(1, text) + real(2, score) + whole(3, type));
}

const std::string kSpace = "\xE2\x96\x81";

std::string sentence_piece(uint64_t model_type, const std::string& trainer = "", const std::string& normalizer = "") {
  return piece("<unk>", 0, 2) + piece("<s>", 0, 3) + piece("</s>", 0, 3) + piece(kSpace, -1) + piece("a", -2) + piece("b", -2.5f) +
         piece(kSpace + "a", -1.5f) + piece("ab", -3) + bytes(2, whole(3, model_type) + trainer) + bytes(3, normalizer);
}

GgufMetadata gguf(const std::string& model, const std::vector<std::string>& tokens, const std::vector<int64_t>& types = {}) {
  GgufMetadata metadata;
  metadata.values()["tokenizer.ggml.model"] = model;
  metadata.values()["tokenizer.ggml.tokens"] = tokens;
  if (!types.empty()) metadata.values()["tokenizer.ggml.token_type"] = types;
  return metadata;
}

}  // namespace

TEST_CASE("vocab.txt is BERT's, in lower case unless the configuration says otherwise") {
  const std::string vocabulary = "[PAD]\n[UNK]\n[CLS]\n[SEP]\nab\n##c\nAb\r\n";
  const Tokenizer lower = tokenizer_of(convert::parse_vocab_txt(vocabulary, nullptr));
  CHECK(encoded(lower, "Abc") == IdVector{2, 4, 5, 3});
  const Tokenizer cased = tokenizer_of(convert::parse_vocab_txt(vocabulary, Json{{"do_lower_case", false}}));
  CHECK(encoded(cased, "Abc[SEP]") == IdVector{2, 6, 5, 3, 3});
  CHECK(refusal([&] {
          convert::parse_vocab_txt(vocabulary, Json{{"tokenizer_class", "MPNetTokenizer"}});
        }) == "vocab.txt of a MPNetTokenizer: this library reads that class from tokenizer.json only");
}

TEST_CASE("vocab.json and merges.txt are GPT-2's or RoBERTa's") {
  const std::string vocabulary = R"({"<s>": 0, "</s>": 1, "a": 2, "b": 3, "ab": 4, "<|endoftext|>": 5})", merges = "#version: 0.2\na b\n";
  CHECK(encoded(tokenizer_of(convert::parse_vocab_json(vocabulary, merges, nullptr)), "ab<|endoftext|>a") == IdVector{4, 5, 2});
  CHECK(encoded(tokenizer_of(convert::parse_vocab_json(vocabulary, merges, Json{{"tokenizer_class", "RobertaTokenizerFast"}})), "ab") ==
        IdVector{0, 4, 1});
  CHECK(refusal([&] { convert::parse_vocab_json(vocabulary, "ab\n", nullptr); }) == "merges.txt, line 1: \"ab\" is not two pieces");
  CHECK(refusal([&] { convert::parse_vocab_json("[", merges, nullptr); }).rfind("vocab.json: ", 0) == 0);
}

TEST_CASE("tokenizer.model merges by score behind a dummy prefix") {
  const Tokenizer bpe = tokenizer_of(convert::parse_sentence_piece(sentence_piece(2, "", whole(4, 0)), nullptr));
  CHECK(encoded(bpe, "ab") == IdVector{1, 6, 5});  // "_a" scores more than "ab"
  CHECK(encoded(bpe, "x") == IdVector{1, 3, 0});
  CHECK(encoded(bpe, "") == IdVector{1});
  CHECK(decoded(bpe, {6, 5, 0}) == "ab \xE2\x81\x87 ");
}

TEST_CASE("tokenizer.model's Unigram removes extra spaces and ends with eos") {
  const Tokenizer unigram = tokenizer_of(convert::parse_sentence_piece(sentence_piece(1), nullptr));
  CHECK(encoded(unigram, "  ab   a ") == IdVector{3, 7, 6, 2});  // -4 either way for "_ab": the first found stays
  CHECK(encoded(unigram, "<s>") == IdVector{3, 0, 2});           // control pieces are not in the text
}

TEST_CASE("a SentencePiece model beside a list of pieces cuts as the one says and numbers as the other does") {
  const std::string list =
      R"({"</s>": 0, "<unk>": 1, "b": 2, "\u2581": 3, "x": 4, "ab": 5, "a": 6, "\u2581a": 7, ">>deu<<": 8, "<pad>": 9})";
  const Tokenizer paired = tokenizer_of(convert::parse_paired_pieces(sentence_piece(1), list));
  CHECK(encoded(paired, "ab a") == IdVector{3, 5, 7, 0});
  CHECK(encoded(paired, ">>deu<< a") == IdVector{8, 7, 0});
  CHECK(encoded(paired, "x") == IdVector{3, 1, 0});  // a piece of the other side alone
  CHECK(decoded(paired, {7, 4, 2}) == "axb");
  CHECK(refusal([&] { convert::parse_paired_pieces(sentence_piece(1), R"({"</s>": 0, "<unk>": 1, "b": 2})"); }).find("lacks the piece") !=
        std::string::npos);
}

TEST_CASE("beside tokenizer_config.json special tokens are found in text") {
  const Tokenizer bpe = tokenizer_of(convert::parse_sentence_piece(sentence_piece(2), Json{{"tokenizer_class", "LlamaTokenizer"}}));
  CHECK(encoded(bpe, "a</s>a") == IdVector{1, 6, 2, 6});
  CHECK(decoded(bpe, {1, 6, 2}, true) == "a");
}

TEST_CASE("what tokenizer.model has and this library does not is named") {
  CHECK(refusal([] { convert::parse_sentence_piece(sentence_piece(4), nullptr); }) ==
        "tokenizer.model is of model type 4, expected 1 (unigram) or 2 (BPE)");
  CHECK(refusal([] { convert::parse_sentence_piece(sentence_piece(1, whole(24, 1)), nullptr); }).find("suffix") != std::string::npos);
  CHECK(refusal([] {
          convert::parse_sentence_piece(sentence_piece(1), Json{{"tokenizer_class", "XLMRobertaTokenizer"}});
        }).find("XLMRobertaTokenizer") != std::string::npos);
  CHECK(refusal([] { convert::parse_sentence_piece(piece("a", 0, 4) + sentence_piece(2), nullptr); }).find("user-defined") !=
        std::string::npos);
  CHECK(refusal([] { convert::parse_sentence_piece(piece("a", 0, 5) + sentence_piece(2), nullptr); }).find("1 unused pieces") !=
        std::string::npos);
  CHECK(refusal([] { convert::parse_sentence_piece("", nullptr); }) == "tokenizer.model has no pieces");
}

TEST_CASE("a message cut anywhere is refused or shorter, and random bytes never lead outside") {
  const std::string whole_file = sentence_piece(2);
  for (size_t length = 0; length < whole_file.size(); ++length)
    refusal([&] { convert::parse_sentence_piece(whole_file.substr(0, length), nullptr); });
  Random random(31);
  for (int round = 0; round < 2000; ++round) {
    const std::string noise = random_bytes(random, random.below(64));
    refusal([&] { convert::parse_sentence_piece(noise, nullptr); });
  }
  convert::ProtobufReader::Field field;
  CHECK(refusal([&] {
          convert::ProtobufReader(
              "\x0A\x05"
              "ab")
              .next(&field);
        }) == "a protocol-buffers message is malformed");
  CHECK(refusal([&] { convert::ProtobufReader("\x0B").next(&field); }) == "a protocol-buffers message is malformed");
  CHECK(refusal([&] { convert::ProtobufReader(std::string(11, '\xFF')).next(&field); }) == "a protocol-buffers message is malformed");
}

TEST_CASE("GGUF: byte-level pieces with merges, cut as tokenizer.ggml.pre says") {
  GgufMetadata metadata = gguf("gpt2", {"a", "b", "ab", "1", "11", "<|x|>"}, {1, 1, 1, 1, 1, 3});
  metadata.values()["tokenizer.ggml.merges"] = std::vector<std::string>{"a b", "1 1"};
  CHECK(refusal([&] { read_gguf_tokenizer(metadata); }).find("'tokenizer.ggml.pre' is missing") != std::string::npos);
  metadata.values()["tokenizer.ggml.pre"] = std::string("gpt-2");
  CHECK(encoded(tokenizer_of(*read_gguf_tokenizer(metadata)), "ab11<|x|>") == IdVector{2, 4, 5});
  metadata.values()["tokenizer.ggml.pre"] = std::string("qwen2");
  CHECK(encoded(tokenizer_of(*read_gguf_tokenizer(metadata)), "ab11") == IdVector{2, 3, 3});
  metadata.values()["tokenizer.ggml.pre"] = std::string("mystery");
  CHECK(refusal([&] { read_gguf_tokenizer(metadata); }).find("'mystery'") != std::string::npos);
}

TEST_CASE("GGUF: BERT's pieces get their marks back") {
  GgufMetadata metadata = gguf("bert", {"[UNK]", "[CLS]", "[SEP]", kSpace + "ab", "c"}, {3, 3, 3, 1, 1});
  metadata.values()["tokenizer.ggml.unknown_token_id"] = int64_t{0};
  metadata.values()["tokenizer.ggml.cls_token_id"] = int64_t{1};
  metadata.values()["tokenizer.ggml.seperator_token_id"] = int64_t{2};
  const Tokenizer tokenizer = tokenizer_of(*read_gguf_tokenizer(metadata));
  CHECK(encoded(tokenizer, "ABC c") == IdVector{1, 3, 4, 0, 2});
  CHECK(tokenizer.piece(4) == "##c");
}

TEST_CASE("GGUF: SentencePiece's scores, and what else is refused") {
  GgufMetadata metadata = gguf("llama", {"<unk>", "<s>", "</s>", kSpace, "a", kSpace + "a"}, {2, 3, 3, 1, 1, 1});
  CHECK(refusal([&] { read_gguf_tokenizer(metadata); }).find("'tokenizer.ggml.scores' has 0 entries, expected 6") != std::string::npos);
  metadata.values()["tokenizer.ggml.scores"] = std::vector<double>{0, 0, 0, -1, -2, -3};
  CHECK(encoded(tokenizer_of(*read_gguf_tokenizer(metadata)), "a</s>a") == IdVector{1, 5, 2, 5});
  CHECK(refusal([&] { read_gguf_tokenizer(gguf("rwkv", {"a"})); }).find("'rwkv'") != std::string::npos);
  CHECK_FALSE(read_gguf_tokenizer(gguf("none", {})).has_value());
  CHECK_FALSE(read_gguf_tokenizer(GgufMetadata()).has_value());
}
