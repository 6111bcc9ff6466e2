#include <sys/inotify.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "tool/tensor_bytes.h"
#include "tool/tool.h"

using namespace linnet;
using namespace linnet::tests;
using Json = nlohmann::json;

namespace {

// What a command prints with --json, parsed; a failure shows what it was.
Json json_of(const Workshop& shop, const std::string& arguments) {
  const Answer answer = shop.linnet(arguments + " --json");
  INFO(arguments << ": " << answer.err << answer.out);
  REQUIRE(answer.status == 0);
  CHECK(answer.err == "");
  Json parsed = Json::parse(answer.out, nullptr, false);
  REQUIRE(!parsed.is_discarded());
  return parsed;
}

}  // namespace

TEST_CASE("every --json is JSON and holds what it should") {
  Workshop shop;
  const Json converted = json_of(shop, "convert decoder -o out/a.linnet --weights int4");
  CHECK(converted["task"] == "text_generation");
  CHECK(converted["file_bytes"] == std::filesystem::file_size(shop.path("out/a.linnet")));
  const Json inspected = json_of(shop, "inspect encoder.linnet");
  CHECK(inspected["task"] == "sequence_classification");
  CHECK(inspected["programs"][0]["kind"] == "encoder");
  const Json planned = json_of(shop, "plan decoder.linnet --context 64 --batch-tokens 16 --sequences 3");
  CHECK(planned.dump().find("64") != std::string::npos);
  const Json written = json_of(shop, "generate decoder.linnet --ids 5,6,7 --max-tokens 4");
  CHECK(written["prompt_ids"] == Json({5, 6, 7}));
  CHECK(written["ids"].size() == 4);
  CHECK(written["prefill_seconds"].is_number());
  CHECK(written["decode_seconds"].is_number());
  const Json measured = json_of(shop, "bench decoder.linnet --prompt 8 --generate 3 --depth 2 --repeat 1 --threads 1,2");
  REQUIRE(measured.size() == 2);
  CHECK(measured[1]["threads"] == 2);
  CHECK(measured[0]["decode_tokens_per_second"] > 0.0);
  CHECK(measured[0]["gigabytes_per_second"] > 0.0);
  CHECK(json_of(shop, "bench encoder.linnet --prompt 8 --repeat 1 --threads 1")[0]["prefill_tokens_per_second"] > 0.0);
}

TEST_CASE("classify gives a line for each line of a file or of standard input, with all labels as JSON") {
  Workshop shop;
  const std::string texts = "w1 w2 w3\nw4\r\nw5 w6\tw7";
  shop.write("texts.txt", texts);
  const Answer from_file = shop.linnet("classify encoder.linnet texts.txt --json");
  REQUIRE_MESSAGE(from_file.status == 0, from_file.err);
  CHECK(shop.linnet("classify encoder.linnet - --json", texts).out == from_file.out);
  CHECK(shop.linnet("classify encoder.linnet --json", texts).out == from_file.out);
  std::istringstream lines(from_file.out);
  size_t count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    const Json answer = Json::parse(line);
    double sum = 0;
    for (const char* label : {"calm", "gale", "storm"}) sum += answer["probabilities"][label].get<double>();
    CHECK(sum == doctest::Approx(1).epsilon(1e-5));
    CHECK(answer["probabilities"][answer["label"].get<std::string>()] >= answer["probabilities"]["calm"]);
  }
  CHECK(count == 3);
  const Answer plain = shop.linnet("classify encoder.linnet --top 1", "w4\n");
  CHECK(plain.out.find("\tw4\n") != std::string::npos);
  CHECK(shop.linnet("classify encoder.linnet", "").out == "");
}

TEST_CASE("single lines and pairs may be mixed, each answered as it would be alone") {
  Workshop shop;
  const std::string lines[] = {"w1 w2\n", "w3\tw4\n", "w5\tw6 w7\n", "w1 w2\n", "\tw8\n", "w3 w4\n"};
  std::string all, alone;
  for (const std::string& line : lines) {
    all += line;
    alone += shop.linnet("classify encoder.linnet --json", line).out;
  }
  const Answer together = shop.linnet("classify encoder.linnet --json", all);
  REQUIRE_MESSAGE(together.status == 0, together.err);
  CHECK(together.out == alone);
  CHECK(std::count(alone.begin(), alone.end(), '\n') == 6);
}

TEST_CASE("a prompt in words is its ids, and the text that comes back is theirs") {
  Workshop shop;
  const Json written = json_of(shop, "generate decoder.linnet --prompt 'w5 w6' --max-tokens 3 --ignore-eos");
  const Json prompt = written["prompt_ids"];
  REQUIRE(prompt == Json({129, 5, 6, 130}));  // the tokenizer puts [CLS] and [SEP] around it
  CHECK(written["ids"] == json_of(shop, "generate decoder.linnet --ids 129,5,6,130 --max-tokens 3 --ignore-eos")["ids"]);
  CHECK(written["text"].is_string());
  const Answer tokens = shop.linnet("tokenize decoder.linnet 'w5 w6'");
  CHECK(tokens.status == 0);
  CHECK(tokens.out.find("w6") != std::string::npos);
}

TEST_CASE("convert --list names the families and needs no model") {
  Workshop shop;
  const Answer answer = shop.linnet("convert --list");
  CHECK(answer.status == 0);
  for (const char* family : {"\nllama ", "bert "}) CHECK(("\n" + answer.out).find(family) != std::string::npos);
}

