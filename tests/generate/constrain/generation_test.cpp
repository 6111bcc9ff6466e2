// Whatever a model draws from what masks allow is a text of the schema, down to the smallest budget.
#include <cstdio>
#include <filesystem>
#include <random>
#include <tuple>

#include "convert/golden_case.h"
#include "convert/text/tokenizer_reader.h"
#include "generate/constrain/constraint_texts.h"
#include "generate/constrain/schema_validator.h"
#include "generate/constrain/schemas.h"

using namespace linnet;
using namespace linnet::tests;

namespace {

using Json = SchemaValidator::Json;

struct Setting {
  Tokenizer tokenizer;
  ConstraintVocabulary vocabulary;
  int32_t eos;
};

// An id among those that the mask allows, each as likely as any other. -1: there is none.
int32_t draw(const std::vector<uint64_t>& bits, std::mt19937& random) {
  uint32_t count = 0;
  for (uint64_t word : bits) count += static_cast<uint32_t>(std::popcount(word));
  if (count == 0) return -1;
  auto left = static_cast<uint32_t>(random() % count);
  for (size_t i = 0; i < bits.size(); ++i) {
    const auto here = static_cast<uint32_t>(std::popcount(bits[i]));
    if (left >= here) {
      left -= here;
      continue;
    }
    uint64_t word = bits[i];
    for (; left > 0; --left) word &= word - 1;
    return static_cast<int32_t>(i * 64 + static_cast<size_t>(std::countr_zero(word)));
  }
  return -1;
}

IdVector written(Constraint& constraint, const Setting& setting, uint32_t budget, std::mt19937& random) {
  REQUIRE(constraint.reset().ok());
  IdVector ids;
  std::vector<uint64_t> bits(setting.vocabulary.words());
  for (uint32_t left = budget; left > 0 && !constraint.finished(); --left) {
    const Status status = constraint.allowed(left, bits);
    REQUIRE_MESSAGE(status.ok(), status.message());
    const int32_t id = draw(bits, random);
    REQUIRE(id >= 0);
    const Status accepted = constraint.accept(id);
    REQUIRE_MESSAGE(accepted.ok(), accepted.message());
    if (id == setting.eos) break;
    ids.push_back(id);
  }
  CHECK((constraint.finished() || constraint.may_end()));
  return ids;
}

void check_generations(const Setting& setting, uint32_t seeds) {
  size_t passed = 0, all = 0;
  for (const char* text : kSchemas) {
    const Json schema = Json::parse(text);
    const SchemaValidator validator(schema);
    Result<Constraint> constraint = Constraint::from_schema(setting.vocabulary, text);
    REQUIRE_MESSAGE(constraint.ok(), text << ": " << constraint.status().message());
    for (uint32_t more : {0u, 1u, 9u, 60u})
      for (uint32_t seed = 0; seed < seeds; ++seed) {
        std::mt19937 random(seed * 1000 + more);
        const IdVector ids = written(*constraint, setting, constraint->shortest_tokens() + more, random);
        const std::string output = decoded(setting.tokenizer, ids);
        const Json value = Json::parse(output, nullptr, false);
        const bool good = !value.is_discarded() && validator.valid(value);
        CHECK_MESSAGE(good, text << " gave " << output);
        passed += good;
        ++all;
      }
  }
  MESSAGE(passed, " of ", all, " texts are valid");
}

Setting setting_of(Tokenizer tokenizer, int32_t eos) {
  ConstraintVocabulary vocabulary = vocabulary_of(tokenizer, {eos});
  return {std::move(tokenizer), std::move(vocabulary), eos};
}

// Of shared/, if it is there.
void check_shared(const std::string& path, const std::string& eos, uint32_t seeds) {
  if (!std::filesystem::exists(path)) {
    MESSAGE("skipped: there is no ", path);
    return;
  }
  Tokenizer tokenizer = tokenizer_of(*convert::read_tokenizer(path));
  const int32_t end = tokenizer.id(eos);
  REQUIRE(end >= 0);
  check_generations(setting_of(std::move(tokenizer), end), seeds);
}

}  // namespace

TEST_CASE("the validator of these tests sees what is wrong") {
  const auto valid = [](size_t schema, const char* text) {
    const Json parsed = Json::parse(kSchemas[schema]);
    return SchemaValidator(parsed).valid(Json::parse(text));
  };
  CHECK(valid(1, R"({"name":"a","age":150})"));
  CHECK(!valid(1, R"({"name":"a","age":151})"));
  CHECK(!valid(1, R"({"name":"a"})"));
  CHECK(!valid(2, "[1]"));
  CHECK(!valid(3, R"("blue ")"));
  CHECK(!valid(4, "\"\u20ac\u20ac\""));
  CHECK(valid(5, R"("AB-123yz")"));
  CHECK(!valid(5, R"("AB-12")"));
  const char* both = R"({"date":"2023-02-%s","id":"123e4567-e89b-12d3-a456-42661417400%s"})";
  for (const auto& [day, digit, good] : {std::tuple("28", "0", true), std::tuple("29", "0", false), std::tuple("28", "g", false)}) {
    char text[200];
    std::snprintf(text, sizeof text, both, day, digit);
    CHECK(valid(6, text) == good);
  }
  CHECK(!valid(9, "7"));
  CHECK(!valid(12, R"({"value":1,"children":[{}]})"));
  CHECK(!valid(15, R"({"kind":"x","other":1})"));
}

