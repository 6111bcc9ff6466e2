// JSON schemas: which texts they let through, and what is refused by name.
#include "generate/constrain/constraint_texts.h"

using namespace linnet;
using namespace linnet::tests;

namespace {

struct Case {
  const char* schema;
  std::vector<std::string> good, bad;
};

void check_case(const Case& c) {
  const Tokenizer tokenizer = byte_tokenizer();
  const ConstraintVocabulary vocabulary = vocabulary_of(tokenizer);
  Result<Constraint> constraint = Constraint::from_schema(vocabulary, c.schema);
  REQUIRE_MESSAGE(constraint.ok(), c.schema << ": " << constraint.status().message());
  for (const std::string& text : c.good) CHECK_MESSAGE(accepts(*constraint, vocabulary, text), c.schema << " and " << text);
  for (const std::string& text : c.bad) CHECK_MESSAGE(!accepts(*constraint, vocabulary, text), c.schema << " but " << text);
}

std::string refusal(const std::string& schema) {
  const Tokenizer tokenizer = byte_tokenizer();
  return message_of(Constraint::from_schema(vocabulary_of(tokenizer), schema));
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("a schema that says nothing lets every value through") {
  check_case(
      {"{}",
       {"null", "true", "false", "0", "-1.5e+10", "\"\"", "\"a\\u00e9\\n\u20ac\"", "[]", "[1, [2],{}]", "{}", "{\"a\":1, \"b\": [null]}"},
       {"", "nul", "01", "1.", ".5", "+1", "\"", "\"\n\"", "\"\\x\"", "\"\\ud800\"", "[1,]", "[ 1]", "{\"a\"}", "{a:1}", " 1", "1 "}});
  check_case({"true", {"1"}, {""}});
}

TEST_CASE("types of a schema") {
  check_case({R"({"type":"null"})", {"null"}, {"0", "\"null\""}});
  check_case({R"({"type":"boolean"})", {"true", "false"}, {"1", "null"}});
  check_case({R"({"type":"integer"})", {"0", "-7", "123456789012345678"}, {"-0", "1.0", "01", "1e3", "1234567890123456789"}});
  check_case({R"({"type":"number"})", {"0", "-0.5", "1e9", "12.25E-3"}, {"\"1\"", "1e999", "--1", "Infinity", "NaN"}});
  check_case({R"({"type":["string","null"]})", {"\"\"", "null"}, {"1", "[]"}});
  check_case({R"({"type":"string","nullable":true})", {"\"x\"", "null"}, {"0"}});
}

TEST_CASE("properties come in the order of the schema, and those that are not required may be left out") {
  check_case({R"({"type":"object","properties":{"a":{"type":"integer"},"b":{"type":"boolean"},"c":{"type":"null"}},"required":["b"]})",
              {R"({"b":true})", R"({"a":1,"b":false})", R"({"a": 1, "b": false, "c": null})", R"({"b":true,"c":null})"},
              {"{}", R"({"a":1})", R"({"b":true,"a":1})", R"({"b":true,"d":1})", R"({"b":1})", R"({"a":1,,"b":true})", R"({"b":true,})",
               "{", R"({"a":  1,"b":true})"}});
  check_case({R"({"properties":{"a":{}}})", {"{}", R"({"a":[1]})"}, {"1", R"({"b":1})"}});
  check_case({R"({"type":"object","required":["x y\"z"]})", {R"({"x y\"z":1})", R"({"x y\"z":1,"other":2})"}, {"{}", R"({"other":2})"}});
  check_case({R"({"type":"object","properties":{"a":false,"b":{"type":"null"}}})", {"{}", R"({"b":null})"}, {R"({"a":1})"}});
  check_case({R"({"type":"object","minProperties":1,"properties":{"a":{"type":"null"},"b":{"type":"null"}}})",
              {R"({"a":null})", R"({"b":null})", R"({"a":null,"b":null})"},
              {"{}"}});
}

TEST_CASE("other properties have other names") {
  const std::string ab =
      R"({"properties":{"ab":{"type":"null"},"a":{"type":"null"},"\u00e9t\u00e9":{}},"additionalProperties":{"type":"integer"}})";
  check_case({ab.c_str(),
              {"{}", R"({"ab":null,"a":null,"abc":1,"b":2,"":3,"x":4})", R"({"ac":1})", "{\"\u00e9t\":1}", "{\"\u00e9t\u00e9s\":1}",
               "{\"\u00e8\":1}"},
              {R"({"a":1})", R"({"ab":1})", R"({"x":1,"ab":2})", R"({"x":null})", R"({"\u0061":1})", R"({"ab":null, "a":null,"a":1})"}});
  check_case({R"({"type":"object","additionalProperties":{"type":"boolean"},"maxProperties":2})",
              {"{}", R"({"x":true})", R"({"x":true,"y":false})"},
              {R"({"x":true,"y":false,"z":true})", R"({"x":1})"}});
  check_case({R"({"type":"object","additionalProperties":false})", {"{}"}, {R"({"a":1})"}});
}

TEST_CASE("elements of arrays") {
  check_case({R"({"type":"array","items":{"type":"integer"}})", {"[]", "[1]", "[1,2, 3]"}, {"[true]", "[1,]", "[1 ,2]", "["}});
  check_case({R"({"type":"array","items":{"type":"null"},"minItems":2,"maxItems":3})",
              {"[null,null]", "[null,null,null]"},
              {"[]", "[null]", "[null,null,null,null]"}});
  check_case({R"({"type":"array","prefixItems":[{"type":"integer"},{"type":"string"}],"items":{"type":"null"},"minItems":1})",
              {"[1]", "[1,\"a\"]", "[1,\"a\",null,null]"},
              {"[]", "[\"a\"]", "[1,null]", "[1,\"a\",2]"}});
  check_case({R"({"type":"array","items":[{"const":1},{"const":2}],"additionalItems":false,"minItems":2})", {"[1,2]"}, {"[1]", "[1,2,3]"}});
  check_case({R"({"type":"array","prefixItems":[{"const":1}],"minItems":2,"maxItems":2})", {"[1,2]", "[1,\"a\"]"}, {"[1]", "[2,2]"}});
  check_case({R"({"type":"array","items":false})", {"[]"}, {"[1]"}});
  check_case({R"({"type":"array","items":{"type":"boolean"},"minItems":300,"maxItems":301})",
              {[] {
                std::string s = "[true";
                for (int i = 1; i < 300; ++i) s += ",true";
                return s + "]";
              }()},
              {[] {
                std::string s = "[true";
                for (int i = 1; i < 299; ++i) s += ",true";
                return s + "]";
              }()}});
}

TEST_CASE("listed values") {
  check_case({R"({"enum":["a","b c",1,null,{"k":[1,2.50]},"\"\n"]})",
              {"\"a\"", "\"b c\"", "1", "null", "{\"k\":[1,2.50]}", "\"\\\"\\n\""},
              {"\"c\"", "2", "\"a", "{\"k\":[1, 2.50]}"}});
  check_case({R"({"type":"string","enum":["a",1]})", {"\"a\""}, {"1"}});
  check_case({R"({"const":{"a":true}})", {"{\"a\":true}"}, {"{}", "{\"a\":false}"}});
}