TEST_CASE("the same checkpoint converts to the same bytes, and simulated weights are stored as f32") {
  Workshop shop;
  REQUIRE(shop.linnet("convert decoder -o out/again.linnet").status == 0);
  CHECK(read_text(shop.path("out/again.linnet")) == read_text(shop.path("decoder.linnet")));
  REQUIRE(shop.linnet("convert decoder -o out/simulated.linnet --simulate").status == 0);
  const Json inspected = json_of(shop, "inspect out/simulated.linnet");
  for (const Json& tensor : inspected["tensors"]) CHECK(tensor["encoding"] == "f32");
  CHECK(shop.linnet("verify out/simulated.linnet").status == 0);
}

TEST_CASE("run and generate agree, and chunks change no bit") {
  Workshop shop;
  const std::vector<int64_t> tokens = {3, 14, 15, 92, 65, 35, 89, 79, 32, 38};
  shop.write("in.safetensors", token_file({tokens}));
  REQUIRE(shop.linnet("run decoder.linnet --inputs in.safetensors --outputs out/whole").status == 0);
  REQUIRE(shop.linnet("run decoder.linnet --inputs in.safetensors --outputs out/chunks --batch-tokens 3 --threads 2").status == 0);
  const Floats logits = floats_in(read_text(shop.path("out/whole")), "logits");
  CHECK(logits.shape == std::vector<uint64_t>{1, 10, 131});
  CHECK(read_text(shop.path("out/chunks")) == read_text(shop.path("out/whole")));
  const auto last = logits.numbers.begin() + 9 * 131;
  const auto best = std::max_element(last, logits.numbers.end()) - last;
  const Json written = json_of(shop, "generate decoder.linnet --ids 3,14,15,92,65,35,89,79,32,38 --max-tokens 1 --raw");
  CHECK(written["ids"] == Json({best}));
}

TEST_CASE("rows of a batch do not disturb each other, padding included") {
  Workshop shop;
  shop.write("two.safetensors", token_file({{4, 8, 15}, {16, 23, 42}}));
  shop.write("one.safetensors", token_file({{16, 23, 42}}));
  REQUIRE(shop.linnet("run encoder.linnet --inputs two.safetensors --outputs out/two").status == 0);
  REQUIRE(shop.linnet("run encoder.linnet --inputs one.safetensors --outputs out/one").status == 0);
  const Floats two = floats_in(read_text(shop.path("out/two")), "logits"), one = floats_in(read_text(shop.path("out/one")), "logits");
  CHECK(two.shape == std::vector<uint64_t>{2, 3});
  REQUIRE(one.numbers.size() == 3);
  CHECK(std::equal(one.numbers.begin(), one.numbers.end(), two.numbers.begin() + 3));
}

TEST_CASE("sampling follows the seed, and greedy ignores it") {
  Workshop shop;
  const std::string drawn = "generate decoder.linnet --ids 1,2,3 --max-tokens 12 --ignore-eos --temperature 5 --seed ";
  const Json first = json_of(shop, drawn + "7")["ids"];
  CHECK(first == json_of(shop, drawn + "7")["ids"]);
  CHECK(first != json_of(shop, drawn + "8")["ids"]);
  const std::string greedy = "generate decoder.linnet --ids 1,2,3 --max-tokens 12 --temperature 0 --seed ";
  CHECK(json_of(shop, greedy + "7")["ids"] == json_of(shop, greedy + "8")["ids"]);
}

TEST_CASE("a context that fills ends the text and is said") {
  Workshop shop;
  const Json written = json_of(shop, "generate decoder.linnet --ids 1,2,3 --context 8 --max-tokens 50 --ignore-eos");
  CHECK(written["end"] == "context_full");
  CHECK(written["ids"].size() == 6);  // five more fit behind the prompt; the sixth is drawn and need not fit
}

TEST_CASE("the drawing of a plan is one SVG element") {
  Workshop shop;
  REQUIRE(shop.linnet("plan decoder.linnet --svg out/plan.svg").status == 0);
  const std::string drawing = read_text(shop.path("out/plan.svg"));
  CHECK(drawing.rfind("<svg", 0) == 0);
  CHECK(drawing.find("</svg>") != std::string::npos);
}

TEST_CASE("tokenize opens its source as often for a long text as for a word") {
  Workshop shop;
  std::string text;
  for (int i = 0; i < 100; ++i) text += "w" + std::to_string(i) + " ";
  auto opens = [&](const std::string& words) {
    const int watcher = inotify_init1(IN_NONBLOCK);
    REQUIRE(watcher >= 0);
    REQUIRE(inotify_add_watch(watcher, shop.path("decoder/tokenizer.json").c_str(), IN_OPEN) >= 0);
    const Answer answer = shop.linnet("tokenize decoder '" + words + "'");
    CHECK(answer.status == 0);
    alignas(inotify_event) char events[65536];
    const ssize_t bytes = read(watcher, events, sizeof events);
    close(watcher);
    return bytes > 0 ? static_cast<size_t>(bytes) / sizeof(inotify_event) : 0;
  };
  const size_t once = opens("w1");
  CHECK(once > 0);
  CHECK(opens(text) == once);
}