TEST_CASE("texts from a small byte-level vocabulary are valid at every budget") {
  check_generations(setting_of(byte_tokenizer({"{\"",  "\":", "\",", "\"}", "name", "true",     "}]",     "[[",     "]]",  ", ",
                                               "null", "age", "12",  "345", "abc",  "\xE2\x82", "\": \"", "ab\xC3", "}}}", "\\\""}),
                               0),
                    50);
}

TEST_CASE("texts from a vocabulary of bytes alone are valid at every budget") { check_generations(setting_of(byte_tokenizer(), 0), 20); }

TEST_CASE("a mask has exactly the tokens that can be taken in and leave enough of the budget") {
  const Setting setting = setting_of(byte_tokenizer({"{\"", "\":", "\",", "\"}", "name", "true", "}]", "[[", "aaaaaaa", "ab\"", ", ",
                                                     "\xE2\x82", "b\xC3", "\",\"", "00", "1-", "@a.", "\\u00"}),
                                     0);
  std::vector<const char*> schemas(std::begin(kSchemas), std::end(kSchemas));
  schemas.push_back(R"({"type":"array","items":{"type":"string","minLength":2,"maxLength":25},"maxItems":2})");
  size_t compared = 0;
  for (const char* text : schemas)
    for (uint32_t more : {0u, 3u, 40u}) {
      std::mt19937 random(more);
      Result<Constraint> constraint = Constraint::from_schema(setting.vocabulary, text);
      REQUIRE(constraint.ok());
      uint32_t left = constraint->shortest_tokens() + more;
      for (uint32_t step = 0; left > 0 && !constraint->finished(); --left, ++step) {
        const std::vector<uint64_t> bits = mask_of(*constraint, setting.vocabulary, left);
        for (int32_t id = 1; step % 4 == 0 && id < static_cast<int32_t>(setting.vocabulary.size()); ++id) {
          Result<Constraint> fork = constraint->fork();
          REQUIRE(fork.ok());
          bool possible = fork->accept(id).ok();
          if (possible) possible = *fork->remaining_tokens() <= left - 1;
          if (possible != has_bit(bits, id)) FAIL_CHECK(text << ": token " << id << " with a budget of " << left);
          ++compared;
        }
        const int32_t id = draw(bits, random);
        REQUIRE(constraint->accept(id).ok());
      }
    }
  CHECK(compared > 10000);
}

TEST_CASE("texts from vocabularies of many kinds are valid at every budget") {
  const std::string shared = convert::shared_folder().string();
  check_shared(shared + "/goldens/tokenizers/bpe_gpt2", "<|endoftext|>", 20);
  check_shared(shared + "/goldens/tokenizers/bpe_llama3", "<|end_of_text|>", 20);
  check_shared(shared + "/goldens/tokenizers/spm_bpe_llama2", "</s>", 20);
  check_shared(shared + "/goldens/tokenizers/spm_bpe_gemma", "<eos>", 20);
  check_shared(shared + "/models/tokenizers/llama2-sentencepiece", "</s>", 6);
  check_shared(shared + "/models/tokenizers/qwen", "<|endoftext|>", 1);
}

TEST_CASE("the shortest text takes as few tokens as there can be") {
  const Setting plain = setting_of(byte_tokenizer(), 0), joined = setting_of(byte_tokenizer({"{\"", "a\":", "12", "\"a\":12", "12}"}), 0);
  const char* schema = R"({"type":"object","properties":{"a":{"type":"integer","minimum":10,"maximum":12}},"required":["a"]})";
  const Result<Constraint> bytes = Constraint::from_schema(plain.vocabulary, schema);
  REQUIRE(bytes.ok());
  CHECK(bytes->shortest_tokens() == 8);  // {"a":10}
  const Result<Constraint> tokens = Constraint::from_grammar(joined.vocabulary, "root ::= \"{\\\"a\\\":12}\"");
  REQUIRE(tokens.ok());
  CHECK(tokens->shortest_tokens() == 3);  // {" a": 12}
}

TEST_CASE("a budget that is too small is an error that says how much is needed") {
  const Setting setting = setting_of(byte_tokenizer(), 0);
  Result<Constraint> constraint = Constraint::from_grammar(setting.vocabulary, "root ::= \"abc\"");
  REQUIRE(constraint.ok());
  std::vector<uint64_t> bits(setting.vocabulary.words());
  const Status status = constraint->allowed(2, bits);
  REQUIRE(!status.ok());
  CHECK(std::string(status.message()) == "2 tokens are not enough to end the text: it needs 3");
  CHECK(constraint->allowed(3, bits).ok());
  CHECK(has_bit(bits, 1 + 'a'));
  CHECK(!constraint->allowed(3, std::span(bits).first(2)).ok());
}

