#include "core/json.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "core/failing_memory.h"
#include "core/limits.h"

using namespace linnet;
using core::Json;
using core::JsonKind;
using core::JsonValue;

namespace {

Json parsed(std::string_view text) {
  Result<Json> json = Json::parse(text);
  REQUIRE_MESSAGE(json.ok(), json.status().message());
  return std::move(*json);
}

std::string refusal(std::string_view text) {
  const Result<Json> json = Json::parse(text);
  CHECK(json.ok() == false);
  return json.ok() ? "" : json.status().message();
}

// A form of its own, so that what was read can be compared in one line.
std::string shown(const JsonValue& value) {
  switch (value.kind()) {
    case JsonKind::null:
      return "null";
    case JsonKind::boolean:
      return value.boolean() ? "yes" : "no";
    case JsonKind::integer:
      return std::to_string(value.integer());
    case JsonKind::number:
      return "~" + std::string(value.text());
    case JsonKind::string:
      return "'" + std::string(value.text()) + "'";
    default:
      break;
  }
  std::string all;
  uint32_t count = 0;
  for (const JsonValue& child : value) {
    all += (count++ ? " " : "") + (value.kind() == JsonKind::object ? std::string(child.key()) + "=" : "") + shown(child);
  }
  CHECK(count == value.size());
  return value.kind() == JsonKind::object ? "{" + all + "}" : "[" + all + "]";
}

std::string shown(std::string_view text) { return shown(parsed(text).root()); }

}  // namespace

TEST_CASE("values of every kind are read, with white space anywhere") {
  CHECK(shown("null") == "null");
  CHECK(shown(" true ") == "yes");
  CHECK(shown("[false, \"a\" ,\r\n\t1,[ ],{ }]") == "[no 'a' 1 [] {}]");
  CHECK(shown(R"({"b": {"c": [1, {"d": []}], "e": null}, "a": ""})") == "{b={c=[1 {d=[]}] e=null} a=''}");
}

TEST_CASE("whole numbers keep 64 bits; all others are the nearest double") {
  CHECK(parsed("9223372036854775807").root().integer() == INT64_MAX);
  CHECK(parsed("-9223372036854775808").root().integer() == INT64_MIN);
  const Json large = parsed("9223372036854775808");
  CHECK(large.root().kind() == JsonKind::number);
  CHECK(large.root().number() == 9223372036854775808.0);
  CHECK(large.root().text() == "9223372036854775808");
  CHECK(parsed("1.0").root().kind() == JsonKind::number);
  CHECK(parsed("2e3").root().number() == 2000.0);
  CHECK(parsed("0.1").root().number() == 0.1);
  CHECK(parsed("-1.5E-2").root().number() == -0.015);
  CHECK(parsed("7").root().number() == 7.0);
  CHECK(parsed("1e-400").root().number() == 0.0);
  CHECK(parsed("0." + std::string(400, '0') + "1").root().number() == 0.0);
  CHECK(parsed("1" + std::string(400, '0') + "e-400").root().number() == 1.0);
  CHECK(parsed("0e99999999999999999999").root().number() == 0.0);
  CHECK(refusal("[1e400]") == "JSON, line 1, column 2: expected a number below 1.8e308");
  CHECK(refusal("1e99999999999999999999").find("1.8e308") != std::string::npos);
}

TEST_CASE("escapes become characters, also those above U+FFFF and U+0000") {
  CHECK(parsed(R"("\"\\\/\b\f\n\r\t")").root().text() == "\"\\/\b\f\n\r\t");
  CHECK(parsed(R"("\u0041\u00e9\u4E2d\uD83D\uDC34")").root().text() == "A\xC3\xA9\xE4\xB8\xAD\xF0\x9F\x90\xB4");
  CHECK(parsed(R"("a\u0000b")").root().text() == std::string_view("a\0b", 3));
  CHECK(parsed("\"\xF0\x9F\x90\xB4\"").root().text() == "\xF0\x9F\x90\xB4");
  CHECK(parsed(R"({"\u006b": 1})").root().find("k")->integer() == 1);
}

