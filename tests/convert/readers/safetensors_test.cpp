#include "convert/readers/safetensors.h"

#include <doctest/doctest.h>

#include "convert/checkpoint_folder.h"
#include "convert/gguf_builder.h"

using namespace linnet;
using namespace linnet::convert;

namespace {

std::string file_of(const std::string& header, const std::string& data) { return raw<uint64_t>(header.size()) + header + data; }

std::string one(const std::string& type, const std::string& shape, size_t begin, size_t end) {
  return R"({"culprit":{"dtype":")" + type + R"(","shape":)" + shape + R"(,"data_offsets":[)" + std::to_string(begin) + "," +
         std::to_string(end) + "]}}";
}

class Files {
 public:
  std::string refusal(const std::string& bytes) {
    try {
      SafetensorsFile file(write_bytes(path_, bytes));
      for (const auto& [name, entry] : file.entries()) file.read(name);
    } catch (const Error& error) {
      CHECK(std::string(error.what()).find(path_) == 0);
      return error.what();
    }
    return "";
  }
  std::vector<float> read(const std::string& type, const std::string& shape, const std::string& data) {
    return SafetensorsFile(write_bytes(path_, file_of(one(type, shape, 0, data.size()), data))).read("culprit");
  }

 private:
  CheckpointFolder folder_{"safetensors"};
  std::string path_ = folder_.path("model.safetensors");
};

bool says(const std::string& text, const std::string& words) { return text.find(words) != std::string::npos; }

using Floats = std::vector<float>;

}  // namespace

TEST_CASE("numbers of every type are read as f32") {
  Files files;
  CHECK(files.read("F32", "[2]", raw(1.5f) + raw(-2.0f)) == Floats{1.5f, -2});
  CHECK(files.read("F64", "[2]", raw(0.1) + raw(-1e300)) == Floats{0.1f, -INFINITY});
  CHECK(files.read("F16", "[3]", raw<uint16_t>(0x3c00) + raw<uint16_t>(0x0001) + raw<uint16_t>(0xfbff)) == Floats{1, 0x1p-24f, -65504});
  CHECK(files.read("BF16", "[2]", raw<uint16_t>(0x3f80) + raw<uint16_t>(0xc049)) == Floats{1, -3.140625f});
  CHECK(files.read("I64", "[1]", raw<int64_t>(-3)) == Floats{-3});
  CHECK(files.read("U64", "[1]", raw<uint64_t>(1ull << 63)) == Floats{0x1p63f});
  CHECK(files.read("I32", "[1]", raw<int32_t>(-70000)) == Floats{-70000});
  CHECK(files.read("U32", "[1]", raw<uint32_t>(4000000000u)) == Floats{4e9f});
  CHECK(files.read("I16", "[1]", raw<int16_t>(-5)) == Floats{-5});
  CHECK(files.read("U16", "[1]", raw<uint16_t>(65535)) == Floats{65535});
  CHECK(files.read("I8", "[2]", raw<int8_t>(-128) + raw<int8_t>(7)) == Floats{-128, 7});
  CHECK(files.read("U8", "[1]", raw<uint8_t>(255)) == Floats{255});
  CHECK(files.read("BOOL", "[2]", raw<uint8_t>(1) + raw<uint8_t>(0)) == Floats{1, 0});
  CHECK(files.read("F32", "[]", raw(7.0f)) == Floats{7});
  CHECK(files.read("F32", "[3,0]", "").empty());
}