TEST_CASE("a token that opens more than the budget can close is not allowed") {
  const Setting setting = setting_of(byte_tokenizer({"[["}), 0);
  Result<Constraint> constraint = Constraint::from_grammar(setting.vocabulary, "root ::= \"[\" root \"]\" | \"x\"");
  REQUIRE(constraint.ok());
  CHECK(constraint->shortest_tokens() == 1);
  const auto at = [&](uint32_t budget) { return mask_of(*constraint, setting.vocabulary, budget); };
  CHECK(!has_bit(at(1), 1 + '['));
  CHECK(!has_bit(at(2), 1 + '['));
  CHECK(has_bit(at(3), 1 + '['));  // [ x ]
  CHECK(!has_bit(at(3), 257));
  CHECK(has_bit(at(4), 257));  // [[ x ] ]
  CHECK(has_bit(at(1), 1 + 'x'));
}

TEST_CASE("an end-of-text id is allowed where the text may end, other special tokens never are") {
  TokenizerDraft draft = draft_of(schema::TokenizerKind::byte_level_bpe, {"<end>", "<other>", "a", "b"});
  draft.types[0] = draft.types[1] = TokenizerDraft::control;
  draft.decoder = {stage("byte_level")};
  const Tokenizer tokenizer = tokenizer_of(draft);
  const ConstraintVocabulary vocabulary = vocabulary_of(tokenizer);
  Result<Constraint> constraint = Constraint::from_grammar(vocabulary, "root ::= \"a\" . ? | [<>a-z]+ \"!\"?");
  REQUIRE(constraint.ok());
  CHECK(mask_of(*constraint, vocabulary) == std::vector<uint64_t>{0b1100});
  REQUIRE(constraint->accept(2).ok());
  CHECK(mask_of(*constraint, vocabulary) == std::vector<uint64_t>{0b1101});
  CHECK(!constraint->accept(1).ok());
  CHECK(!constraint->accept(99).ok());
  CHECK(!constraint->accept(-1).ok());
  REQUIRE(constraint->accept(0).ok());
  CHECK(constraint->finished());
  CHECK(!constraint->accept(2).ok());
}

TEST_CASE("what a vocabulary cannot spell is named") {
  TokenizerDraft draft =
      draft_of(schema::TokenizerKind::byte_level_bpe, {"<end>", "a", "b", in_alphabet("\u00e9"), in_alphabet("x\u20ac")});
  draft.types[0] = TokenizerDraft::control;
  draft.decoder = {stage("byte_level")};
  const Tokenizer tokenizer = tokenizer_of(draft);
  const ConstraintVocabulary vocabulary = vocabulary_of(tokenizer);
  CHECK(message_of(Constraint::from_grammar(vocabulary, "root ::= \"abc\"")).find("'c'") != std::string::npos);
  CHECK(message_of(Constraint::from_grammar(vocabulary, "root ::= \"a\u20ac\"")).find("'\u20ac'") != std::string::npos);
  CHECK(message_of(Constraint::any_json(vocabulary)).find("cannot spell") != std::string::npos);
  // A character without tokens for its bytes can be spelled by one of its own.
  Result<Constraint> constraint = Constraint::from_grammar(vocabulary, "root ::= \"a\u00e9\" | \"bx\u20ac\u00e9\"");
  REQUIRE(constraint.ok());
  CHECK(constraint->shortest_tokens() == 2);
  CHECK(mask_of(*constraint, vocabulary, 2) == std::vector<uint64_t>{0b00010});
  CHECK(mask_of(*constraint, vocabulary, 3) == std::vector<uint64_t>{0b00110});
  REQUIRE(constraint->accept(2).ok());
  CHECK(mask_of(*constraint, vocabulary, 2) == std::vector<uint64_t>{0b10000});
}

TEST_CASE("a fork goes its own way") {
  const Setting setting = setting_of(byte_tokenizer({"ab"}), 0);
  Result<Constraint> constraint = Constraint::from_grammar(setting.vocabulary, "root ::= (\"(\" root \")\"){0,3} [ab]{5,9}");
  REQUIRE(constraint.ok());
  for (char c : std::string("((aaaaa)")) REQUIRE(constraint->accept(1 + c).ok());
  Result<Constraint> fork = constraint->fork();
  REQUIRE(fork.ok());
  CHECK(mask_of(*fork, setting.vocabulary) == mask_of(*constraint, setting.vocabulary));
  CHECK(*fork->remaining_tokens() == *constraint->remaining_tokens());
  for (char c : std::string("bbbbb)aaaaa")) REQUIRE(fork->accept(1 + c).ok());
  CHECK(fork->may_end());
  CHECK(!constraint->may_end());
  CHECK(*constraint->remaining_tokens() == 11);  // aaaaa ) aaaaa
  REQUIRE(constraint->reset().ok());
  CHECK(*constraint->remaining_tokens() == 5);
}
