// What `linnet generate` makes of its options.
#include <cmath>
#include <nlohmann/json.hpp>

#include "tool/tool.h"

using namespace linnet;
using namespace linnet::tests;
using Json = nlohmann::json;

namespace {

Json written(const Workshop& shop, const std::string& arguments) {
  const Answer answer = shop.linnet("generate " + arguments + " --json");
  INFO(arguments << ": " << answer.err << answer.out);
  REQUIRE(answer.status == 0);
  Json parsed = Json::parse(answer.out, nullptr, false);
  REQUIRE(!parsed.is_discarded());
  return parsed;
}

const std::string kFrom = "decoder.linnet --ids 1,2,3 --max-tokens 8 --ignore-eos ";

}  // namespace

TEST_CASE("prompts come from the command line, a file or standard input") {
  Workshop shop;
  shop.write("prompt.txt", "w5 w6");
  const std::string rest = " --max-tokens 3 --json";
  const Json expected = written(shop, "decoder.linnet --prompt 'w5 w6' --max-tokens 3");
  CHECK(expected["prompt_ids"] == Json({129, 5, 6, 130}));
  CHECK(written(shop, "decoder.linnet --prompt-file prompt.txt --max-tokens 3")["ids"] == expected["ids"]);
  CHECK(Json::parse(shop.linnet("generate decoder.linnet --prompt-file -" + rest, "w5 w6").out)["ids"] == expected["ids"]);
  check_refusal(shop.linnet("generate decoder.linnet --prompt-file none.txt"), 1, "none.txt");
  CHECK(shop.linnet("generate decoder.linnet --prompt w1 --ids 1").status == 2);
  CHECK(shop.linnet("generate decoder.linnet").status == 2);
}

TEST_CASE("options that may come again take one value each, wherever they stand") {
  Workshop shop;
  const Json plain = written(shop, kFrom)["ids"];
  CHECK(written(shop, "--logit-bias " + plain[0].dump() + "=-inf --stop never " + kFrom)["ids"] != plain);
  CHECK(written(shop, kFrom + "--logit-bias 42=1000 --logit-bias 41=2000")["ids"] == Json(std::vector<int>(8, 41)));
  const std::string two = "--eos " + plain[2].dump() + " --eos 120 decoder.linnet --ids 1,2,3 --max-tokens 8";
  const Json ended = written(shop, two);
  CHECK(ended["end"] == "eos");
  CHECK(ended["ids"].size() <= 2);
  CHECK(written(shop, two + " --min-tokens 5")["ids"].size() >= 5);
  for (const char* bad : {"42", "x=1", "42=", "42=1x", "=1", "42=nan"})
    check_refusal(shop.linnet("generate " + kFrom + "--logit-bias " + bad), 1, std::string(bad) == "42=nan" ? "logit_bias of id 42" : bad);
  check_refusal(shop.linnet("generate " + kFrom + "--logit-bias 131=1"), 1, "logit_bias names id 131");
  check_refusal(shop.linnet("generate " + kFrom + "--typical 2"), 1, "typical");
  check_refusal(shop.linnet("generate " + kFrom + "--presence-penalty nan"), 1, "presence_penalty");
}

TEST_CASE("penalties change what is written") {
  Workshop shop;
  const std::string flat = kFrom + "--logit-bias 7=1000 --logit-bias 8=900 ";
  CHECK(written(shop, flat)["ids"] == Json(std::vector<int>(8, 7)));
  CHECK(written(shop, flat + "--frequency-penalty 200")["ids"] == Json({7, 8, 7, 8, 7, 8, 7, 8}));
  const Json present = written(shop, flat + "--presence-penalty 200")["ids"];
  CHECK(present[0] == 7);
  CHECK(present[1] == 8);
  CHECK(written(shop, flat + "--repetition-penalty 2")["ids"][1] == 8);
}

