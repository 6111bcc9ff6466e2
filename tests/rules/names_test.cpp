// The runtime knows operations, not models: no family's name occurs outside of the converter.
#include <doctest/doctest.h>

#include <filesystem>
#include <set>

#include "rules/sources.h"

using namespace linnet::rules;

namespace {

// The converter's pages by their names, and families that may get one.
std::set<std::string> families() {
  std::set<std::string> names = {"bert",    "roberta", "electra", "mpnet", "modernbert", "gpt",     "llama",
                                 "mistral", "mixtral", "qwen",    "phi",   "gemma",      "falcon",  "olmo",
                                 "smollm",  "granite", "marian",  "bart",  "whisper",    "deepseek"};
  for (const auto& entry : std::filesystem::directory_iterator(LINNET_SOURCE_DIR "/lib/convert/architectures"))
    if (entry.path().extension() == ".cpp") names.insert(entry.path().stem().string());
  return names;
}

std::string lower(std::string text) {
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return text;
}

// Identifiers and strings that carry a family's name, whole or as one of the words of snake_case and CamelCase.
std::vector<std::string> violations(const Source& source, const std::set<std::string>& names) {
  static const std::regex kWord("[A-Z]?[a-z]+|[A-Z]+(?![a-z])");
  static const std::regex kPublishedRule("llama3");  // a way to scale rotary frequencies that has no other name
  std::vector<std::string> all;
  const std::string text = std::regex_replace(code(source), kPublishedRule, "");
  for (std::sregex_iterator word(text.begin(), text.end(), kWord), end; word != end; ++word)
    if (names.count(lower(word->str()))) all.push_back(source.path + " names " + word->str());
  return all;
}

}  // namespace

TEST_CASE("no model family is named in the runtime") {
  const std::set<std::string> names = families();
  size_t files = 0;
  for (const Source& source : sources_in("lib")) {
    if (source.path.rfind("lib/convert/", 0) == 0) continue;
    if (source.path.rfind("lib/text/", 0) == 0) continue;  // ways to split and clean text are named after the tokenizers that brought them
    ++files;
    for (const std::string& violation : violations(source, names)) FAIL_CHECK(violation);
  }
  CHECK(files > 50);
}

TEST_CASE("a family's name would be seen in any spelling, but not in comments") {
  const std::set<std::string> names = families();
  CHECK(violations({"x", "bool is_llama;"}, names).size() == 1);
  CHECK(violations({"x", "class BertPooler"}, names).size() == 1);
  CHECK(violations({"x", "if (family == \"qwen2\")"}, names).size() == 1);
  CHECK(violations({"x", "int gptTwo;  // as GPT-2 does"}, names).size() == 1);
  CHECK(violations({"x", "RopeScaling::llama3  // after Llama 3"}, names).empty());
  CHECK(violations({"x", "alphabet, phase, graphite"}, names).empty());
}
