#include "convert/generation_config.h"

#include <doctest/doctest.h>

#include "convert/checkpoint_folder.h"
#include "convert/convert.h"
#include "linnet/model.h"

using namespace linnet;
using namespace linnet::convert;

namespace {

Model with(const CheckpointFolder& folder, const Json& generation) {
  folder.write(small_llama());
  folder.write("generation_config.json", generation);
  convert::convert(folder.path(), folder.path("out.linnet"), {});
  Result<Model> model = Model::open(folder.path("out.linnet").c_str());
  if (!model.ok()) FAIL(model.status().message());
  return std::move(model.value());
}

std::string refusal(const Json& generation) {
  CheckpointFolder folder("generation-refusal");
  try {
    with(folder, generation);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("a length that bounds nothing is none") {
  CheckpointFolder folder("generation-length");
  for (const Json& length : {Json(0), Json(-1), Json(nullptr), Json(1e30)})
    CHECK(with(folder, {{"max_length", length}}).generation().max_length == 0);
  CHECK(with(folder, {{"max_length", 20}}).generation().max_length == 20);
}

TEST_CASE("values that change nothing are taken for what they mean") {
  CheckpointFolder folder("generation-harmless");
  const Model model = with(folder, {{"do_sample", true},
                                    {"top_k", -1},
                                    {"top_p", 1.5},
                                    {"num_beams", 0},
                                    {"early_stopping", 0},
                                    {"no_repeat_ngram_size", -1},
                                    {"pad_token_id", -1},
                                    {"temperature", 0}});
  CHECK(model.generation().top_k == 0);
  CHECK(model.generation().top_p == 1);
  CHECK(model.generation().beams == 1);
  CHECK(model.generation().early_stopping == 0);
  CHECK(model.generation().no_repeat_ngram == 0);
  CHECK(model.generation().pad == -1);
  CHECK(model.generation().temperature == 0);
  const Model narrow = with(folder, {{"do_sample", true}, {"top_p", 0}});
  CHECK(narrow.generation().top_p > 0);
  CHECK(narrow.generation().top_p < 1e-30f);
  // Where nothing is drawn, what would be drawn does not matter.
  CHECK(with(folder, {{"temperature", -1}, {"top_p", -1}}).generation().temperature == 1);
}

TEST_CASE("a bad word that is an end of texts forbids nothing, a suppressed token does") {
  CheckpointFolder folder("generation-bad-words");
  auto banned = [&](const Json& generation) {
    const Model model = with(folder, generation);
    return std::vector<int32_t>(model.generation().banned.begin(), model.generation().banned.end());
  };
  CHECK(banned({{"eos_token_id", {2, 7}}, {"bad_words_ids", {{5}, {7}, {2}, {9}}}}) == std::vector<int32_t>{5, 9});
  CHECK(banned({{"eos_token_id", 7}, {"suppress_tokens", {7, 8}}, {"bad_words_ids", Json::array({Json::array({7})})}}) ==
        std::vector<int32_t>{7, 8});
}

TEST_CASE("early stopping is one of three") {
  CheckpointFolder folder("generation-stopping");
  CHECK(with(folder, {{"early_stopping", true}}).generation().early_stopping == 1);
  CHECK(with(folder, {{"early_stopping", false}}).generation().early_stopping == 0);
  CHECK(with(folder, {{"early_stopping", "never"}}).generation().early_stopping == 2);
  for (const Json& other : {Json("always"), Json("true"), Json(2), Json(0.5), Json::array()})
    CHECK(refusal({{"early_stopping", other}}).find("generation_config.json: early_stopping is " + other.dump()) != std::string::npos);
}

TEST_CASE("counts that are no whole numbers are refused by their key") {
  for (const char* key : {"top_k", "max_length", "num_beams", "no_repeat_ngram_size"})
    CHECK(refusal({{"do_sample", true}, {key, 2.5}}).find(std::string(key) + " is 2.5") != std::string::npos);
}

TEST_CASE("values that would write another text are refused by their key") {
  CHECK(refusal({{"do_sample", true}, {"temperature", -1}}).find("temperature is -1") != std::string::npos);
  CHECK(refusal({{"repetition_penalty", 0}}).find("repetition_penalty is 0") != std::string::npos);
  CHECK(refusal({{"num_beams", 257}}).find("num_beams is 257") != std::string::npos);
  CHECK(refusal({{"eos_token_id", 4194304}}).find("eos_token_id is 4194304") != std::string::npos);
  CHECK(refusal({{"eos_token_id", 18446744073709551615u}}).find("eos_token_id") != std::string::npos);
  CHECK(refusal({{"bad_words_ids", {{4194304}}}}).find("bad_words_ids") != std::string::npos);
  CHECK(refusal({{"bad_words_ids", {{1, 2}}}}).find("bad_words_ids") != std::string::npos);
}