TEST_CASE("lengths, patterns and formats of strings") {
  check_case({R"({"type":"string","minLength":2,"maxLength":3})",
              {"\"ab\"", "\"a\u20ac\U0001F600\"", "\"\\n\\u00e9\""},
              {"\"a\"", "\"abcd\"", "\"\U0001F600\""}});
  const std::string hundred(100, 'x');
  check_case({R"({"type":"string","minLength":100,"maxLength":200})",
              {"\"" + hundred + "\"", "\"" + hundred + hundred + "\""},
              {"\"" + hundred.substr(1) + "\"", "\"" + hundred + hundred + "x\""}});
  check_case(
      {R"({"type":"string","pattern":"^[A-Z]{2}-\\d{3,4}$"})", {"\"AB-123\"", "\"ZZ-0000\""}, {"\"AB-12\"", "\"ab-123\"", "\"AB-123 \""}});
  check_case({R"({"type":"string","pattern":"b+"})", {"\"b\"", "\"abbc\"", "\"\\\"b\""}, {"\"\"", "\"ac\""}});
  check_case({R"({"type":"string","pattern":"^(?:a|b\\.c)*$|^x$"})", {"\"\"", "\"ab.ca\"", "\"x\""}, {"\"b\"", "\"bxc\"", "\"xx\""}});
  check_case({R"({"type":"string","pattern":"^[^\"a]\\\\$"})", {"\"b\\\\\"", "\"\\n\\\\\""}, {"\"\\\"\\\\\"", "\"a\\\\\""}});
  check_case(
      {R"({"type":"string","pattern":"^[a-z]+$","minLength":2,"maxLength":4})", {"\"ab\"", "\"abcd\""}, {"\"a\"", "\"abcde\"", "\"AB\""}});
  check_case({R"({"type":"string","pattern":"^\\w\\s\\S\\D$"})", {"\"a !x\"", "\"_\\t~:\""}, {"\"a !1\"", "\"! ax\""}});
  check_case(
      {R"({"type":"string","format":"date"})", {"\"2024-02-28\"", "\"1999-12-31\""}, {"\"2024-02-30\"", "\"2024-13-01\"", "\"24-01-01\""}});
  check_case({R"({"type":"string","format":"time"})", {"\"23:59:59Z\"", "\"00:00:00.123+05:30\""}, {"\"24:00:00Z\"", "\"12:00:00\""}});
  check_case({R"({"type":"string","format":"date-time"})", {"\"2024-01-31T12:30:00Z\""}, {"\"2024-01-31 12:30:00Z\"", "\"2024-01-31\""}});
  check_case({R"({"type":"string","format":"uuid"})", {"\"123e4567-e89b-12d3-a456-426614174000\""}, {"\"123e4567\""}});
  check_case({R"({"type":"string","format":"email"})",
              {"\"first.last@example.com\"", "\"a@b-c.d.org\""},
              {"\"a@b\"", "\".a@b.cd\"", "\"a@b..cd\""}});
  check_case({R"({"type":"string","format":"ipv4"})", {"\"192.168.0.255\""}, {"\"256.1.1.1\"", "\"1.2.3\"", "\"01.2.3.4\""}});
}

