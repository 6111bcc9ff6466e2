// What `linnet chat` makes of lines: from a file here, from a person elsewhere.
#include "tool/chat_shop.h"

using namespace linnet;
using namespace linnet::tests;

TEST_CASE("each line is answered, and /history tells what was said") {
  ChatShop shop;
  const Answer answer = shop.chat("w5 w6\n\nw8\n/history\n/quit\nw9\n");
  CHECK(answer.status == 0);
  CHECK(lines_of(answer.out) == 2 + 4);
  CHECK(answer.out.find("[user] w5 w6\n") != std::string::npos);
  CHECK(answer.out.find("[user] w8\n") != std::string::npos);
  CHECK(answer.out.find("[assistant] ") != std::string::npos);
}

TEST_CASE("a conversation that was saved goes on as if it had not been interrupted") {
  ChatShop shop;
  const Answer whole = shop.chat("w5 w6\nw8\n");
  CHECK(shop.chat("w5 w6\n/save talk.json\n").status == 0);
  const Answer rest = shop.chat("w8\n", "--load talk.json");
  CHECK(rest.status == 0);
  CHECK(whole.out.substr(whole.out.find('\n') + 1) == rest.out);
  CHECK(shop.chat("/load talk.json\nw8\n").out == rest.out);
  check_refusal(shop.chat("", "--load none.json"), 1, "none.json");
}

TEST_CASE("/regen draws again, /undo takes back, and what cannot be done is said") {
  ChatShop shop;
  const Answer again = shop.chat("w5 w6\n/regen\n/history\n", "--temperature 2 --seed 4");
  CHECK(lines_of(again.out) == 2 + 2);
  const size_t end = again.out.find('\n');
  CHECK(again.out.substr(0, end) != again.out.substr(end + 1, again.out.find('\n', end + 1) - end - 1));
  CHECK(shop.chat("w5 w6\n/undo\n/history\n").out == shop.chat("w5 w6\n").out);
  const Answer nothing = shop.chat("/regen\n/save\n/load none.json\n/what\n");
  CHECK(nothing.status == 0);
  CHECK(lines_of(nothing.err) == 3);
  CHECK(nothing.out.find("/regen") != std::string::npos);
}

TEST_CASE("an answer that cannot be given anew stays") {
  ChatShop shop;
  const Answer said = shop.chat("w5 w6\n/save talk.json\n/history\n");
  const Answer again = shop.linnet("chat chat.linnet --max-tokens 40 --context 16 --load talk.json", "/regen\n/history\n");
  CHECK(again.err.find("the context is 16") != std::string::npos);
  CHECK(lines_of(again.out) == 2);
  CHECK(said.out.find(again.out) != std::string::npos);
}

TEST_CASE("the file's rule against repeated words holds in a chat") {
  ChatShop shop;
  const auto repeats = [&] {
    std::istringstream words(shop.linnet("chat chat.linnet --max-tokens 60", "w5 w6\n").out);
    std::set<std::string> seen;
    bool again = false;
    for (std::string word; words >> word;) again |= !seen.insert(word).second;
    return again;
  };
  REQUIRE(repeats());
  shop.write("decoder/generation_config.json", convert::Json{{"no_repeat_ngram_size", 1}}.dump());
  shop.convert_chat();
  CHECK_FALSE(repeats());
}

TEST_CASE("a conversation that is too long is refused with both numbers, or forgets") {
  ChatShop shop;
  const std::string lines = "w5 w6 w7 w8 w9 w10\nw5 w6 w7 w8 w9 w10\nw5 w6 w7 w8 w9 w10\n";
  const Answer full = shop.chat(lines, "--context 32");
  CHECK(full.status == 0);
  CHECK(full.err.find("the context is 32") != std::string::npos);
  const Answer forgets = shop.chat(lines, "--context 32 --forget");
  CHECK(lines_of(forgets.out) == 3);
  CHECK(forgets.err.find("are forgotten") != std::string::npos);
}

TEST_CASE("a model without a chat template is refused, never guessed") {
  ChatShop shop;
  check_refusal(shop.linnet("chat decoder.linnet", "w5\n"), 1, "chat template");
  check_refusal(shop.linnet("chat encoder.linnet", "w5\n"), 1, "sequence_classification");
  CHECK(shop.linnet("chat chat.linnet --set nonsense", "w5\n").status == 2);
}

#if defined(LINNET_EXAMPLE_CHAT)
TEST_CASE("the chat example answers line by line") {
  ChatShop shop;
  const Answer answer = shop.run(LINNET_EXAMPLE_CHAT, "chat.linnet", "w5 w6\n");
  CHECK_MESSAGE(answer.status == 0, answer.err);
  CHECK(answer.out.rfind("> ", 0) == 0);
  CHECK(answer.out.size() > 10);
  CHECK(shop.run(LINNET_EXAMPLE_CHAT, "").status == 2);
  CHECK(shop.run(LINNET_EXAMPLE_CHAT, "decoder.linnet").err.find("chat template") != std::string::npos);
}
#endif
