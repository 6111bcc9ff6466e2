// What a file could not hold, or would hold wrongly, is refused before anything is written.
#include <doctest/doctest.h>

#include "convert/checkpoint_folder.h"
#include "convert/convert.h"
#include "linnet/model.h"
#include "linnet/tokenizer.h"

using namespace linnet;
using namespace linnet::convert;

namespace {

const Json kWords = {{"model", {{"type", "WordLevel"}, {"vocab", {{"u", 0}, {"a", 1}, {"b", 2}}}, {"unk_token", "u"}}},
                     {"pre_tokenizer", {{"type", "WhitespaceSplit"}}}};

std::string refusal(const CheckpointFolder& folder) {
  try {
    convert::convert(folder.path(), folder.path("out.linnet"), {});
  } catch (const Error& error) {
    CHECK_FALSE(std::filesystem::exists(folder.path("out.linnet")));
    CHECK(std::string(error.what()).rfind(folder.path(), 0) == 0);
    return error.what();
  }
  return "";
}

std::string refusal_with(FakeCheckpoint checkpoint, const Json& changes) {
  CheckpointFolder folder("refusal");
  checkpoint.config().update(changes);
  folder.write(checkpoint);
  return refusal(folder);
}

/// Of a small llama beside a tokenizer that is changed so.
std::string refusal_of_tokenizer(const Json& changes) {
  CheckpointFolder folder("refusal-tokenizer");
  folder.write(small_llama());
  Json tokenizer = kWords;
  tokenizer.update(changes);
  folder.write("tokenizer.json", tokenizer);
  return refusal(folder);
}

Model open(const CheckpointFolder& folder) {
  convert::convert(folder.path(), folder.path("out.linnet"), {});
  Result<Model> model = Model::open(folder.path("out.linnet").c_str());
  if (!model.ok()) FAIL(model.status().message());
  return std::move(model.value());
}

size_t count_of_ids(const Model& model, std::string_view text) {
  Result<Tokenizer> tokenizer = Tokenizer::create(model);
  REQUIRE_MESSAGE(tokenizer.ok(), tokenizer.status().message());
  Ids ids;
  REQUIRE(tokenizer->encode(text, {}, &ids).ok());
  return ids.size();
}

FakeCheckpoint classifier(uint64_t labels) {
  FakeCheckpoint checkpoint = small_bert("bert.");
  checkpoint.config()["architectures"] = {"BertForSequenceClassification"};
  checkpoint.put("bert.pooler.dense.weight", {20, 20}).put("bert.pooler.dense.bias", {20});
  checkpoint.put("classifier.weight", {labels, 20}).put("classifier.bias", {labels});
  return checkpoint;
}

}  // namespace

TEST_CASE("numbers that 32 bits do not hold, or that no file may have, are refused by their key") {
  for (double epsilon : {-1.0, 1e300}) {
    CHECK(refusal_with(small_llama(), {{"rms_norm_eps", epsilon}}).find("rms_norm_eps") != std::string::npos);
    CHECK(refusal_with(small_bert(), {{"layer_norm_eps", epsilon}}).find("layer_norm_eps") != std::string::npos);
  }
  for (double theta : {1e300, 1e-300, 1.0, -10000.0})
    CHECK(refusal_with(small_llama(), {{"rope_theta", theta}}).find("rope_theta") != std::string::npos);
  const Json alpha = {{"rope_type", "dynamic"}, {"factor", 1.0}, {"alpha", 1000.0}};
  CHECK(refusal_with(small_llama(), {{"rope_scaling", alpha}}).find("alpha is 1000.0") != std::string::npos);
  for (double factor : {1e300, 1e-300, 0.0})
    for (const char* type : {"linear", "dynamic", "yarn"})
      CHECK(refusal_with(small_llama(), {{"rope_scaling", {{"rope_type", type}, {"factor", factor}}}}).find("factor") != std::string::npos);
  CHECK(refusal_with(small_llama(), {{"rms_norm_eps", 1e-300}}) == "");  // 0 in 32 bits, which norms bear
}

TEST_CASE("a tokenizer that could not be opened again is refused") {
  CHECK(refusal_of_tokenizer(Json::object()) == "");
  CHECK(refusal_of_tokenizer(Json::parse(R"({"post_processor": {"type": "BertProcessing", "sep": ["x", -5], "cls": ["a", 1]}})")) != "");
  CHECK(refusal_of_tokenizer(Json::parse(R"({"model": {"type": "Unigram", "unk_id": -3, "vocab": [["a", -1.0], ["b", -2.0]]}})")) != "");
  CHECK(refusal_of_tokenizer(Json::parse(R"({"normalizer": {"type": "Precompiled", "precompiled_charsmap": ""}})")) != "");
  CHECK(refusal_of_tokenizer(Json::parse(R"({"normalizer": {"type": "Replace", "pattern": {"String": ""}, "content": "x"}})")) != "");
  // Nothing can be found by it, and the reference leaves it out too.
  CHECK(refusal_of_tokenizer(Json::parse(R"({"added_tokens": [{"id": 3, "content": ""}]})")) == "");
}

