#include "tool/tool.h"

using namespace linnet;
using namespace linnet::tests;

namespace {

const char* kTemplate = R"({"template": "{{ bos_token }}{% for m in messages %}[{{ m.role }}] {{ m.content }}{% endfor %}{{ mood }}"
  "{% if add_generation_prompt %}>{% endif %}", "bos_token": "<s>"})";

void write_template(const Workshop& shop) {
  std::string text = kTemplate;
  text.erase(text.find("\"\n  \""), 5);
  shop.write("chat.json", text);
}

}  // namespace

TEST_CASE("template answers a JSON line with a JSON line, and an error is an answer") {
  Workshop shop;
  write_template(shop);
  const Answer answer = shop.linnet("template chat.json --jsonl",
                                    "{\"messages\": [{\"role\": \"user\", \"content\": \"h\\u00e9\"}], \"extra\": {\"mood\": 1}}\n\n"
                                    "{\"messages\": [{\"role\": \"user\", \"content\": \"x\"}], \"add_generation_prompt\": true}\n"
                                    "{\"messages\": 5}\n");
  CHECK(answer.status == 0);
  CHECK(answer.out == "{\"text\":\"<s>[user] h\\u00e91\"}\n{\"text\":\"<s>[user] x>\"}\n{\"error\":\"messages: expected a list\"}\n");
}

TEST_CASE("template shows people what came from the conversation") {
  Workshop shop;
  write_template(shop);
  CHECK(shop.linnet("template chat.json --user hello --system calm").out ==
        "<s>[\u27E6system\u27E7] \u27E6calm\u27E7[\u27E6user\u27E7] \u27E6hello\u27E7>\n");
  CHECK(shop.linnet("template chat.json --set mood=fine --no-generation-prompt", "[]").out == "<s>\u27E6fine\u27E7\n");
  const Answer json = shop.linnet("template chat.json --json --user hello");
  CHECK(json.out.find("\"spans\":[{\"begin\":0,\"end\":4,\"data\":false},{\"begin\":4,\"end\":8,\"data\":true}") != std::string::npos);
}

TEST_CASE("template uses a model's own template and tokenizer, in a folder and in a file") {
  Workshop shop;
  shop.write("decoder/tokenizer_config.json", R"({"chat_template": "w1 {{ messages[0].content }} w2"})");
  REQUIRE(shop.linnet("convert decoder -o chat.linnet").status == 0);
  for (const char* source : {"decoder", "chat.linnet"}) {
    CAPTURE(source);
    CHECK(shop.linnet(std::string("template ") + source + " --user 'w5 w7' --ids").out == "1,5,7,2\n");
    const Answer shown = shop.linnet(std::string("template ") + source + " --user 'w5 w7'");
    CHECK(shown.out.rfind("w1 \u27E6w5 w7\u27E7 w2\n\n4 tokens\n", 0) == 0);
  }
}

TEST_CASE("template refuses what is wrong by name") {
  Workshop shop;
  write_template(shop);
  check_refusal(shop.linnet("template"), 2, "SRC");
  check_refusal(shop.linnet("template chat.json --user a --messages b"), 2, "--messages");
  check_refusal(shop.linnet("template chat.json --user a --set mood"), 2, "--set");
  check_refusal(shop.linnet("template nowhere.json --user a"), 1, "nowhere.json");
  check_refusal(shop.linnet("template encoder.linnet --user a"), 1, "no chat template");
  check_refusal(shop.linnet("template encoder --user a"), 1, "no chat template");
  check_refusal(shop.linnet("template chat.json --name rag --user a"), 1, "'rag'");
  check_refusal(shop.linnet("template chat.json --user a --ids"), 1, "no tokenizer");
  check_refusal(shop.linnet("template chat.json --user a --time noon"), 1, "noon");
  check_refusal(shop.linnet("template chat.json", "[{]"), 1, "messages: JSON, line 1, column 3");
  check_refusal(shop.linnet("template chat.json --jsonl", "{}\n"), 1, "line 1");
  shop.write("bad.jinja", "a\n{{ 'x'|frobnicate }}");
  check_refusal(shop.linnet("template bad.jinja --user a"), 1, "line 2: the filter 'frobnicate'");
}
