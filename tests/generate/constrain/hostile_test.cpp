// Grammars and schemas that were made to hurt: deep, ambiguous, huge, cut off. Each is refused with a sentence or works within its bounds.
#include "generate/constrain/constraint_texts.h"

using namespace linnet;
using namespace linnet::tests;

namespace {

std::string repeated(const std::string& text, size_t times) {
  std::string all;
  for (size_t i = 0; i < times; ++i) all += text;
  return all;
}

// Refused with a sentence, or good for masks until the text ends or ten tokens are written: the lowest allowed id each time.
void try_out(const Result<Constraint>& made) {
  if (!made.ok()) {
    CHECK(std::string(made.status().message()).size() > 10);
    return;
  }
  Result<Constraint> constraint = made->fork();
  REQUIRE(constraint.ok());
  std::vector<uint64_t> bits(8);
  uint32_t budget = std::max(constraint->shortest_tokens(), 20u);
  for (int i = 0; i < 10 && !constraint->finished(); ++i, --budget) {
    const Status status = constraint->allowed(budget, bits);
    if (!status.ok()) {
      CHECK(std::string(status.message()).size() > 10);
      return;
    }
    int32_t id = 1;
    while (id < 500 && !has_bit(bits, id)) ++id;
    if (id == 500) {
      CHECK(has_bit(bits, 0));
      return;
    }
    REQUIRE(constraint->accept(id).ok());
  }
}

struct Hostile {
  Tokenizer tokenizer = byte_tokenizer({"aaaaaaaaaaaaaaaa", "((((((((", "[[[[[[[["});
  ConstraintVocabulary vocabulary = vocabulary_of(tokenizer);
  void grammar(const std::string& text) { try_out(Constraint::from_grammar(vocabulary, text)); }
  void schema(const std::string& text) { try_out(Constraint::from_schema(vocabulary, text)); }
};

}  // namespace

TEST_CASE("grammars that nest deeply are refused or work") {
  Hostile hostile;
  for (size_t depth : {10, 30, 1000, 100000}) {
    hostile.grammar("root ::= " + repeated("(", depth) + "\"a\"" + repeated(")", depth));
    hostile.grammar("root ::= " + repeated("(", depth) + "\"a\"" + repeated(")*", depth));
    hostile.grammar("root ::= " + repeated("(", depth));
  }
  std::string chain = "root ::= r0\n";
  for (int i = 0; i < 30000; ++i) chain += "r" + std::to_string(i) + " ::= \"(\" r" + std::to_string(i + 1) + " \")\"\n";
  hostile.grammar(chain + "r30000 ::= \"x\"\n");
  hostile.grammar("root ::= \"(\" root \")\" | \"x\"");
}

TEST_CASE("a text nests only as deep as can be followed to its end") {
  Hostile hostile;
  Result<Constraint> constraint = Constraint::from_grammar(hostile.vocabulary, "root ::= \"(\" root \")\" | \"x\"");
  REQUIRE(constraint.ok());
  size_t depth = 0;
  std::vector<uint64_t> bits(hostile.vocabulary.words());
  for (; depth < 5000; ++depth) {
    REQUIRE(constraint->allowed(kAmple, bits).ok());
    if (!has_bit(bits, 1 + '(')) break;
    REQUIRE(constraint->accept(1 + '(').ok());
  }
  CHECK(depth == 1024);
  REQUIRE(constraint->accept(1 + 'x').ok());
  for (; depth > 0; --depth) REQUIRE(constraint->accept(1 + ')').ok());
  CHECK(constraint->finished());
}

TEST_CASE("ambiguous grammars are followed within bounds") {
  Hostile hostile;
  hostile.grammar("root ::= \"a\" root \"b\" | \"a\" root \"c\" | \"x\"");
  hostile.grammar("root ::= \"a\" root root | \"a\" root | \"a\"");
  hostile.grammar("root ::= (\"a\" | \"a\" \"a\" | [a] | [^b])* \"b\"");
  hostile.grammar("root ::= (\"a\"* \"a\"*)* (\"a\"* (\"a\"* \"a\"*)*)* \"b\"");
  hostile.grammar("root ::= [ab]* \"a\" [ab]{90} \"c\"");
  std::string doubling = "root ::= r0\n";
  for (int i = 0; i < 40; ++i) {
    const std::string next = "r" + std::to_string(i + 1);
    doubling += "r" + std::to_string(i) + " ::= " + next + " \"p\" | " + next + " \"q\"\n";
  }
  hostile.grammar(doubling + "r40 ::= \"a\"+\n");
}

TEST_CASE("long tokens are taken in within bounds where every byte of them may end something") {
  std::vector<std::string> runs;
  for (size_t length = 8; length <= 248; length += 8) runs.push_back(repeated("a", length));
  const Tokenizer tokenizer = byte_tokenizer(runs);
  const ConstraintVocabulary vocabulary = vocabulary_of(tokenizer);
  for (const char* grammar : {"root ::= (\"a\"{1,1000}){1,1000}", "root ::= ((\"a\"{1,1000}){1,1000}){1,1000}",
                              "root ::= x{1,1000}\nx ::= y{1,1000}\ny ::= \"a\"{1,1000} | \"aa\" x"}) {
    Result<Constraint> constraint = Constraint::from_grammar(vocabulary, grammar);
    REQUIRE(constraint.ok());
    for (int32_t id : {287, 257, 270, 287}) {
      REQUIRE(has_bit(mask_of(*constraint, vocabulary), id));
      REQUIRE(constraint->accept(id).ok());
      CHECK(constraint->may_end());
      CHECK(has_bit(mask_of(*constraint, vocabulary, 1), 1 + 'a'));  // a last one, and then the end
    }
    CHECK_FALSE(constraint->accept(1 + 'b').ok());
  }
}