TEST_CASE("bounds of whole numbers are exact") {
  check_case({R"({"type":"integer","minimum":-12,"maximum":105})",
              {"-12", "-9", "-1", "0", "9", "10", "99", "100", "105"},
              {"-13", "-20", "-0", "106", "110", "1000", "05"}});
  check_case({R"({"type":"integer","exclusiveMinimum":7,"exclusiveMaximum":9})", {"8"}, {"7", "9", "80"}});
  check_case({R"({"type":"integer","minimum":0.5,"maximum":2.5})", {"1", "2"}, {"0", "3"}});
  check_case({R"({"type":"integer","minimum":1,"exclusiveMinimum":true,"maximum":3})", {"2", "3"}, {"1", "4"}});
  check_case({R"({"type":"integer","minimum":1000000})", {"1000000", "123456789012345678"}, {"999999", "0", "-1"}});
  check_case({R"({"type":"integer","maximum":-5})", {"-5", "-123"}, {"-4", "5", "0"}});
  check_case({R"({"type":"integer","minimum":10,"maximum":50,"multipleOf":15})", {"15", "30", "45"}, {"10", "20", "60", "0"}});
  check_case({R"({"type":"integer","multipleOf":7})", {"0", "7", "-14", "700007"}, {"1", "-8", "-0", "71"}});
  check_case({R"({"type":"integer","minimum":0,"multipleOf":3})", {"0", "3", "12"}, {"-3", "4"}});
}

TEST_CASE("bounds of decimals are exact") {
  check_case({R"({"type":"number","minimum":-1.25,"maximum":10})",
              {"-1.25", "-1.2", "-0.5", "0", "0.0", "9.999999", "10", "10.000", "-1"},
              {"-1.26", "-1.250001", "10.000001", "11", "-2", "1e1", "-0", "100", "1."}});
  check_case({R"({"type":"number","exclusiveMinimum":0,"maximum":1})", {"0.000001", "0.5", "1", "1.0"}, {"0", "0.0", "1.1", "-0.5"}});
  check_case({R"({"type":"number","exclusiveMinimum":2.5,"exclusiveMaximum":2.75})",
              {"2.6", "2.500001", "2.749999"},
              {"2.5", "2.50", "2.75", "2", "3"}});
  check_case({R"({"type":"number","maximum":-0.5})", {"-0.5", "-0.75", "-3"}, {"-0.4", "0", "-0.0", "1"}});
  check_case({R"({"type":"number","minimum":1e-3,"maximum":1.5E0})", {"0.001", "1.5"}, {"0.0009", "1.51", "0"}});
  check_case({R"({"type":"number","minimum":0,"multipleOf":0.01})", {"0", "3.5", "12.25"}, {"0.001", "-1"}});
  check_case({R"({"type":"number","minimum":0,"maximum":10,"multipleOf":5})", {"0", "5", "10"}, {"2.5", "15"}});
}

