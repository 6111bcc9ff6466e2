#include <doctest/doctest.h>

#include "convert/checkpoint_folder.h"
#include "convert/gguf_builder.h"
#include "convert/readers/file.h"
#include "convert/readers/open.h"

using namespace linnet;
using namespace linnet::convert;

namespace {

std::string refusal(const CheckpointFolder& folder) {
  try {
    open_checkpoint(folder.path());
  } catch (const Error& error) {
    CHECK(std::string(error.what()).find(folder.path().substr(0, folder.path().size() - 1)) == 0);
    return error.what();
  }
  return "";
}

bool says(const std::string& text, const std::string& words) { return text.find(words) != std::string::npos; }

/// A file of one byte for each of `names`.
void write_shard(const CheckpointFolder& folder, const std::string& file, const std::vector<std::string>& names) {
  Json header = Json::object();
  for (size_t i = 0; i < names.size(); ++i) header[names[i]] = {{"dtype", "U8"}, {"shape", {1}}, {"data_offsets", {i, i + 1}}};
  write_bytes(folder.path(file), raw<uint64_t>(header.dump().size()) + header.dump() + std::string(names.size(), '\5'));
}

struct Sharded {
  Sharded() {
    folder.write("config.json", {{"model_type", "x"}});
    write_shard(folder, "model-00001-of-00002.safetensors", {"a", "b"});
    write_shard(folder, "model-00002-of-00002.safetensors", {"c"});
    index = {
        {"a", "model-00001-of-00002.safetensors"}, {"b", "model-00001-of-00002.safetensors"}, {"c", "model-00002-of-00002.safetensors"}};
  }
  std::string refusal() {
    folder.write("model.safetensors.index.json", {{"metadata", {{"total_size", 3}}}, {"weight_map", index}});
    return ::refusal(folder);
  }
  CheckpointFolder folder{"sharded"};
  Json index;
};

}  // namespace

TEST_CASE("shards are read as their index says") {
  Sharded s;
  CHECK(s.refusal() == "");
  auto checkpoint = open_checkpoint(s.folder.path());
  CHECK(checkpoint->tensors().size() == 3);
  CHECK(checkpoint->read("c") == std::vector<float>{5});
  CHECK_FALSE(checkpoint->is_gguf());
  CHECK(checkpoint->gguf() == nullptr);
  CHECK_THROWS_WITH_AS(checkpoint->tensor("d"), doctest::Contains("there is no tensor 'd'"), Error);
  CHECK_THROWS_WITH_AS(checkpoint->read("d"), doctest::Contains("there is no tensor 'd'"), Error);
}

TEST_CASE("a shard that is missing, or lacks what the index promises, is refused by name") {
  Sharded s;
  s.index["d"] = "model-00002-of-00002.safetensors";
  CHECK(says(s.refusal(), "tensor 'd' is not in model-00002-of-00002.safetensors"));
  s.index.erase("d");
  s.index["c"] = "model-00001-of-00002.safetensors";
  CHECK(says(s.refusal(), "tensor 'c' is not in model-00001-of-00002.safetensors"));
  s.index["c"] = "model-00003-of-00002.safetensors";
  CHECK(says(s.refusal(), "model-00003-of-00002.safetensors"));
  s.index["c"] = "../elsewhere.safetensors";
  CHECK(says(s.refusal(), "tensor 'c' is not in a file of this folder"));
  s.index["c"] = 3;
  CHECK(says(s.refusal(), "tensor 'c'"));
  s.index = Json::array();
  CHECK(says(s.refusal(), "has no weight_map"));
}

TEST_CASE("a tensor in two shards is refused by name") {
  Sharded s;
  write_shard(s.folder, "model-00002-of-00002.safetensors", {"c", "a"});
  CHECK(says(s.refusal(), "tensor 'a' is in two files"));
}

TEST_CASE("weights that other tools quantized are refused by the tool's name") {
  CheckpointFolder folder("foreign");
  FakeCheckpoint checkpoint = small_llama();
  for (const char* method : {"gptq", "awq", "bitsandbytes", "fp8", "compressed-tensors", "hqq", "quanto"}) {
    checkpoint.config()["quantization_config"] = {{"quant_method", method}, {"bits", 4}};
    folder.write(checkpoint);
    CHECK(says(refusal(folder), std::string("'") + method + "'"));
  }
  for (const Json& odd : {Json(3), Json{{"quant_method", 3}}, Json{{"bits", 4}}}) {
    checkpoint.config()["quantization_config"] = odd;
    folder.write(checkpoint);
    CHECK(says(refusal(folder), "quantized by 'unknown'"));
  }
  checkpoint.config()["quantization_config"] = nullptr;
  folder.write(checkpoint);
  CHECK(refusal(folder) == "");
}

TEST_CASE("a folder without what a checkpoint needs says what is missing") {
  CheckpointFolder folder("missing");
  CHECK(says(refusal(folder), "config.json"));
  write_bytes(folder.path("config.json"), "{\"model_type\": ");
  CHECK(says(refusal(folder), "config.json: is not JSON"));
  write_bytes(folder.path("config.json"), "[]");
  CHECK(says(refusal(folder), "config.json: is not a JSON object"));
  write_bytes(folder.path("config.json"), "{\"a\": 1, \"a\": 2}");
  CHECK(says(refusal(folder), "the key 'a' stands there twice"));
  write_bytes(folder.path("config.json"), "{\"a\": " + std::string(100000, '[') + std::string(100000, ']') + "}");
  CHECK(says(refusal(folder), "nested deeper"));
  write_bytes(folder.path("config.json"), "{}");
  CHECK(says(refusal(folder), "there is no model.safetensors"));
  write_bytes(folder.path("pytorch_model.bin"), "x");
  CHECK(says(refusal(folder), ".bin weights"));
  write_shard(folder, "one.safetensors", {"a"});
  CHECK(refusal(folder) == "");
  write_shard(folder, "two.safetensors", {"b"});
  CHECK(says(refusal(folder), "several .safetensors files"));
  write_shard(folder, "model.safetensors", {});
  CHECK(says(refusal(folder), "hold no tensors"));
  CHECK_THROWS_WITH_AS(open_checkpoint(folder.path("nowhere")), doctest::Contains("there is no such file or folder"), Error);
}

TEST_CASE("files of a checkpoint are looked for in its folder alone") {
  CheckpointFolder folder("below");
  folder.write(small_bert(), "inner/");
  folder.write("outside.json", {{"a", 1}});
  folder.write(small_bert(), "inner/2_Dense/");
  auto checkpoint = open_checkpoint(folder.path("inner"));
  CHECK(checkpoint->file("../outside.json").is_null());
  CHECK(checkpoint->file(folder.path("outside.json")).is_null());
  CHECK(checkpoint->file("2_Dense/config.json")["model_type"] == "bert");
  CHECK(checkpoint->subfolder("..") == nullptr);
  CHECK(checkpoint->subfolder("2_Dense/../../inner") == nullptr);
  CHECK(checkpoint->subfolder("2_Dense") != nullptr);
  CHECK(checkpoint->subfolder("3_Nothing") == nullptr);
  CHECK(stays_below("a..b/c"));
  CHECK_FALSE(stays_below(""));
}
