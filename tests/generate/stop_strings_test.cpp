// Stop strings, fed in every way of cutting a text, against a search in the whole text.
#include "generate/stop_strings.h"

#include <doctest/doctest.h>

#include <random>
#include <string>
#include <vector>

using namespace linnet;
using namespace linnet::generation;

namespace {

struct Heard {
  std::string text;
  bool stopped = false;
};

/// `pieces` through a matcher; checks that no released text could still have become a stop string.
Heard feed(const std::vector<std::string_view>& stops, const std::vector<std::string>& pieces, bool include = false) {
  StopStrings strings;
  REQUIRE(strings.set(stops).ok());
  StopMatcher matcher;
  REQUIRE(matcher.start(strings).ok());
  Text out;
  Heard heard;
  std::string whole;
  for (const std::string& piece : pieces) {
    whole += piece;
    REQUIRE(matcher.put(piece, include, &out, &heard.stopped).ok());
    if (heard.stopped) break;
    const std::string held = whole.substr(out.size());
    for (const std::string_view stop : stops)
      for (size_t begin = 0; begin < out.size(); ++begin) CHECK(stop.substr(0, whole.size() - begin) != whole.substr(begin));
    if (!held.empty()) {
      bool begins_one = false;
      for (const std::string_view stop : stops) begins_one = begins_one || stop.substr(0, held.size()) == held;
      CHECK(begins_one);
    }
  }
  if (!heard.stopped) REQUIRE(matcher.finish(&out).ok());
  heard.text = view(out);
  return heard;
}

/// The plain way: the stop string that is complete first, the longest of those.
Heard search(const std::vector<std::string_view>& stops, const std::string& text, bool include) {
  for (size_t end = 1; end <= text.size(); ++end) {
    size_t longest = 0;
    for (const std::string_view stop : stops)
      if (stop.size() <= end && text.substr(end - stop.size(), stop.size()) == stop) longest = std::max(longest, stop.size());
    if (longest) return {text.substr(0, include ? end : end - longest), true};
  }
  return {text, false};
}

std::string refusal(const std::vector<std::string_view>& stops) {
  StopStrings strings;
  return strings.set(stops).message();
}

}  // namespace

TEST_CASE("text stops before a stop string, wherever the pieces are cut") {
  CHECK(feed({"END"}, {"to the E", "N", "D and on"}).text == "to the ");
  CHECK(feed({"END"}, {"to the E", "N", "D and on"}, true).text == "to the END");
  CHECK(feed({"END"}, {"to the E", "N", "d and on"}).text == "to the ENd and on");
  CHECK(feed({"END"}, {"to the EN"}).text == "to the EN");  // held to the last, then let out
  CHECK(feed({"\n\n", "###"}, {"a\n", "#", "##b"}).text == "a\n");
  CHECK(feed({"aab"}, {"aaaa", "ab"}).text == "aaa");
  CHECK(feed({}, {"all", "of it"}).text == "allof it");
}

TEST_CASE("of several stop strings the one that is complete first counts, and of those the longest") {
  CHECK(feed({"abcd", "bc"}, {"xabcd"}).text == "xa");
  CHECK(feed({"c", "abc"}, {"xab", "c"}).text == "x");
}

TEST_CASE("whole characters stay whole") {
  const std::string e = "\xC3\xA9", a = "\xC3\xA0";
  CHECK(feed({"\xC3\xA9!"}, {"caf" + e, a}).text == "caf" + e + a);
  CHECK(feed({"\xC3\xA9!"}, {"caf" + e, "!"}).text == "caf");
}

TEST_CASE("every cut of random texts agrees with a search in the whole") {
  std::mt19937 random(6);
  for (int trial = 0; trial < 400; ++trial) {
    auto word = [&](size_t length) {
      std::string text;
      for (size_t i = 0; i < length; ++i) text += static_cast<char>('a' + random() % 2);
      return text;
    };
    const std::vector<std::string> stops = {word(1 + random() % 7), word(3 + random() % 5), word(6)};
    const std::vector<std::string_view> views(stops.begin(), stops.begin() + 1 + random() % 3);
    const std::string text = word(40);
    std::vector<std::string> pieces;
    for (size_t at = 0; at < text.size();) {
      const size_t length = random() % 6;
      pieces.push_back(text.substr(at, length));
      at += length;
    }
    const bool include = trial % 2;
    const Heard heard = feed(views, pieces, include), expected = search(views, text, include);
    CAPTURE(text);
    CHECK(heard.text == expected.text);
    CHECK(heard.stopped == expected.stopped);
  }
}

TEST_CASE("stop strings that cannot be are refused by number") {
  CHECK(refusal({"a", ""}).find("stop string 1 is empty") != std::string::npos);
  CHECK(refusal({"\xA9"}).find("stop string 0 is not UTF-8") != std::string::npos);
}
