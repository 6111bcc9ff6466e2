// Tokenizers as their references compute them: shared/goldens/tokenizers, and real ones of shared/models.
#include <doctest/doctest.h>

#include <sstream>

#include "convert/golden_case.h"
#include "convert/text/tokenize_jsonl.h"

using namespace linnet;
using convert::shared_folder;
using Json = nlohmann::json;
namespace fs = std::filesystem;

namespace {

std::string read(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  if (in) out << in.rdbuf();
  return out.str();
}

std::vector<Json> lines(const fs::path& path) {
  std::istringstream in(read(path));
  std::vector<Json> all;
  for (std::string line; std::getline(in, line);) all.push_back(Json::parse(line));
  return all;
}

std::vector<Json> ask(const fs::path& source, const std::vector<Json>& questions) {
  std::stringstream in, out;
  for (const Json& question : questions) in << question.dump() << '\n';
  convert::tokenize_jsonl(source.string(), in, out);
  std::vector<Json> answers;
  for (std::string line; std::getline(out, line);) answers.push_back(Json::parse(line));
  REQUIRE(answers.size() == questions.size());
  return answers;
}

// The field `got` of the answers to `questions` is the field `expected` of the cases.
void check_all(const fs::path& source, const std::vector<Json>& cases, const std::vector<Json>& questions, const char* got,
               const char* expected) {
  CAPTURE(source);
  CAPTURE(expected);
  const std::vector<Json> answers = ask(source, questions);
  for (size_t i = 0; i < cases.size(); ++i) CHECK_MESSAGE(answers[i].at(got) == cases[i].at(expected), cases[i].dump());
}

template <class Make>
std::vector<Json> questions_of(const std::vector<Json>& cases, Make make) {
  std::vector<Json> questions;
  for (const Json& one : cases) questions.push_back(make(one));
  return questions;
}

bool skipped(const fs::path& folder) {
  if (fs::exists(folder)) return false;
  MESSAGE("skipped: ", folder.string(), " is not there");
  return true;
}

// Pieces of a stream: each a continuation of what the reference decodes so far, in the end all of it.
void check_stream(const Json& pieces, const Json& prefixes) {
  REQUIRE(pieces.size() == prefixes.size());
  std::string text;
  for (size_t i = 0; i < pieces.size(); ++i) {
    text += pieces[i].get<std::string>();
    const std::string whole = prefixes[i].get<std::string>();
    CHECK(whole.compare(0, text.size(), text) == 0);
    if (i + 1 == pieces.size()) CHECK(text == whole);
  }
}

}  // namespace

TEST_CASE("golden tokenizers give the reference's ids, texts and streams") {
  const fs::path root = shared_folder() / "goldens" / "tokenizers";
  if (skipped(root)) return;
  for (const auto& entry : fs::directory_iterator(root)) {
    const fs::path source = entry.path();
    const std::vector<Json> cases = lines(source / "cases.jsonl"), pairs = lines(source / "pairs.jsonl"),
                            streams = lines(source / "stream.jsonl");
    REQUIRE(cases.size() > 100);
    check_all(source, cases, questions_of(cases, [](const Json& c) { return Json{{"text", c["text"]}}; }), "ids", "ids");
    check_all(source, cases,
              questions_of(cases,
                           [](const Json& c) {
                             return Json{{"text", c["text"]}, {"special", true}};
                           }),
              "ids", "ids_special");
    check_all(source, cases, questions_of(cases, [](const Json& c) { return Json{{"ids", c["ids"]}}; }), "text", "decoded");
    check_all(source, cases,
              questions_of(cases,
                           [](const Json& c) {
                             return Json{{"ids", c["ids_special"]}, {"skip_special", true}};
                           }),
              "text", "decoded_skip_special");
    const auto pair_question = [](const Json& c) { return Json{{"text", c["text"]}, {"pair", c["pair"]}, {"special", true}}; };
    check_all(source, pairs, questions_of(pairs, pair_question), "ids", "ids");
    check_all(source, pairs, questions_of(pairs, pair_question), "type_ids", "type_ids");
    const std::vector<Json> pieces = ask(source, questions_of(streams, [](const Json& c) {
                                           return Json{{"ids", c["ids"]}, {"stream", true}};
                                         }));
    for (size_t i = 0; i < streams.size(); ++i) check_stream(pieces[i].at("pieces"), streams[i].at("prefix_decoded"));
  }
}

TEST_CASE("real tokenizers give the ids and texts of their own libraries") {
  const fs::path root = shared_folder() / "models" / "tokenizers";
  if (skipped(root)) return;
  for (const auto& entry : fs::directory_iterator(root)) {
    if (!entry.is_directory()) continue;
    const std::vector<Json> cases = Json::parse(read(entry.path() / "expected.json"));
    check_all(entry.path(), cases, questions_of(cases, [](const Json& c) { return Json{{"text", c["text"]}}; }), "ids", "ids");
    check_all(entry.path(), cases, questions_of(cases, [](const Json& c) { return Json{{"ids", c["ids"]}}; }), "text", "decoded");
    if (cases[0].contains("ids_with_special"))
      check_all(entry.path(), cases,
                questions_of(cases,
                             [](const Json& c) {
                               return Json{{"text", c["text"]}, {"special", true}};
                             }),
                "ids", "ids_with_special");
  }
}

TEST_CASE("vocabularies of GGUF files give the ids that were published with them") {
  const fs::path root = shared_folder() / "models" / "vocab-gguf";
  if (skipped(root)) return;
  size_t files = 0;
  for (const auto& entry : fs::directory_iterator(root)) {
    if (entry.path().extension() != ".gguf") continue;
    ++files;
    const std::string separator = "\n__ggml_vocab_test__\n", texts = read(entry.path().string() + ".inp");
    std::vector<Json> questions, cases;
    std::istringstream expected(read(entry.path().string() + ".out"));
    for (size_t begin = 0, end; begin <= texts.size(); begin = end + separator.size()) {
      end = std::min(texts.find(separator, begin), texts.size());
      questions.push_back({{"text", texts.substr(begin, end - begin)}});
      std::string line;
      std::getline(expected, line);
      std::istringstream numbers(line);
      Json ids = Json::array();
      for (int32_t id; numbers >> id;) ids.push_back(id);
      cases.push_back({{"ids", ids}, {"text", questions.back()["text"]}});
      if (end == texts.size()) break;
    }
    CHECK(cases.size() > 40);
    check_all(entry.path(), cases, questions, "ids", "ids");
  }
  CHECK(files == 5);
}

TEST_CASE("a model's folder and its GGUF file give the same ids") {
  const fs::path root = shared_folder() / "models" / "stories260k";
  if (skipped(root)) return;
  const std::vector<Json> cases = Json::parse(read(root / "tokenizer_expected.json"));
  for (const fs::path& source : {root, root / "stories260k-q8_0.gguf"})
    check_all(source, cases, questions_of(cases, [](const Json& c) { return Json{{"text", c["text"]}, {"special", true}}; }), "ids", "ids");
}
