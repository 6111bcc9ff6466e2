#include "convert/text/tokenize_jsonl.h"

#include <doctest/doctest.h>

#include <sstream>

#include "convert/checkpoint_folder.h"

using namespace linnet::convert;

namespace {

std::string answers(const std::string& source, const std::string& questions) {
  std::istringstream in(questions);
  std::ostringstream out;
  tokenize_jsonl(source, in, out);
  return out.str();
}

std::string refusal(const std::string& source, const std::string& questions = "") {
  try {
    answers(source, questions);
  } catch (const Error& error) {
    CHECK(std::string(error.what()).rfind(source, 0) == 0);
    return error.what();
  }
  return "";
}

void write_text(const CheckpointFolder& folder, const std::string& file, const std::string& text) {
  std::ofstream(folder.path(file)) << text;
}

}  // namespace

TEST_CASE("a question is answered in its line, empty lines are passed over") {
  CheckpointFolder folder("jsonl");
  folder.write("tokenizer.json", Json::parse(R"({"pre_tokenizer": {"type": "WhitespaceSplit"},
      "model": {"type": "WordLevel", "vocab": {"one": 0, "two": 1, "<unk>": 2}, "unk_token": "<unk>"}})"));
  CHECK(answers(folder.path(), "{\"text\": \"two one\"}\n\n{\"ids\": [0]}\n") == "{\"ids\":[1,0]}\n{\"text\":\"one\"}\n");
}

TEST_CASE("every refusal begins with the source") {
  CheckpointFolder folder("jsonl-refusal");
  CHECK(refusal(folder.path()).find("there is no tokenizer") != std::string::npos);
  CHECK(refusal(folder.path("absent")).find("there is no tokenizer") != std::string::npos);
  CHECK(refusal(folder.path("absent.linnet")) != "");
  write_text(folder, "noise.linnet", "noise");
  CHECK(refusal(folder.path("noise.linnet")) != "");
  write_text(folder, "noise.gguf", "noise");
  CHECK(refusal(folder.path("noise.gguf")) != "");
  write_text(folder, "vocab.json", "{");
  write_text(folder, "merges.txt", "a b");
  CHECK(refusal(folder.path()).find("vocab.json") != std::string::npos);
  write_text(folder, "tokenizer.json", "3");
  CHECK(refusal(folder.path()) != "");
  folder.write("tokenizer.json", Json::parse(R"({"model": {"type": "WordLevel", "vocab": {"a": 0}, "unk_token": "a"}})"));
  for (const char* question : {"{", "3", "{}", "{\"text\": 3}", "{\"ids\": [1.5]}", "{\"ids\": [\"a\"]}"})
    CHECK(refusal(folder.path(), std::string("{\"text\": \"a\"}\n") + question).find(": line 2: ") != std::string::npos);
}