TEST_CASE("choices between schemas") {
  check_case({R"({"anyOf":[{"type":"integer","maximum":5,"minimum":1},{"type":"string","maxLength":1}]})",
              {"3", "\"a\""},
              {"6", "\"ab\"", "null"}});
  check_case({R"({"oneOf":[{"type":"integer"},{"type":"string"}]})", {"3", "\"a\""}, {"null"}});
  check_case({R"({"oneOf":[{"properties":{"k":{"const":"a"},"x":{"type":"integer"}},"required":["k","x"],"type":"object"},
                           {"properties":{"k":{"const":"b"}},"required":["k"],"type":"object"}]})",
              {R"({"k":"a","x":1})", R"({"k":"b"})"},
              {R"({"k":"a"})", R"({"k":"b","x":1})"}});
  check_case({R"({"allOf":[{"type":"object","properties":{"a":{"type":"integer"}},"required":["a"]},
                           {"properties":{"a":{"maximum":3,"minimum":0},"b":{"type":"null"}},"required":["b"]}]})",
              {R"({"a":3,"b":null})"},
              {R"({"a":4,"b":null})", R"({"a":1})"}});
  check_case({R"({"type":"object","properties":{"a":{"type":"null"},"b":{"type":"null"}},"anyOf":[{"required":["a"]},{"required":["b"]}]})",
              {R"({"a":null})", R"({"b":null})", R"({"a":null,"b":null})"},
              {"{}"}});
}

TEST_CASE("references, recursive ones too") {
  check_case(
      {R"({"$ref":"#/$defs/node","$defs":{"node":{"type":"object","properties":{"v":{"type":"integer"},"next":{"$ref":"#/$defs/node"}},"required":["v"]}}})",
       {R"({"v":1})", R"({"v":1,"next":{"v":2,"next":{"v":3}}})"},
       {"{}", R"({"v":1,"next":{}})", R"({"v":1,"next":null})"}});
  check_case({R"({"type":"array","items":{"$ref":"#"}})", {"[]", "[[],[[]]]"}, {"[1]", "[[}"}});
  check_case({R"({"items":{"$ref":"#/definitions/a~1b"},"definitions":{"a/b":{"enum":[1]}},"type":"array"})", {"[1,1]"}, {"[2]"}});
  check_case({R"({"anyOf":[{"$ref":"#"},{"const":1}]})", {"1"}, {"2", "null"}});
}

TEST_CASE("what a schema asks for and cannot be kept is refused by name") {
  CHECK(has(refusal("{"), "line 1"));
  CHECK(has(refusal("3"), "expected to be an object"));
  for (const char* keyword :
       {"patternProperties", "propertyNames", "not", "if", "contains", "dependentRequired", "unevaluatedProperties", "minContians"})
    CHECK(has(refusal(std::string("{\"properties\":{\"a\":{\"") + keyword + "\":{}}}}"),
              std::string("#/a: '") + keyword + "' is not supported"));
  CHECK(has(refusal(R"({"type":"integr"})"), "'integr'"));
  CHECK(has(refusal(R"({"oneOf":[{"type":"integer"},{"type":"number"}]})"), "'oneOf'"));
  CHECK(has(refusal(R"({"type":"array","uniqueItems":true})"), "'uniqueItems'"));
  CHECK(has(refusal(R"({"type":"string","format":"regex"})"), "'format'"));
  CHECK(has(refusal(R"x({"type":"string","pattern":"(?=a)"})x"), "looks around"));
  CHECK(has(refusal(R"x({"type":"string","pattern":"(a)\\1"})x"), "escape"));
  CHECK(has(refusal(R"({"type":"string","pattern":"^a*b*$","maxLength":3})"), "maxLength"));
  CHECK(has(refusal(R"({"type":"integer","multipleOf":1000})"), "multipleOf"));
  CHECK(has(refusal(R"({"type":"number","multipleOf":0.3})"), "multipleOf"));
  CHECK(has(refusal(R"({"enum":["a"],"minLength":1})"), "'enum'"));
  CHECK(has(refusal(R"({"$ref":"other.json"})"), "'$ref' leads out"));
  CHECK(has(refusal(R"({"$ref":"#/$defs/a"})"), "'$ref' leads to nothing"));
  CHECK(has(refusal(R"({"type":"string","minLength":-1})"), "'minLength'"));
  CHECK(has(refusal(R"({"type":"object","required":["a"],"properties":{"a":false}})"), "no end"));
  CHECK(has(refusal(R"({"type":"object","properties":{"a":{"$ref":"#"}},"required":["a"]})"), "no end"));
  CHECK(has(refusal("false"), "no end"));
}
