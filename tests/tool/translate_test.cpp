// Encoder-decoders at the command line: `translate`, and what `generate`, `run` and `plan` make of a source.
#include <nlohmann/json.hpp>

#include "runtime/small_translator.h"
#include "tool/tensor_bytes.h"
#include "tool/tool.h"

using namespace linnet;
using namespace linnet::tests;
using Json = nlohmann::json;

namespace {

struct Translation : Workshop {
  Translation() {
    convert::CheckpointFolder folder("translate");
    folder.write(translator_checkpoint());
    folder.write("tokenizer.json", word_tokenizer(61));
    folder.write("generation_config.json", {{"decoder_start_token_id", 0}, {"eos_token_id", 60}, {"max_length", 7}, {"num_beams", 2}});
    const Answer answer = linnet("convert '" + folder.path() + "' -o t.linnet --weights f32");
    REQUIRE_MESSAGE(answer.status == 0, answer.err);
  }
  Json json_of(const std::string& arguments) const {
    const Answer answer = linnet(arguments + " --json");
    REQUIRE_MESSAGE(answer.status == 0, answer.err);
    return Json::parse(answer.out);
  }
};

}  // namespace

TEST_CASE("translate writes a line for each text, as generate does for one") {
  const Translation shop;
  const Answer lines = shop.linnet("translate t.linnet --file -", "w5 w6\nw40\n");
  REQUIRE_MESSAGE(lines.status == 0, lines.err);
  const Json first = shop.json_of("generate t.linnet --prompt 'w5 w6'"), second = shop.json_of("generate t.linnet --prompt w40");
  CHECK(lines.out == first["text"].get<std::string>() + "\n" + second["text"].get<std::string>() + "\n");
  // The file asks for two beams and seven ids, the one that begins a text among them.
  CHECK(first["beams"].size() == 2);
  CHECK(first["ids"].size() <= 6);
  CHECK(shop.json_of("translate t.linnet --text w40")["text"] == second["text"]);
  const Json greedy = shop.json_of("generate t.linnet --prompt w40 --raw --max-tokens 5 --ignore-eos");
  CHECK(greedy["ids"].size() == 5);
  CHECK(shop.json_of("generate t.linnet --prompt w40 --raw --max-tokens 4 --ignore-eos --decoder-ids 0," +
                     greedy["ids"][0].dump())["ids"] == Json(std::vector<int>(greedy["ids"].begin() + 1, greedy["ids"].end())));
}

TEST_CASE("run gives the encoder's output and the logits of every row of the decoder's ids, in chunks or whole") {
  const Translation shop;
  shop.write("in.safetensors", token_files({{"input_ids", {{4, 5, 60}, {9, 60, 0}}},
                                            {"attention_mask", {{1, 1, 1}, {1, 1, 0}}},
                                            {"decoder_input_ids", {{0, 1, 2, 3}, {0, 7, 8, 9}}}}));
  const Answer whole = shop.linnet("run t.linnet --inputs in.safetensors --outputs whole.safetensors");
  REQUIRE_MESSAGE(whole.status == 0, whole.err);
  REQUIRE(shop.linnet("run t.linnet --inputs in.safetensors --outputs cut.safetensors --batch-tokens 3").status == 0);
  const std::string bytes = read_text(shop.path("whole.safetensors"));
  CHECK(bytes == read_text(shop.path("cut.safetensors")));
  CHECK(floats_in(bytes, "encoder_last_hidden_state").shape == std::vector<uint64_t>{2, 3, 36});
  CHECK(floats_in(bytes, "logits").shape == std::vector<uint64_t>{2, 4, 61});
  shop.write("in.safetensors", token_file({{4, 5}}));
  check_refusal(shop.linnet("run t.linnet --inputs in.safetensors --outputs out.safetensors"), 1, "decoder_input_ids");
}

TEST_CASE("what makes no sense of a source is refused") {
  const Translation shop;
  check_refusal(shop.linnet("translate decoder.linnet --text w5"), 1, "decoder.linnet");
  check_refusal(shop.linnet("translate t.linnet --text w5 --to de_DE"), 1, "de_DE");
  check_refusal(shop.linnet("generate t.linnet --prompt w5 --save state"), 1, "--save");
  check_refusal(shop.linnet("generate decoder.linnet --ids 5 --decoder-ids 3"), 1, "decoder.linnet");
  check_refusal(shop.linnet("chat t.linnet"), 1, "t.linnet");
  CHECK(shop.linnet("plan t.linnet --sequences 4 --source-tokens 128 --sources 1").status == 0);
}
