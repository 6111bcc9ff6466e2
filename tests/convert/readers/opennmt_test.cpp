#include "convert/readers/opennmt.h"

#include <doctest/doctest.h>

#include "convert/checkpoint_folder.h"
#include "convert/golden_case.h"
#include "linnet/tasks.h"
#include "runtime/small_models.h"

using namespace linnet;
using namespace linnet::convert;

namespace {

/// A file of this format, written number by number.
struct Writer {
  std::string bytes;
  template <class T>
  Writer& number(T value) {
    bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
    return *this;
  }
  Writer& name(const std::string& text) {
    number(static_cast<uint16_t>(text.size() + 1));
    bytes += text + '\0';
    return *this;
  }
  template <class T>
  Writer& numbers(const std::vector<T>& values) {
    for (T value : values) number(value);
    return *this;
  }
};

/// Version 2: a matrix of int8 with a scale for each row, and a vector of f32.
Writer second() {
  Writer w;
  w.number(2u).name("TransformerBase").number(2u).number(3u);
  w.name("decoder/matrix")
      .number(uint8_t{2})
      .number(2u)
      .number(3u)
      .number(uint8_t{1})
      .number(6u)
      .numbers<int8_t>({127, -64, 0, 10, 20, -127});
  w.name("decoder/matrix_scale").number(uint8_t{1}).number(2u).number(uint8_t{4}).number(2u).numbers<float>({2, 0.5f});
  w.name("decoder/vector").number(uint8_t{1}).number(2u).number(uint8_t{4}).number(2u).numbers<float>({1.5f, -3});
  return w;
}

/// Version 6: one variable of f16 and a second name of it.
Writer sixth() {
  Writer w;
  w.number(6u).name("TransformerSpec").number(7u).number(1u);
  w.name("a/weight").number(uint8_t{1}).number(2u).number(uint8_t{4}).number(4u).numbers<uint16_t>({0x3c00, 0xc000});
  w.number(1u).name("b/weight").name("a/weight");
  return w;
}

std::unique_ptr<Checkpoint> opened(const std::string& bytes) {
  static CheckpointFolder folder("opennmt");
  std::ofstream(folder.path("model.bin"), std::ios::binary) << bytes;
  return open_opennmt(folder.path("model.bin"));
}

std::string refusal(const std::string& bytes) {
  try {
    opened(bytes);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

std::vector<int32_t> ids_of(const nlohmann::json& list) { return list.get<std::vector<int32_t>>(); }

}  // namespace

TEST_CASE("variables are read by their names, whole numbers through their scales, aliases as what they stand for") {
  const auto two = opened(second().bytes);
  CHECK(two->tensors().size() == 2);
  CHECK(two->tensor("decoder.matrix").shape == std::vector<uint64_t>{2, 3});
  CHECK(two->read("decoder.matrix") == std::vector<float>{63.5f, -32, 0, 20, 40, -254});
  CHECK(two->read("decoder.vector") == std::vector<float>{1.5f, -3});
  const auto six = opened(sixth().bytes);
  CHECK(six->read("a.weight") == std::vector<float>{1, -2});
  CHECK(six->read("b.weight") == std::vector<float>{1, -2});
  CHECK(six->config()["spec"] == "TransformerSpec");
}

TEST_CASE("files that are cut, or contradict themselves, are refused") {
  for (const std::string& whole : {second().bytes, sixth().bytes})
    for (size_t length = 8; length < whole.size(); ++length) CHECK(refusal(whole.substr(0, length)) != "");
  std::string bytes = second().bytes;
  bytes[0] = 9;
  CHECK(refusal(bytes).find("version 9") != std::string::npos);
  Writer twice;
  twice.number(2u).name("T").number(2u).number(2u);
  for (int i = 0; i < 2; ++i) twice.name("a").number(uint8_t{1}).number(1u).number(uint8_t{4}).number(1u).number(1.0f);
  CHECK(refusal(twice.bytes).find("there twice") != std::string::npos);
  Writer other;
  other.number(2u).name("T").number(2u).number(1u).name("a").number(uint8_t{1}).number(2u).number(uint8_t{4}).number(1u).number(1.0f);
  CHECK(refusal(other.bytes).find("4 bytes for 2 numbers") != std::string::npos);
}

TEST_CASE("a real translator writes the words that it is known to write, from each of its files") {
  namespace fs = std::filesystem;
  const fs::path folder = shared_folder() / "models" / "aren-transliteration";
  if (!fs::exists(folder)) {
    MESSAGE("skipped: ../shared/models/aren-transliteration is not there");
    return;
  }
  const nlohmann::json expected = nlohmann::json::parse(std::ifstream(folder / "expected.json"))["variants"];
  for (const auto& [source, variant] :
       {std::pair<std::string, std::string>{"", "float32"}, {"model-float32.bin", "float32"}, {"model-int8.bin", "int8"}}) {
    CAPTURE(source);
    const TemporaryFile file("opennmt.linnet");
    Options options;
    options.weights = "f32";
    linnet::convert::convert((folder / source).string(), file.path, options);
    const Model model = tests::must(Model::open(file.path.c_str()));
    const Tokenizer tokenizer = tests::must(Tokenizer::create(model));
    Translator translator = tests::must(Translator::create(model, {.beams = 1, .threads = 1}));
    for (const nlohmann::json& one : expected.at(variant)) {
      const std::string text = one.at("source");
      Ids ids;
      tests::must(tokenizer.encode(text, {}, &ids));
      CHECK(std::vector<int32_t>(ids.begin(), ids.end()) == ids_of(one.at("source_ids")));
      const std::string_view texts[] = {text};
      tests::must(translator.translate(texts));
      CHECK(translator.result(0) == one.at("target").get<std::string>());
    }
  }
}