TEST_CASE("metadata is passed over and padding behind the header allowed") {
  Files files;
  CHECK(files.refusal(file_of(R"({"__metadata__":{"format":"pt"},"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}   )", "ab")) == "");
  CHECK(files.refusal(file_of("{}", "")) == "");
}

TEST_CASE("a file that ends anywhere too early is refused") {
  Files files;
  const std::string whole = file_of(one("F32", "[2,2]", 0, 16), std::string(16, '\1'));
  CHECK(files.refusal(whole) == "");
  for (size_t length = 0; length < whole.size(); ++length) CHECK(files.refusal(whole.substr(0, length)) != "");
  CHECK(says(files.refusal(whole.substr(0, whole.size() - 1)), "tensor 'culprit': ends at byte 16 of 15: the file is truncated"));
}

TEST_CASE("whatever byte is changed, the file is read or refused in words") {
  Files files;
  const std::string header =
      R"({"a":{"dtype":"F16","shape":[1,2],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[3],"data_offsets":[4,7]}})";
  const std::string whole = file_of(header, "1234567");
  size_t refused = 0;
  for (size_t at = 0; at < 8 + header.size(); ++at)
    for (char value : {'\0', '0', '9', '-', '[', '{', '"', '\x80', '\xff'}) {
      std::string changed = whole;
      changed[at] = value;
      refused += files.refusal(changed) != "";
    }
  CHECK(refused > 500);
}

TEST_CASE("headers that are too long, no JSON or no object are refused") {
  Files files;
  for (uint64_t length : {uint64_t{100}, uint64_t{1} << 40, UINT64_MAX})
    CHECK(says(files.refusal(raw(length) + "{}"), "its header of " + std::to_string(length) + " bytes is not there"));
  CHECK(says(files.refusal("short"), "too short"));
  CHECK(says(files.refusal(file_of("{\"a\":", "")), "is not JSON"));
  CHECK(says(files.refusal(file_of("\x01\x02", "")), "is not JSON"));
  CHECK(says(files.refusal(file_of("\"\xff\"", "")), "is not JSON"));
  CHECK(says(files.refusal(file_of("[1]", "")), "not a JSON object"));
  CHECK(says(files.refusal(file_of(std::string(100000, '['), "")), "nested deeper than 64"));
  CHECK(says(files.refusal(file_of(
                 R"({"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}})", "")),
             "the key 'a' stands there twice"));
}

TEST_CASE("malformed tensors are refused by their name") {
  Files files;
  auto with = [&](const std::string& entry) { return files.refusal(file_of(R"({"culprit":)" + entry + "}", std::string(16, 'x'))); };
  auto names = [](const std::string& text, const std::string& words) { return says(text, "tensor 'culprit'") && says(text, words); };
  CHECK(names(with("3"), "malformed"));
  CHECK(names(with(R"({"shape":[1],"data_offsets":[0,4]})"), "dtype"));
  CHECK(names(with(R"({"dtype":"F32","data_offsets":[0,4]})"), "shape"));
  CHECK(names(with(R"({"dtype":"F32","shape":[1]})"), "data_offsets"));
  CHECK(names(with(R"({"dtype":7,"shape":[1],"data_offsets":[0,4]})"), "malformed"));
  CHECK(names(with(R"({"dtype":"F32","shape":{"a":1},"data_offsets":[0,4]})"), "its shape is not a list"));
  CHECK(names(with(R"({"dtype":"F32","shape":[-1],"data_offsets":[0,4]})"), "whole numbers"));
  CHECK(names(with(R"({"dtype":"F32","shape":[1.5],"data_offsets":[0,4]})"), "whole numbers"));
  CHECK(names(with(R"({"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,4]})"), "overflows"));
  CHECK(names(with(R"({"dtype":"F64","shape":[2305843009213693952],"data_offsets":[0,4]})"), "overflows"));
  CHECK(names(with(R"({"dtype":"F32","shape":[1],"data_offsets":[0]})"), "two whole numbers"));
  CHECK(names(with(R"({"dtype":"F32","shape":[1],"data_offsets":{"0":0,"1":4}})"), "two whole numbers"));
  CHECK(names(with(R"({"dtype":"F32","shape":[1],"data_offsets":[4,0]})"), "do not hold"));
  CHECK(names(with(R"({"dtype":"F32","shape":[1],"data_offsets":[0,5]})"), "do not hold the 4 bytes"));
  CHECK(names(with(R"({"dtype":"F32","shape":[1],"data_offsets":[16,20]})"), "ends at byte 20 of 16"));
  CHECK(names(with(R"({"dtype":"F32","shape":[1],"data_offsets":[18446744073709551612,18446744073709551616]})"), "whole numbers"));
  CHECK(names(with(R"({"dtype":"C64","shape":[1],"data_offsets":[0,8]})"), "C64, which is not read"));
  CHECK(names(with(R"({"dtype":"F8_E4M3","shape":[1],"data_offsets":[0,1]})"), "F8_E4M3, which is not read"));
}

TEST_CASE("tensors that overlap are refused by both names") {
  Files files;
  const std::string header = R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":[3,7]}})";
  CHECK(says(files.refusal(file_of(header, "1234567")), "tensors 'a' and 'b' overlap"));
}