TEST_CASE("samples differ, keep to the seed, and the best of them come first") {
  Workshop shop;
  const std::string drawn = kFrom + "--temperature 3 --seed 4 ";
  const Json three = written(shop, drawn + "--samples 3 --logprobs 2");
  REQUIRE(three["samples"].size() == 3);
  CHECK(three["samples"][0]["ids"] == three["ids"]);
  CHECK(three["samples"][0]["ids"] == written(shop, drawn)["ids"]);
  CHECK(three["samples"][1]["ids"] != three["samples"][0]["ids"]);
  CHECK(written(shop, drawn + "--samples 3 --logprobs 2")["samples"] == three["samples"]);
  double sum = 0;
  for (const Json& one : three["samples"][2]["logprobs"]) {
    sum += one["logprob"].get<double>();
    REQUIRE(one["top"].size() == 2);
    CHECK(one["top"][0]["logprob"] >= one["top"][1]["logprob"]);
  }
  CHECK(three["samples"][2]["log_probability"].get<double>() == doctest::Approx(sum));
  const Json best = written(shop, drawn + "--samples 3 --best 2");
  REQUIRE(best["samples"].size() == 2);
  CHECK(best["samples"][0]["log_probability"] >= best["samples"][1]["log_probability"]);
  CHECK(best["ids"] == best["samples"][0]["ids"]);
  CHECK(shop.linnet("generate " + drawn + "--samples 2 --best 3").status == 2);
  const Answer plain = shop.linnet("generate " + drawn + "--samples 2");
  CHECK(plain.out.find("--- 2\n") != std::string::npos);
}

TEST_CASE("a stop string ends the text before it, printed or not") {
  Workshop shop;
  const std::string whole = written(shop, kFrom)["text"];
  const std::string stop = whole.substr(whole.size() / 2, 3);
  const std::string before = whole.substr(0, whole.find(stop));
  const Json stopped = written(shop, kFrom + "--stop never --stop '" + stop + "'");
  CHECK(stopped["text"] == before);
  CHECK(stopped["end"] == "stop_string");
  CHECK(shop.linnet("generate " + kFrom + "--stop '" + stop + "'").out == before + "\n");
  CHECK(written(shop, kFrom + "--include-stop --stop '" + stop + "'")["text"] == before + stop);
  check_refusal(shop.linnet("generate " + kFrom + "--stop ''"), 1, "stop string 0 is empty");
}

TEST_CASE("beams are listed with their scores, best first, and end by their eos") {
  Workshop shop;
  const std::string from = "decoder.linnet --ids 5,6,7 --max-tokens 6 ";
  const Json found = written(shop, from + "--beams 4 --early-stopping never --length-penalty 0.5 --eos 9 --eos 30");
  REQUIRE(found["beams"].size() == 4);
  CHECK(found["ids"] == found["beams"][0]);
  for (size_t i = 1; i < 4; ++i) CHECK(found["scores"][i - 1] >= found["scores"][i]);
  for (const Json& beam : found["beams"]) CHECK((beam.size() == 6 || beam.back() == 9 || beam.back() == 30));
  CHECK(written(shop, from + "--beams 1 --ignore-eos")["ids"] == written(shop, from + "--ignore-eos")["ids"]);
  // With no penalty for length, a search that sees everything scores as what is written forced along the same ids.
  const Json wide = written(shop, "decoder.linnet --ids 5,6,7 --max-tokens 1 --beams 131 --length-penalty 0 --ignore-eos");
  double sum = 0;
  for (const Json& score : wide["scores"]) sum += std::exp(score.get<double>());
  CHECK(sum == doctest::Approx(1));
  CHECK(shop.linnet("generate " + from + "--beams 4 --samples 2").status == 2);
  CHECK(shop.linnet("generate " + from + "--beams 4 --temperature 1").status == 2);
  CHECK(shop.linnet("generate " + from + "--beams 4 --early-stopping perhaps").status == 2);
  check_refusal(shop.linnet("generate " + from + "--beams 3 --context 7"), 1, "7");
}

