#include "convert/readers/gguf.h"

#include <doctest/doctest.h>

#include "convert/checkpoint_folder.h"
#include "convert/gguf_builder.h"

using namespace linnet;
using namespace linnet::convert;

namespace {

/// Every kind of value and two tensors.
GgufBuilder sample() {
  GgufBuilder b;
  b.pair("u8", 0, raw<uint8_t>(200)).pair("i8", 1, raw<int8_t>(-3)).pair("u16", 2, raw<uint16_t>(60000)).pair("i16", 3, raw<int16_t>(-300));
  b.whole("u32", 4000000000u).pair("i32", 5, raw<int32_t>(-70000)).number("f32", 0.5f).flag("bool", true).text("text", "word");
  b.pair("u64", 10, raw<uint64_t>(1ull << 40)).pair("i64", 11, raw<int64_t>(-5)).pair("f64", 12, raw(0.25));
  b.wholes("wholes", {1, -2, 3}).texts("texts", {"a", "", "bc"});
  b.pair("floats", 9, raw<uint32_t>(6) + raw<uint64_t>(2) + raw(1.5f) + raw(-2.5f));
  b.floats("first", {2, 3}, {1, 2, 3, 4, 5, 6});
  b.tensor("second", {32, 2}, 8, std::string(2 * 34, '\x01'));
  return b;
}

class Files {
 public:
  std::string refusal(const std::string& bytes) {
    try {
      GgufFile file(write_bytes(path_, bytes));
      for (const GgufFile::Tensor& tensor : file.tensors()) file.read_rows(tensor, 0, tensor.values / tensor.shape.back());
    } catch (const Error& error) {
      CHECK(std::string(error.what()).find(path_) == 0);
      return std::string(error.what()).substr(path_.size());
    }
    return "";
  }
  std::string refusal(const GgufBuilder& builder) { return refusal(builder.bytes()); }
  const std::string& path() const { return path_; }

 private:
  CheckpointFolder folder_{"gguf"};
  std::string path_ = folder_.path("model.gguf");
};

bool says(const std::string& text, const std::string& words) { return text.find(words) != std::string::npos; }

}  // namespace

TEST_CASE("values of every type and the tensors are read") {
  Files files;
  const GgufFile file(write_bytes(files.path(), sample().bytes()));
  const GgufMetadata& m = file.metadata();
  CHECK(m.whole("u8", 0) == 200);
  CHECK(m.whole("i8", 0) == -3);
  CHECK(m.whole("u16", 0) == 60000);
  CHECK(m.whole("i16", 0) == -300);
  CHECK(m.whole("u32", 0) == 4000000000);
  CHECK(m.whole("i32", 0) == -70000);
  CHECK(m.whole("u64", 0) == 1ll << 40);
  CHECK(m.whole("i64", 0) == -5);
  CHECK(m.whole("bool", 0) == 1);
  CHECK(m.number("f32", 0) == 0.5);
  CHECK(m.number("f64", 0) == 0.25);
  CHECK(m.number("i8", 0) == -3);
  CHECK(m.text("text", "") == "word");
  CHECK(m.wholes("wholes") == std::vector<int64_t>{1, -2, 3});
  CHECK(m.numbers("wholes") == std::vector<double>{1, -2, 3});
  CHECK(m.numbers("floats") == std::vector<double>{1.5, -2.5});
  CHECK(m.texts("texts") == std::vector<std::string>{"a", "", "bc"});
  CHECK(m.whole("absent", 9) == 9);
  CHECK_THROWS_WITH_AS(m.whole("text", 0), doctest::Contains("'text' holds another type, expected a whole number"), Error);
  CHECK_THROWS_AS(m.texts("wholes"), Error);
  REQUIRE(file.tensors().size() == 2);
  CHECK(file.tensors()[0].shape == std::vector<uint64_t>{2, 3});
  CHECK(file.read_rows(file.tensors()[0], 1, 1) == std::vector<float>{4, 5, 6});
  CHECK(file.tensors()[1].shape == std::vector<uint64_t>{2, 32});
}

TEST_CASE("version 2 is read like version 3; others and other files are refused by what they are") {
  Files files;
  GgufBuilder b = sample();
  b.version = 2;
  CHECK(files.refusal(b) == "");
  b.version = 1;
  CHECK(says(files.refusal(b), "GGUF version 1, expected 2 or 3"));
  b.version = 0x03000000;
  CHECK(says(files.refusal(b), "big-endian"));
  b.magic = "GGML";
  CHECK(says(files.refusal(b), "is not a GGUF file"));
}

TEST_CASE("a file that ends anywhere too early is refused") {
  Files files;
  const std::string whole = sample().bytes();
  CHECK(files.refusal(whole) == "");
  for (size_t length = 0; length < whole.size(); ++length) {
    CAPTURE(length);
    CHECK(says(files.refusal(whole.substr(0, length)), length < sample().header().size() ? "" : "truncated"));
    CHECK(files.refusal(whole.substr(0, length)) != "");
  }
}

TEST_CASE("whatever byte is changed, the file is read or refused in words") {
  Files files;
  const std::string whole = sample().bytes();
  size_t refused = 0;
  for (size_t at = 0; at < sample().header().size(); ++at)
    for (int value : {0x00, 0x01, 0x7f, 0x80, 0xff}) {
      std::string changed = whole;
      changed[at] = static_cast<char>(value);
      refused += files.refusal(changed) != "";
    }
  CHECK(refused > 500);
}

