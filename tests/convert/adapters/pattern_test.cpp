#include "convert/adapters/pattern.h"

#include <doctest/doctest.h>

#include "convert/error.h"

using namespace linnet::convert;

namespace {

bool whole(const std::string& pattern, const std::string& text) { return Pattern(pattern).matches_rest(text, 0); }
bool end(const std::string& pattern, const std::string& path) { return matches_end(Pattern(pattern), path); }

}  // namespace

TEST_CASE("a pattern matches all of a text or nothing of it") {
  CHECK(whole("abc", "abc"));
  CHECK_FALSE(whole("abc", "abcd"));
  CHECK_FALSE(whole("bc", "abc"));
  CHECK(whole("a.c", "axc"));
  CHECK_FALSE(whole("a\\.c", "axc"));
  CHECK(whole("", ""));
  CHECK(whole("layers\\.(0|1|2[0-9])\\.(q|v)_proj", "layers.27.v_proj"));
  CHECK_FALSE(whole("layers\\.(0|1|2[0-9])\\.(q|v)_proj", "layers.3.v_proj"));
  CHECK(whole("[^a-c_]+", "xyz"));
  CHECK_FALSE(whole("[^a-c_]+", "xyb"));
  CHECK(whole("[]a-]+", "a]-"));
  CHECK(whole("[\\d_]+\\w\\W\\s\\S\\D", "1_a. bx"));
  CHECK(whole("(?:ab)*c", "ababc"));
  CHECK(whole("(?P<name>ab){2}", "abab"));
  CHECK(whole("a{2,3}b{,2}c{1,}", "aaac"));
  CHECK_FALSE(whole("a{2,3}", "aaaa"));
  CHECK(whole("a{x}", "a{x}"));
  CHECK(whole("a+?b*?c??", "aab"));
  CHECK(whole("(?!lm)[a-z_]+(?=_head)_head", "my_head"));
  CHECK_FALSE(whole("(?!lm)[a-z_]+_head", "lm_head"));
  CHECK(whole("^a\\b.b$", "a.b"));
  CHECK(whole("(a*)*b", "aab"));
  CHECK(whole("a|", ""));
}

TEST_CASE("a key of a table of ranks matches the end of a path at a name's beginning") {
  CHECK(end("q_proj", "model.layers.0.self_attn.q_proj"));
  CHECK_FALSE(end("proj", "model.layers.0.self_attn.q_proj"));
  CHECK(end("q_proj", "q_proj"));
  CHECK(end("layers.1.self_attn.q_proj", "model.layers.1.self_attn.q_proj"));
  CHECK_FALSE(end("layers.1.self_attn.q_proj", "model.layers.11.self_attn.q_proj"));
  CHECK(end("layers\\.[12]\\..*\\.down_proj", "model.layers.2.mlp.down_proj"));
  CHECK_FALSE(end("layers.1", "model.layers.1.q_proj"));
  CHECK(end("^model.layers.0.q", "model.layers.0.q"));
  CHECK_FALSE(end("^layers.0.q", "model.layers.0.q"));
  CHECK(end("q_proj|v_proj", "a.v_proj"));
}

TEST_CASE("what is not understood is refused by the pattern, and what takes too long is stopped") {
  for (const char* wrong : {"(", ")", "[a", "*a", "a(?<=b)", "(a)\\1", "\\q", "[z-a]", "(?P<n", "\\"})
    CHECK_THROWS_AS(Pattern{wrong}, Error);
  CHECK_THROWS_WITH_AS(Pattern("a(?<=b)"), "the pattern \"a(?<=b)\": this kind of group at character 2 is not understood", Error);
  const std::string as(60, 'a');
  CHECK_THROWS_WITH_AS(whole("(a+)+b", as), "the pattern \"(a+)+b\" takes too long to match a module's name", Error);
  CHECK_THROWS_AS(whole("(a|a)*c", std::string(1000, 'a')), Error);
  CHECK_THROWS_AS(Pattern(std::string(100, '(')), Error);
  CHECK(whole(".*", std::string(1000, 'a')));
}
