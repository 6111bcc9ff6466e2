// `linnet chat` on a terminal: someone types, and stops what takes too long.
#include "tool/chat_shop.h"
#include "tool/terminal.h"

using namespace linnet;
using namespace linnet::tests;

namespace {

struct Chat : Terminal {
  Chat(const ChatShop& shop, const std::string& options)
      : Terminal(shop.path(""), LINNET_TOOL " chat chat.linnet --threads 1 " + options) {}
  /// Types a line at the prompt.
  void say(const std::string& line) {
    wait_for("> ");
    type(line + "\n");
  }
};

// A text's one answer, as it is without a terminal.
std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

size_t count(const std::string& text, const std::string& what) {
  size_t number = 0;
  for (size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += what.size()) ++number;
  return number;
}

}  // namespace

TEST_CASE("lines typed at a terminal are answered, and its commands work there") {
  const ChatShop shop;
  const std::string answer = first_line(shop.chat("w5 w6\n").out);
  REQUIRE(answer.size() > 10);
  Chat chat(shop, "--max-tokens 6");
  chat.say("w5 w6");
  chat.wait_for(answer);
  chat.say("/regen");
  chat.wait_for(answer);  // greedy: the same again
  chat.say("/save talk.json");
  chat.say("/clear");
  chat.say("/load talk.json");
  chat.say("/history");
  chat.wait_for("[user] w5 w6");
  chat.wait_for("[assistant] " + answer);
  chat.say("/load none.json");
  chat.wait_for("none.json");
  // End of input at the prompt ends the program.
  chat.wait_for("> ");
  chat.type("\x04");
  CHECK(chat.wait_for_end() == 0);
  CHECK(std::filesystem::exists(shop.path("talk.json")));
}

TEST_CASE("Ctrl-C gives the line at the prompt up, not the program") {
  const ChatShop shop;
  Chat chat(shop, "--max-tokens 6");
  chat.wait_for("> ");
  chat.type("w77 w78");
  chat.wait_for("w78");
  chat.type("\x03");
  chat.say("w5");
  chat.say("/history");
  const std::string history = chat.wait_for("[assistant] ");
  CHECK(count(history, "[user] ") == 1);
  CHECK(history.find("[user] w5\r\n") != std::string::npos);
  chat.say("/quit");
  CHECK(chat.wait_for_end() == 0);
}

#if defined(LINNET_WITH_EDITLINE)
TEST_CASE("the arrow up brings the last line back") {
  const ChatShop shop;
  Chat chat(shop, "--max-tokens 6");
  chat.say("w5 w6");
  chat.say("w8");
  chat.wait_for("> ");
  chat.type("\x1b[A\x1b[A\n");
  chat.say("/history");
  chat.wait_for("[user] w5 w6\r\n");
  chat.wait_for("[user] w8\r\n");
  chat.wait_for("[user] w5 w6\r\n");
  chat.say("/quit");
  CHECK(chat.wait_for_end() == 0);
}
#endif

TEST_CASE("Ctrl-C stops an answer, what was written of it stays, and the talk goes on") {
  // Nothing ends an answer but its length, which is far more than a terminal holds back while nobody reads: it is being written when it is
  // stopped, however fast or slow the machine is.
  constexpr size_t kMost = 16000;
  const ChatShop shop({{"max_position_embeddings", 40000}, {"eos_token_id", nullptr}});
  Chat chat(shop, "--context 39000 --max-tokens " + std::to_string(kMost));
  chat.say("w5 w6");
  chat.wait_for("w6\r\n");
  chat.wait_for("w");  // the answer's first word
  chat.type("\x03");
  chat.say("/history");
  chat.wait_for("[user] w5 w6\r\n");
  const std::string kept = chat.wait_for("\r\n> ");
  CHECK(kept.rfind("[assistant] ", 0) == 0);
  CHECK(count(kept, " w") < kMost);
  chat.type("w8\n");
  chat.wait_for("w8\r\n");
  chat.wait_for("w");
  chat.type("\x03");
  chat.say("/history");
  chat.wait_for("[user] w8\r\n");
  chat.wait_for("[assistant] ");
  chat.say("/quit");
  CHECK(chat.wait_for_end() == 0);
}