TEST_CASE("counts and lengths beyond the file are refused before anything is taken for them") {
  Files files;
  const std::string whole = sample().bytes();
  auto with = [&](size_t at, uint64_t value) {
    std::string changed = whole;
    std::memcpy(changed.data() + at, &value, sizeof value);
    return files.refusal(changed);
  };
  for (uint64_t huge : {uint64_t{1} << 40, uint64_t{1} << 63, UINT64_MAX}) {
    CHECK(says(with(8, huge), "its header counts " + std::to_string(huge) + " tensors"));
    CHECK(says(with(16, huge), "expected no more than fit the file"));
    CHECK(says(with(24, huge), "a key at byte 24"));
    GgufBuilder b;
    CHECK(says(files.refusal(b.pair("many", 9, raw<uint32_t>(0) + raw(huge))), "key 'many' is a list of"));
    b.pairs.clear();
    CHECK(says(files.refusal(b.pair("many", 9, raw<uint32_t>(8) + raw(huge))), "key 'many' is a list of"));
    b.pairs.clear();
    CHECK(says(files.refusal(b.pair("long", 8, raw(huge))), "a string at byte"));
  }
}

TEST_CASE("malformed pairs are refused by their key") {
  Files files;
  auto with = [&](uint32_t type, const std::string& value) {
    return files.refusal(GgufBuilder().pair("culprit", type, value + std::string(64, '\0')));
  };
  CHECK(says(with(13, ""), "key 'culprit' has value type 13"));
  CHECK(says(with(9, raw<uint32_t>(99) + raw<uint64_t>(1)), "key 'culprit' has value type 99"));
  CHECK(says(with(9, raw<uint32_t>(9) + raw<uint64_t>(1)), "key 'culprit' is a list of lists"));
  CHECK(says(with(7, raw<uint8_t>(2)), "key 'culprit' is a truth value of 2"));
  CHECK(says(files.refusal(GgufBuilder().whole("twice", 1).whole("twice", 2)), "key 'twice' stands there twice"));
  for (uint32_t alignment : {0u, 3u, 33u, 0x80000000u})
    CHECK(says(files.refusal(GgufBuilder().whole("general.alignment", alignment)), "general.alignment is " + std::to_string(alignment)));
  CHECK(says(files.refusal(GgufBuilder().text("general.alignment", "32")), "'general.alignment' holds another type"));
}

TEST_CASE("malformed tensors are refused by their name") {
  Files files;
  auto with = [&](auto change) {
    GgufBuilder b = sample();
    change(b.tensors[1]);
    return files.refusal(b);
  };
  using Tensor = GgufBuilder::Tensor;
  CHECK(says(with([](Tensor& t) { t.name = "first"; }), "tensor 'first' stands there twice"));
  CHECK(says(with([](Tensor& t) { t.dimensions = {}; }), "tensor 'second' has 0 dimensions"));
  CHECK(says(with([](Tensor& t) { t.dimensions = {32, 1, 1, 1, 2}; }), "tensor 'second' has 5 dimensions"));
  CHECK(says(with([](Tensor& t) { t.dimensions = {32, 0}; }), "tensor 'second' has a dimension of 0"));
  CHECK(says(with([](Tensor& t) { t.dimensions = {33, 2}; }), "tensor 'second' has rows of 33 values, expected a multiple of 32"));
  CHECK(says(with([](Tensor& t) { t.dimensions = {32, 1ull << 62}; }), "tensor 'second' has a shape that overflows"));
  CHECK(says(with([](Tensor& t) { t.dimensions = {1ull << 32, 1ull << 32}; }), "tensor 'second' has a shape that overflows"));
  CHECK(says(with([](Tensor& t) { t.dimensions = {32, 1ull << 40}; }), "tensor 'second' of"));
  CHECK(says(with([](Tensor& t) { t.type = 16; }), "tensor 'second' is stored as iq2_xxs"));
  CHECK(says(with([](Tensor& t) { t.type = 77; }), "tensor 'second' is of type 77"));
  CHECK(says(with([](Tensor& t) { t.offset += 1; }), "tensor 'second' begins at 33, expected a multiple of 32"));
  CHECK(says(with([](Tensor& t) { t.offset = UINT64_MAX - 31; }), "tensor 'second' of 68 bytes does not lie in the file"));
  CHECK(says(with([](Tensor& t) { t.offset = 0; }), "tensors 'first' and 'second' overlap"));
}

TEST_CASE("another alignment moves the data") {
  Files files;
  GgufBuilder b;
  b.alignment = 256;
  b.whole("general.alignment", 256).floats("a", {3}, {1, 2, 3}).floats("b", {1}, {4});
  const GgufFile file(write_bytes(files.path(), b.bytes()));
  CHECK(file.tensors()[1].offset % 256 == 0);
  CHECK(file.read_rows(file.tensors()[0], 0, 1) == std::vector<float>{1, 2, 3});
  CHECK(file.read_rows(file.tensors()[1], 0, 1) == std::vector<float>{4});
}
