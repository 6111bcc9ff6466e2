// Grammar texts: what they let through and what is refused.
#include "generate/constrain/constraint_texts.h"

using namespace linnet;
using namespace linnet::tests;

namespace {

struct Case {
  const char* grammar;
  std::vector<std::string> good, bad;
};

void check_case(const Case& c) {
  const Tokenizer tokenizer = byte_tokenizer();
  const ConstraintVocabulary vocabulary = vocabulary_of(tokenizer);
  Result<Constraint> constraint = Constraint::from_grammar(vocabulary, c.grammar);
  REQUIRE_MESSAGE(constraint.ok(), c.grammar << ": " << constraint.status().message());
  for (const std::string& text : c.good) CHECK_MESSAGE(accepts(*constraint, vocabulary, text), c.grammar << " and " << text);
  for (const std::string& text : c.bad) CHECK_MESSAGE(!accepts(*constraint, vocabulary, text), c.grammar << " but " << text);
}

std::string refusal(const std::string& grammar) {
  const Tokenizer tokenizer = byte_tokenizer();
  return message_of(Constraint::from_grammar(vocabulary_of(tokenizer), grammar));
}

}  // namespace

TEST_CASE("literals, choices and sequences of a grammar") {
  check_case({"root ::= \"yes\" | \"no\"", {"yes", "no"}, {"", "y", "yesno", "nope", "maybe"}});
  check_case({"root ::= \"a\" (\"b\" | \"c\" \"d\") \"e\"", {"abe", "acde"}, {"ae", "ade", "abde"}});
  check_case({"root ::= \"\\\"\\\\\\n\\t\\x41\\u00e9\\U0001F600\"", {"\"\\\n\tA\u00e9\U0001F600"}, {"\"\\\n\tA"}});
  check_case({"root ::= \"\" | \"a\"", {"", "a"}, {"aa"}});
  check_case(
      {"root ::= \"red\" | \"reddish\" | \"rose\" | \"blue\"", {"red", "reddish", "rose", "blue"}, {"re", "reddi", "ros", "bluered"}});
}

TEST_CASE("repetitions of a grammar, written out and counted") {
  check_case({"root ::= \"a\"*", {"", "a", "aaaa"}, {"b", "ab"}});
  check_case({"root ::= \"a\"+ \"b\"?", {"a", "ab", "aaab"}, {"", "b", "abb"}});
  check_case({"root ::= \"a\"{2} \"b\"{1,3} \"c\"{2,} \"d\"{,2}", {"aabcc", "aabbbccccdd"}, {"abcc", "aabbbbcc", "aabc", "aabccddd"}});
  check_case({"root ::= [ab]{100,102}", {std::string(100, 'a'), std::string(102, 'b')}, {std::string(99, 'a'), std::string(103, 'a')}});
  check_case({"root ::= (\"x\" [0-9]{200} \";\"){2}",
              {"x" + std::string(200, '1') + ";x" + std::string(200, '2') + ";"},
              {"x" + std::string(200, '1') + ";", "x" + std::string(199, '1') + ";"}});
  check_case({"root ::= (\"a\"? \"b\"?){100,300} \"!\"", {"!", "abab!", "ba!"}, {"", "a", "c!"}});
  check_case({"root ::= (item \",\"){0,400} \"end\"\nitem ::= \"(\" item? \")\"", {"end", "(()),end", "(),(),end"}, {"(,end", "()end"}});
}

TEST_CASE("classes of a grammar are over characters, not bytes") {
  check_case({"root ::= [a-c\\-x]", {"a", "c", "-", "x"}, {"d", "", "ab"}});
  check_case(
      {"root ::= [^a-z\\n]", {"A", "\u00e9", "\u20ac", "\U0010FFFF"}, {"a", "\n", "\xC3", "\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80"}});
  check_case({"root ::= [\u00e0-\u00ff]+", {"\u00e0\u00ff"}, {"a", "\u0100", "\xC3"}});
  check_case({"root ::= [\\u0800-\\U00010FFF]", {"\u0800", "\uFFFF", "\U00010FFF"}, {"\u07FF", "\U00011000", "\xE0\x80\x80"}});
  check_case({"root ::= . .", {"ab", "\u20ac\n"}, {"a", "abc"}});
  check_case({"root ::= [a-]", {"a", "-"}, {"b"}});
}

TEST_CASE("rules of a grammar call each other") {
  check_case({"# sums\nroot ::= term (\"+\" term)*  # of terms\nterm ::= [0-9]+ |\n  \"(\" root \")\"\n",
              {"1", "1+22", "(1+(2))+3"},
              {"", "+", "(1", "1+", "1)"}});
  check_case({"root ::= \"a\" root \"b\" | \"\"", {"", "ab", "aaabbb"}, {"aab", "abb", "ba"}});
  check_case({"root ::= ws \"x\" ws\nws ::= ([ \\t\\n] ws)?", {"x", " x", " \t\nx  "}, {"", " ", "x y"}});
  check_case({"root ::= \"a\" root | \"a\" root root | \"b\"", {"b", "ab", "aabbb", "abb"}, {"", "a", "ba"}});
}

TEST_CASE("what is wrong with a grammar is said with its place or its rule") {
  CHECK(refusal("").find("no rule 'root'") != std::string::npos);
  CHECK(refusal("root ::= \"a").find("line 1, column 12") != std::string::npos);
  CHECK(refusal("root ::= \"a\"\nroot ::= \"b\"").find("'root' is defined twice") != std::string::npos);
  CHECK(refusal("root ::= other").find("'other' is used but not defined") != std::string::npos);
  CHECK(refusal("root = \"a\"").find("'::='") != std::string::npos);
  CHECK(refusal("root ::= (\"a\"").find("')'") != std::string::npos);
  CHECK(refusal("root ::= [z-a]").find("rises") != std::string::npos);
  CHECK(refusal("root ::= \"\\q\"").find("escapes") != std::string::npos);
  CHECK(refusal("root ::= \"\xFF\"").find("UTF-8") != std::string::npos);
  CHECK(refusal("root ::= root \"a\" | \"b\"").find("'root' is left-recursive") != std::string::npos);
  CHECK(refusal("root ::= \"x\" | a\na ::= \"\" b \"c\"\nb ::= \"y\"? a").find("left-recursive") != std::string::npos);
  CHECK(refusal("root ::= \"a\" root").find("'root' has no end") != std::string::npos);
  CHECK(refusal("root ::= \"a\"{5,2}").find("repetition") != std::string::npos);
  CHECK(refusal("root ::= \"a\"{99999999999}").find("smaller number") != std::string::npos);
  CHECK(refusal("root ::= [a-b]{1000000}").find("shortest text") != std::string::npos);
}
