#include "convert/readers/gguf_blocks.h"

#include <doctest/doctest.h>

#include <cmath>

#include "convert/checkpoint.h"
#include "convert/gguf_builder.h"
#include "convert/golden_case.h"
#include "convert/readers/safetensors.h"

using namespace linnet;
using namespace linnet::convert;

namespace {

std::vector<float> expand(uint32_t type, const std::string& bytes, size_t count) {
  std::vector<float> values(count);
  expand_blocks(gguf_type(type, "it"), reinterpret_cast<const uint8_t*>(bytes.data()), count, values.data());
  return values;
}

const std::string kOne = raw<uint16_t>(0x3c00), kHalf = raw<uint16_t>(0x3800);  // 1.0 and 0.5 in half precision

}  // namespace

TEST_CASE("blocks decode to the reference's values") {
  const std::filesystem::path folder = shared_folder() / "goldens" / "gguf_blocks";
  if (!std::filesystem::exists(folder)) {
    MESSAGE("skipped: there is no shared data");
    return;
  }
  const nlohmann::json description = nlohmann::json::parse(std::ifstream(folder / "blocks.json"));
  CHECK(description["types"].size() == 15);
  for (const auto& [name, entry] : description["types"].items()) {
    const auto& of_name = name;
    CAPTURE(of_name);
    const SafetensorsFile file((folder / (name + ".safetensors")).string());
    const std::vector<float> stored = file.read("blocks"), expected = file.read("expected");
    std::string bytes;
    for (float byte : stored) bytes += static_cast<char>(static_cast<uint8_t>(byte));
    const GgufType& type = gguf_type(entry["type_id"], "it");
    CHECK(type.name == name);
    CHECK(type.values == entry["block_values"]);
    CHECK(type.bytes == entry["block_bytes"]);
    REQUIRE(bytes.size() / type.bytes * type.values == expected.size());
    const std::vector<float> values = expand(entry["type_id"], bytes, expected.size());
    size_t wrong = 0;
    for (size_t i = 0; i < values.size(); ++i) wrong += !(values[i] == expected[i] || (std::isnan(values[i]) && std::isnan(expected[i])));
    CHECK(wrong == 0);
  }
}

TEST_CASE("the low nibbles of 32 values come before the high ones") {
  std::string nibbles;
  for (int i = 0; i < 16; ++i) nibbles += static_cast<char>(i | (15 - i) << 4);
  const std::vector<float> q4_0 = expand(2, kHalf + nibbles, 32), q4_1 = expand(3, kHalf + kOne + nibbles, 32);
  for (int i = 0; i < 16; ++i) {
    CHECK(q4_0[i] == 0.5f * static_cast<float>(i - 8));
    CHECK(q4_0[16 + i] == 0.5f * static_cast<float>(7 - i));
    CHECK(q4_1[i] == 0.5f * static_cast<float>(i) + 1);
  }
  // The fifth bits: of value 0 and of value 31.
  const std::vector<float> q5_0 = expand(6, kOne + raw<uint32_t>(0x80000001u) + nibbles, 32);
  CHECK(q5_0[0] == 0);
  CHECK(q5_0[1] == -15);
  CHECK(q5_0[31] == 0);
}

TEST_CASE("blocks follow one another") {
  const std::vector<float> two = expand(8, kOne + std::string(32, '\x02') + kHalf + std::string(32, '\xff'), 64);
  CHECK(two[31] == 2);
  CHECK(two[32] == -0.5f);
}

TEST_CASE("types that are not read are refused by name, unknown ones by number") {
  CHECK_THROWS_WITH_AS(gguf_type(23, "tensor 'x'"), doctest::Contains("tensor 'x' is stored as iq4_xs, which is not read"), Error);
  CHECK_THROWS_WITH_AS(gguf_type(34, "it"), doctest::Contains("tq1_0"), Error);
  CHECK_THROWS_WITH_AS(gguf_type(26, "it"), doctest::Contains("i32"), Error);
  for (uint32_t id : {31u, 41u, 255u, UINT32_MAX})
    CHECK_THROWS_WITH_AS(gguf_type(id, "it"), doctest::Contains(("of type " + std::to_string(id)).c_str()), Error);
}
