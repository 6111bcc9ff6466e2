// Adapters on the command line: a PEFT folder beside its base, and what convert makes of one.
#include <nlohmann/json.hpp>

#include "convert/adapters/adapter_folder.h"
#include "tool/tensor_bytes.h"
#include "tool/tool.h"

using namespace linnet;
using namespace linnet::tests;
using Json = nlohmann::json;

namespace {

// decoder.linnet and encoder.linnet with adapters beside them, as folders and converted.
class AdapterShop : public Workshop {
 public:
  AdapterShop() {
    put(decoder_adapter(), "lora");
    put(encoder_adapter(), "saved");
    for (const char* pair : {"lora --base decoder.linnet -o lora.linnet", "saved --base encoder.linnet -o saved.linnet"}) {
      const Answer answer = linnet("convert " + std::string(pair));
      REQUIRE_MESSAGE(answer.status == 0, answer.err);
    }
  }
  void put(const TestAdapter& adapter, const std::string& name) const {
    const convert::CheckpointFolder folder("tool-adapter");
    adapter.write(folder);
    std::filesystem::create_directories(path(name));
    for (const char* file : {"adapter_config.json", "adapter_model.safetensors"})
      std::filesystem::copy_file(folder.path(file), path(name + "/" + file), std::filesystem::copy_options::overwrite_existing);
  }
};

Json json_of(const Workshop& shop, const std::string& arguments) {
  const Answer answer = shop.linnet(arguments + " --json");
  INFO(arguments << ": " << answer.err << answer.out);
  REQUIRE(answer.status == 0);
  return Json::parse(answer.out);
}

}  // namespace

TEST_CASE("a folder and the file made of it give the same answers, which are not the base's") {
  AdapterShop shop;
  const std::string generate = "generate decoder.linnet --ids 5,6,7 --max-tokens 12 --temperature 0 --raw --ignore-eos";
  const Json base = json_of(shop, generate), folder = json_of(shop, generate + " --adapter lora"),
             file = json_of(shop, generate + " --adapter lora.linnet");
  CHECK(folder["ids"] == file["ids"]);
  CHECK(folder["ids"] != base["ids"]);
  CHECK(folder["ids"].size() == 12);
  shop.write("ids.safetensors", token_file({{5, 6, 7, 8}, {9, 1, 2, 3}}));
  const auto logits = [&](const std::string& arguments) {
    const Answer answer = shop.linnet("run " + arguments + " --inputs ids.safetensors --outputs out/o.safetensors");
    REQUIRE_MESSAGE(answer.status == 0, answer.err);
    return floats_in(read_text(shop.path("out/o.safetensors")), "logits").numbers;
  };
  for (const auto& [model, name] : {std::pair("decoder.linnet", "lora"), std::pair("encoder.linnet", "saved")}) {
    const std::string with = std::string(model) + " --adapter " + name;
    CHECK(logits(with) == logits(with + ".linnet"));
    CHECK(logits(with) != logits(model));
  }
}

TEST_CASE("inspect and verify tell what an adapter is") {
  AdapterShop shop;
  const Json inspected = json_of(shop, "inspect lora.linnet");
  CHECK(inspected["adapter_for"] == "decoder");
  CHECK(inspected["rank"] == 9);
  CHECK(inspected["targets"].size() == 14);
  CHECK(inspected["base_hash"] == json_of(shop, "inspect decoder.linnet")["hash"]);
  const Answer text = shop.linnet("inspect saved.linnet --tensors");
  CHECK(text.out.find("replacement") != std::string::npos);
  CHECK(text.out.find("classifier.weight") != std::string::npos);
  CHECK(shop.linnet("verify lora.linnet").out.find("an adapter of 14 targets") != std::string::npos);
  CHECK(json_of(shop, "convert lora --base decoder.linnet -o again.linnet")["rank"] == 9);
}

TEST_CASE("adapters that do not fit are refused in one sentence, and nothing is written") {
  AdapterShop shop;
  shop.write("ids.safetensors", token_file({{5, 6, 7}}));
  const std::set<std::string> before = shop.names();
  const std::string run = " --inputs ids.safetensors --outputs out/o.safetensors";
  check_refusal(shop.linnet("run encoder.linnet --adapter lora.linnet" + run), 1, "lora.linnet: the adapter was made for \"decoder\"");
  check_refusal(shop.linnet("run encoder.linnet --adapter lora" + run), 1, "model.layers.0");
  check_refusal(shop.linnet("run decoder.linnet --adapter encoder.linnet" + run), 1, "encoder.linnet");
  check_refusal(shop.linnet("run decoder.linnet --adapter nowhere" + run), 1, "nowhere");
  check_refusal(shop.linnet("generate decoder.linnet --ids 1 --adapter saved"), 1, "bert.");
  check_refusal(shop.linnet("run lora.linnet" + run), 1, "it is an adapter");
  check_refusal(shop.linnet("convert saved --base decoder.linnet -o out/x.linnet"), 1, "bert.");
  check_refusal(shop.linnet("convert lora --base decoder.linnet -o decoder.linnet"), 1, "would be lost");
  TestAdapter dora = decoder_adapter();
  dora.config()["use_dora"] = true;
  std::filesystem::remove_all(shop.path("saved"));
  shop.put(dora, "dora");
  check_refusal(shop.linnet("run decoder.linnet --adapter dora" + run), 1, "use_dora");
  std::set<std::string> after = shop.names();
  for (const char* name : {"dora", "dora/adapter_config.json", "dora/adapter_model.safetensors"}) after.erase(name);
  for (const char* name : {"saved", "saved/adapter_config.json", "saved/adapter_model.safetensors"}) after.insert(name);
  CHECK(after == before);
}