TEST_CASE("a prompt is never cut, whatever tokenizer.json says of training") {
  CheckpointFolder folder("refusal-cut");
  folder.write(small_llama());
  Json tokenizer = kWords;
  tokenizer["truncation"] = {{"max_length", 2}, {"strategy", "OnlyFirst"}, {"direction", "Left"}, {"stride", 0}};
  folder.write("tokenizer.json", tokenizer);
  CHECK(count_of_ids(open(folder), "a b a b a") == 5);
}

TEST_CASE("an encoder's texts are cut as tokenizer.json says, or not at all") {
  CheckpointFolder folder("refusal-cut-encoder");
  folder.write(small_bert());
  Json tokenizer = kWords;
  tokenizer["truncation"] = {{"max_length", 2}, {"strategy", "LongestFirst"}, {"direction", "Right"}, {"stride", 0}};
  folder.write("tokenizer.json", tokenizer);
  CHECK(count_of_ids(open(folder), "a b a b a") == 2);
  std::filesystem::remove(folder.path("out.linnet"));
  tokenizer["truncation"]["direction"] = "Left";
  folder.write("tokenizer.json", tokenizer);
  CHECK(refusal(folder).find("on the left") != std::string::npos);
}

TEST_CASE("the class of Llama's tokenizers begins a text where tokenizer.json itself adds nothing") {
  CheckpointFolder folder("refusal-begin");
  folder.write(small_llama());
  folder.write("tokenizer.json", kWords);
  folder.write("tokenizer_config.json", {{"tokenizer_class", "LlamaTokenizerFast"}, {"bos_token", "b"}, {"add_bos_token", true}});
  CHECK(count_of_ids(open(folder), "a a") == 3);
  folder.write("tokenizer_config.json", {{"tokenizer_class", "LlamaTokenizer"}, {"bos_token", "b"}, {"add_bos_token", false}});
  CHECK(count_of_ids(open(folder), "a a") == 2);
  folder.write("tokenizer_config.json", {{"tokenizer_class", "PreTrainedTokenizerFast"}, {"bos_token", "b"}, {"add_bos_token", true}});
  CHECK(count_of_ids(open(folder), "a a") == 2);
}

TEST_CASE("brackets without end are refused, not followed") {
  for (const char* name : {"tokenizer.json", "tokenizer_config.json"}) {
    CheckpointFolder folder("refusal-deep");
    folder.write(small_llama());
    folder.write("vocab.txt", "a");
    const size_t depth = 300000;
    std::ofstream(folder.path(name)) << R"({"post_processor": )" << std::string(depth, '[') << std::string(depth, ']') << "}";
    CHECK(refusal(folder).find(std::string(name) + ": is nested deeper than 64 levels") != std::string::npos);
  }
}

TEST_CASE("labels that are true independently of each other are refused") {
  CHECK(refusal_with(classifier(3), {{"problem_type", "multi_label_classification"}}).find("problem_type") != std::string::npos);
  CHECK(refusal_with(classifier(3), {{"problem_type", "single_label_classification"}}) == "");
  CHECK(refusal_with(classifier(1), {{"problem_type", "multi_label_classification"}}) == "");
}

TEST_CASE("heads that the saved class does not have are left out, and noted") {
  CheckpointFolder folder("refusal-heads");
  FakeCheckpoint checkpoint = classifier(2);
  folder.write(checkpoint.put("cls.predictions.bias", {30}).put("cls.seq_relationship.weight", {2, 20}));
  const Report report = convert::convert(folder.path(), folder.path("out.linnet"), {});
  REQUIRE(report.notes.size() == 1);
  CHECK(report.notes[0].find("cls.predictions.bias, cls.seq_relationship.weight") != std::string::npos);
}

TEST_CASE("a refusal of anything begins with the source, files that are no checkpoint at all included") {
  CheckpointFolder folder("refusal-source");
  for (const char* text : {"", "{", "[1]", "{\"model_type\": 3}", "{\"quantization_config\": {\"quant_method\": \"\\ud800\"}}"}) {
    std::ofstream(folder.path("config.json")) << text;
    CHECK(refusal(folder) != "");
  }
  folder.write(small_llama());
  folder.write("tokenizer_config.json", Json::parse(R"({"chat_template": [{"name": "a"}]})"));
  CHECK(refusal(folder).find("chat_template") != std::string::npos);
  std::filesystem::remove(folder.path("tokenizer_config.json"));
  for (const char* tokenizer : {"3", "{\"model\": 3}", "{\"model\": {\"type\": 3}}", "{\"model\": {\"type\": \"BPE\", \"vocab\": []}}"}) {
    std::ofstream(folder.path("tokenizer.json")) << tokenizer;
    CHECK(refusal(folder) != "");
  }
}