TEST_CASE("of members with one name the last counts, at the place of the first") {
  CHECK(shown(R"({"a": 1, "b": 2, "a": 3})") == "{a=3 b=2}");
  CHECK(shown(R"({"a": [1], "b": {"x": 0}, "b": [2, [3]], "a": {"c": [4], "c": 5}, "d": 6, "b": 7})") == "{a={c=5} b=7 d=6}");
  CHECK(shown(R"({"a": 1, "a": {"b": [1, 2]}})") == "{a={b=[1 2]}}");
  CHECK(shown(R"([{"a": 1, "a": 2}, {"": 1, "": 2}])") == "[{a=2} {=2}]");
}

TEST_CASE("what is not JSON is refused with its place and what was expected there") {
  CHECK(refusal("") == "JSON, line 1, column 1: expected a value");
  CHECK(refusal("[1,\n  2,\n]") == "JSON, line 3, column 1: expected a value");
  CHECK(refusal("{\"a\" 1}") == "JSON, line 1, column 6: expected ':'");
  CHECK(refusal("{\"a\": 1,}") == "JSON, line 1, column 9: expected a member's name");
  CHECK(refusal("{a: 1}") == "JSON, line 1, column 2: expected a member's name");
  CHECK(refusal("[1 2]") == "JSON, line 1, column 4: expected ',' or ']'");
  CHECK(refusal("{\"a\": 1]") == "JSON, line 1, column 8: expected ',' or '}'");
  CHECK(refusal("1 2") == "JSON, line 1, column 3: expected the end");
  CHECK(refusal("\"a") == "JSON, line 1, column 3: expected '\"'");
  CHECK(refusal("\"\\x\"") == "JSON, line 1, column 3: expected an escape such as \\n");
  CHECK(refusal("\"\\ud83dx\"") == "JSON, line 1, column 8: expected both halves of a character above U+FFFF");
  CHECK(refusal("\"\\udc34\"").find("both halves") != std::string::npos);
  CHECK(refusal("\"\\u00g0\"").find("hexadecimal") != std::string::npos);
  CHECK(refusal("\"\n\"").find("control character") != std::string::npos);
  CHECK(refusal("\"\xC3(\"").find("valid UTF-8") != std::string::npos);
  for (const char* text : {"01", "-", "+1", "1.", ".5", "1e", "1e+", "nul", "True", "NaN", "[,1]", "]", "{\"a\":}", "[[1]",
                           "\xEF\xBB\xBF"
                           "1"})
    CHECK_MESSAGE(!Json::parse(text).ok(), text);
}

TEST_CASE("every truncation is an error") {
  const std::string text = R"({"a": [1, -2.5e3, "x\u0041\ud83d\udc34"], "b": {"c": null, "d": true}})";
  CHECK(Json::parse(text).ok());
  for (size_t length = 0; length < text.size(); ++length) CHECK_MESSAGE(!Json::parse({text.data(), length}).ok(), length);
}

TEST_CASE("nesting and the number of values have a limit") {
  const size_t most = core::limits::kJsonNesting;
  CHECK(Json::parse(std::string(most, '[') + std::string(most, ']')).ok());
  CHECK(refusal(std::string(most + 1, '[')) == "JSON that is nested deeper than 128");
  CHECK(refusal(std::string(1000000, '[')) == "JSON that is nested deeper than 128");
  std::string values = "[0";
  for (size_t i = 2; i < core::limits::kJsonValues; ++i) values += ",0";
  CHECK(Json::parse(values + "]").ok());
  CHECK(refusal(values + ",0]") == "JSON with more than 1048576 values");
}

TEST_CASE("very many members with one name, or with names that share a beginning, are read in one go") {
  std::string same = "{\"a\": 0", similar = "{\"a\": 0";
  for (int i = 1; i < 300000; ++i) {
    same += ",\"a\":" + std::to_string(i);
    similar += ",\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" + std::to_string(i) + "\":" + std::to_string(i);
  }
  const Json one = parsed(same + "}"), many = parsed(similar + "}");
  CHECK(one.root().size() == 1);
  CHECK(one.root().find("a")->integer() == 299999);
  CHECK(many.root().size() == 300000);
}

TEST_CASE("memory that runs out anywhere while reading is an error, and nothing is lost") {
  const std::string text = R"({"a": [1, 2, 3, 4, 5, 6, 7, 8, 9, "text"], "b": {"c": 1, "c": 2}})";
  const size_t failures = tests::fail_every_allocation([&] { return Json::parse(text).status().code(); });
  CHECK(failures > 3);
}