TEST_CASE("a file's own beams give way to what beams cannot do") {
  Workshop shop;
  shop.write("decoder/generation_config.json", R"({"num_beams": 3, "eos_token_id": 130})");
  REQUIRE(shop.linnet("convert decoder -o beams.linnet").status == 0);
  shop.write("w7.gbnf", "root ::= \"w7\"");
  const std::string from = "beams.linnet --ids 5,6,7 --max-tokens 6 ";
  CHECK(written(shop, from)["beams"].size() == 3);
  check_refusal(shop.linnet("generate " + from + "--grammar w7.gbnf --json"), 1, "constrained output is not possible");  // with its words
  CHECK(written(shop, from + "--save text.state").count("beams") == 0);
  CHECK(shop.names().count("text.state") == 1);
  CHECK(written(shop, from + "--load text.state").count("beams") == 0);
  CHECK(written(shop, from + "--lookup").count("beams") == 0);
  CHECK(written(shop, from + "--temperature 1").count("beams") == 0);
}

TEST_CASE("what was written is shown although it cannot be saved") {
  Workshop shop;
  const Answer answer = shop.linnet("generate " + kFrom + "--json --save no/folder/text.state");
  CHECK(answer.status == 1);
  CHECK(Json::parse(answer.out)["ids"].size() == 8);
  CHECK(answer.err.find("no/folder/text.state") != std::string::npos);
}

TEST_CASE("contexts that fill: refused before anything runs, or slid on") {
  Workshop shop;
  check_refusal(shop.linnet("generate decoder.linnet --ids 1,2,3 --context 8 --max-tokens 20 --context-policy refuse"), 1, "22");
  const Json slid = written(shop, "decoder.linnet --ids 1,2,3 --context 8 --max-tokens 20 --ignore-eos --context-policy slide --keep 1");
  CHECK(slid["ids"].size() == 20);
  CHECK(slid["end"] == "max_tokens");
}

TEST_CASE("drafts change nothing but the time") {
  Workshop shop;
  const std::string from = "decoder.linnet --ids 1,2,3,4,1,2,3,4,1,2 --max-tokens 40 --ignore-eos ";
  const Json plain = written(shop, from);
  CHECK(written(shop, from + "--lookup")["ids"] == plain["ids"]);
  CHECK(written(shop, from + "--draft decoder.linnet --drafts 3")["ids"] == plain["ids"]);
  CHECK(written(shop, from + "--lookup --temperature 1 --seed 3")["ids"] == written(shop, from + "--temperature 1 --seed 3")["ids"]);
  check_refusal(shop.linnet("generate " + from + "--draft encoder.linnet"), 1, "writes no text");
  check_refusal(shop.linnet("generate " + from + "--lookup --drafts 17"), 1, "17");
  CHECK(shop.linnet("generate " + from + "--lookup --beams 2").status == 2);
}

TEST_CASE("a text that was saved goes on as if it had not been interrupted") {
  Workshop shop;
  const std::string begin = "decoder.linnet --ids 1,2,3 --max-tokens 4 --ignore-eos ";
  const Json first = written(shop, begin + "--save text.state");
  std::string so_far = "1,2,3";
  for (const Json& id : first["ids"]) so_far += "," + id.dump();
  const std::string more = "--max-tokens 6 --ignore-eos";
  const Json rest = written(shop, "decoder.linnet --ids 9 --load text.state --save text.state " + more);
  CHECK(rest["ids"] == written(shop, "decoder.linnet --ids " + so_far + ",9 " + more)["ids"]);
  CHECK(shop.names().count("text.state") == 1);
  check_refusal(shop.linnet("generate decoder.linnet --ids 9 --load none.state"), 1, "none.state");
  CHECK(shop.linnet("generate " + begin + "--save text.state --samples 2").status == 2);
}