TEST_CASE("what is too much is called by its name") {
  Hostile hostile;
  CHECK(message_of(Constraint::from_grammar(hostile.vocabulary, "root ::= \"" + repeated("ab", 40000) + "\"")) ==
        "the shortest text has more than 65536 bytes");
  CHECK(message_of(Constraint::from_grammar(hostile.vocabulary, "root ::= " + repeated("\"a\"? ", 20000))) ==
        "too many parts in a row can be left out: the shortest text is not found in 4096 steps");
}

TEST_CASE("huge repetitions cost no more than their counts") {
  Hostile hostile;
  hostile.grammar("root ::= \"a\"{0,1000000}");
  hostile.grammar("root ::= \"a\"{60000,1000000}");
  hostile.grammar("root ::= ((\"a\"{0,1000000}){0,1000000}){0,1000000}");
  hostile.grammar("root ::= (((((\"a\"?){1000000}){1000000}){1000000}){1000000}){1000000}");
  hostile.grammar("root ::= ((\"a\" root?){1000}){1000}");
  hostile.grammar("root ::= " + repeated("(", 20) + "[^a]" + repeated("{1,90})", 20));
  hostile.grammar("root ::= " + repeated("[\\U00000000-\\U0010FFFF]{3} ", 3000));
  hostile.schema(R"({"type":"string","minLength":1000000,"maxLength":1000000})");
  hostile.schema(R"({"type":"array","minItems":1000000,"items":{"type":"array","minItems":1000000}})");
}

TEST_CASE("every beginning of a grammar and of a schema is refused or works") {
  Hostile hostile;
  const std::string grammar = "root ::= a{2,3} | [^a-z\\n\"]+ ( \"x\\u00e9\" b? )*\n# rest\na ::= \"1\" | b\nb ::= [\\x41-\\]]{4}\n";
  for (size_t length = 0; length <= grammar.size(); ++length) hostile.grammar(grammar.substr(0, length));
  const std::string schema =
      R"({"type":"object","properties":{"a":{"type":"string","pattern":"^[a-z]{2}(b|\\d)*$"},"n":{"type":"number","minimum":-1.5e1},
      "r":{"$ref":"#/$defs/x"}},"required":["a"],"$defs":{"x":{"anyOf":[{"type":"null"},{"$ref":"#"}]}}})";
  for (size_t length = 0; length <= schema.size(); ++length) hostile.schema(schema.substr(0, length));
}

TEST_CASE("schemas that lead in circles or grow without end are refused or work") {
  Hostile hostile;
  hostile.schema(R"({"$ref":"#"})");
  hostile.schema(R"({"allOf":[{"$ref":"#"},{"$ref":"#"}]})");
  hostile.schema(R"({"anyOf":[{"$ref":"#"}]})");
  hostile.schema(R"({"anyOf":[{"$ref":"#"},{"$ref":"#"}],"oneOf":[{"$ref":"#"}]})");
  hostile.schema(R"({"items":{"allOf":[{"$ref":"#"},{"items":{"$ref":"#/items"}}]}})");
  hostile.schema("{\"not\":" + repeated("{\"not\":", 5000));
  hostile.schema(repeated("{\"items\":", 120) + "{}" + repeated("}", 120));
  std::string branches = "{\"allOf\":[";
  for (int i = 0; i < 20; ++i) branches += std::string(i ? "," : "") + R"({"anyOf":[{"minLength":1},{"minLength":2},{"minLength":3}]})";
  hostile.schema(branches + "]}");  // 3^20 ways
  std::string members = "{\"type\":\"object\",\"properties\":{";
  for (int i = 0; i < 3000; ++i) members += std::string(i ? "," : "") + "\"p" + std::to_string(i) + "\":{\"type\":\"null\"}";
  hostile.schema(members + "}}");
  hostile.schema(members + "},\"additionalProperties\":true}");
  std::string values = "{\"enum\":[";
  for (int i = 0; i < 20000; ++i) values += std::string(i ? "," : "") + std::to_string(i * 7919);
  hostile.schema(values + "]}");
  hostile.schema("{\"type\":\"string\",\"pattern\":\"" + repeated("(", 5000) + "\"}");
  hostile.schema("{\"type\":\"string\",\"pattern\":\"" + repeated("(a|", 20) + repeated(")*", 20) + "\"}");
  hostile.schema("{\"type\":\"number\",\"minimum\":" + repeated("9", 400) + "}");
  hostile.schema(R"({"type":"number","minimum":-1e308,"maximum":1e-300})");
  hostile.schema(R"({"type":"integer","multipleOf":1e300})");
}
