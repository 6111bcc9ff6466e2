#include "convert/rope_config.h"

#include <doctest/doctest.h>

#include <cmath>

#include "core/limits.h"

using namespace linnet;
using namespace linnet::convert;
using schema::RotaryScaling;

namespace {

Rope read(const Json& json, uint32_t head_width = 16) { return rope_from_config(Config(json), head_width); }

}  // namespace

TEST_CASE("without any key the family's base rotates every channel") {
  Rope rope = rope_from_config(Config(Json::object()), 24, 500000);
  CHECK(rope.scaling == RotaryScaling::none);
  CHECK(rope.width == 24);
  CHECK(rope.base == 500000);
  CHECK(rope.reach(64) == 64);
}

TEST_CASE("both spellings of config.json mean the same") {
  Rope old_way = read({{"rope_theta", 20000}, {"rope_scaling", {{"type", "linear"}, {"factor", 4.0}}}, {"partial_rotary_factor", 0.5}});
  Rope new_way =
      read({{"rope_parameters", {{"rope_type", "linear"}, {"factor", 4.0}, {"rope_theta", 20000}, {"partial_rotary_factor", 0.5}}}});
  for (const Rope& rope : {old_way, new_way}) {
    CHECK(rope.scaling == RotaryScaling::linear);
    CHECK(rope.factor == 4);
    CHECK(rope.base == 20000);
    CHECK(rope.width == 8);
  }
}

TEST_CASE("rope_scaling wins over rope_parameters, rope_type over type, null over nothing") {
  Rope rope = read({{"rope_scaling", {{"rope_type", "linear"}, {"type", "dynamic"}, {"factor", 2}}},
                    {"rope_parameters", {{"rope_type", "yarn"}}},
                    {"max_position_embeddings", 64}});
  CHECK(rope.scaling == RotaryScaling::linear);
  CHECK(read({{"rope_scaling", nullptr}}).scaling == RotaryScaling::none);
}

TEST_CASE("dynamic scaling begins at max_position_embeddings and reaches factor times as far") {
  Rope rope = read({{"max_position_embeddings", 128}, {"rope_scaling", {{"type", "dynamic"}, {"factor", 2.5}}}});
  CHECK(rope.scaling == RotaryScaling::dynamic);
  CHECK(rope.original_positions == 128);
  CHECK(rope.depends_on_length());
  CHECK(rope.reach(128) == 320);
}

TEST_CASE("llama3 needs all its factors") {
  Json scaling = {
      {"rope_type", "llama3"}, {"factor", 8}, {"low_freq_factor", 1}, {"high_freq_factor", 4}, {"original_max_position_embeddings", 32}};
  Rope rope = read({{"max_position_embeddings", 256}, {"rope_scaling", scaling}});
  CHECK(rope.original_positions == 32);
  CHECK(rope.high_frequency_factor == 4);
  CHECK(rope.low_frequency_factor == 1);
  scaling.erase("low_freq_factor");
  CHECK_THROWS_WITH_AS(read({{"max_position_embeddings", 256}, {"rope_scaling", scaling}}), doctest::Contains("low_freq_factor is missing"),
                       Error);
}

TEST_CASE("yarn evaluates its attention factor") {
  auto with = [](Json scaling) {
    scaling["type"] = "yarn";
    return read({{"max_position_embeddings", 128}, {"rope_scaling", scaling}});
  };
  Rope plain = with({{"factor", 4}, {"original_max_position_embeddings", 32}});
  CHECK(plain.attention_factor == doctest::Approx(0.1 * std::log(4.0) + 1));
  CHECK(plain.beta_fast == 32);
  CHECK(plain.beta_slow == 1);
  CHECK(plain.truncate);
  CHECK(with({{"factor", 4}, {"attention_factor", 0.75}}).attention_factor == 0.75f);
  CHECK(with({{"factor", 0.5}}).attention_factor == 1);
  CHECK_FALSE(with({{"factor", 4}, {"truncate", false}}).truncate);
  Rope both = with({{"factor", 4}, {"mscale", 0.7}, {"mscale_all_dim", 0.5}});
  CHECK(both.attention_factor == doctest::Approx((0.07 * std::log(4.0) + 1) / (0.05 * std::log(4.0) + 1)));
  CHECK(with({{"original_max_position_embeddings", 16}}).factor == 8);  // the ratio of both lengths
}

TEST_CASE("longrope keeps two lists of divisors, and a top-level original length wins") {
  Json scaling = {{"type", "su"}, {"short_factor", {1, 1.5}}, {"long_factor", {2, 3}}, {"original_max_position_embeddings", 99}};
  Json config = {{"max_position_embeddings", 64}, {"original_max_position_embeddings", 16}, {"rope_scaling", scaling}};
  Rope rope = read(config, 4);
  CHECK(rope.scaling == RotaryScaling::longrope);
  CHECK(rope.original_positions == 16);
  CHECK(rope.long_factors == std::vector<float>{2, 3});
  CHECK(rope.attention_factor == doctest::Approx(std::sqrt(1 + std::log(4.0) / std::log(16.0))));
  CHECK_THROWS_WITH_AS(read(config, 8), doctest::Contains("short_factor"), Error);
}

TEST_CASE("a scaling reaches what it stretches the trained positions to, and never less than the model's own") {
  auto reach = [](const Json& scaling, uint32_t positions, Json more = Json::object()) {
    more["max_position_embeddings"] = positions;
    more["rope_scaling"] = scaling;
    return read(more, 4).reach(positions);
  };
  const Json yarn = {{"type", "yarn"}, {"factor", 4.0}, {"original_max_position_embeddings", 32}};
  CHECK(reach(yarn, 32) == 128);
  CHECK(reach(yarn, 100) == 128);
  CHECK(reach(yarn, 200) == 200);
  CHECK(reach({{"type", "yarn"}, {"factor", 2.5}}, 65) == 162);  // floor(162.5); without a length of its own it is the model's
  CHECK(reach({{"type", "yarn"}, {"original_max_position_embeddings", 32}}, 96) == 96);
  const Json longrope = {{"type", "longrope"}, {"short_factor", {1, 1}}, {"long_factor", {2, 2}}, {"original_max_position_embeddings", 32}};
  CHECK(reach(longrope, 96) == 96);
  Json stretched = longrope;
  stretched["factor"] = 8;
  CHECK(reach(stretched, 32) == 256);
  CHECK(reach(stretched, 512) == 512);
  CHECK(reach({{"type", "linear"}, {"factor", 4.0}}, 64) == 64);
  CHECK(reach({{"type", "linear"}, {"factor", 4.0}}, 64, {{"max_sequence_length", 256}}) == 256);
  CHECK(reach({{"type", "linear"}, {"factor", 4.0}}, 64, {{"max_sequence_length", 32}}) == 64);
  for (int none : {0, -1}) CHECK(reach({{"type", "linear"}, {"factor", 4.0}}, 64, {{"max_sequence_length", none}}) == 64);
  CHECK(reach({{"type", "linear"}, {"factor", 4.0}, {"original_max_position_embeddings", 32}}, 64) == 128);
  CHECK(reach({{"type", "dynamic"}, {"factor", 0.5}}, 64) == 64);
  const Json llama3 = {
      {"type", "llama3"}, {"factor", 32}, {"low_freq_factor", 1}, {"high_freq_factor", 4}, {"original_max_position_embeddings", 32}};
  CHECK(reach(llama3, 64) == 64);
  CHECK(reach({{"type", "yarn"}, {"factor", 1e30}}, 64) == core::limits::kContext);
  CHECK(reach({{"type", "linear"}, {"factor", 2.0}}, 2000000000) == core::limits::kContext);
}

TEST_CASE("what is not known is refused by name") {
  const Json alpha = {{"type", "dynamic"}, {"factor", 1.0}, {"alpha", 1000.0}};
  CHECK_THROWS_WITH_AS(read({{"max_position_embeddings", 64}, {"rope_scaling", alpha}}), doctest::Contains("alpha is 1000.0"), Error);
  CHECK_THROWS_WITH_AS(read({{"rope_scaling", {{"type", "ntk-by-magic"}}}}), doctest::Contains("\"ntk-by-magic\""), Error);
  CHECK_THROWS_WITH_AS(read({{"rope_scaling", {{"type", "linear"}}}}), doctest::Contains("factor is missing"), Error);
  CHECK_THROWS_WITH_AS(read({{"rope_scaling", {{"type", "linear"}, {"factor", 0}}}}), doctest::Contains("factor is 0"), Error);
  CHECK_THROWS_WITH_AS(read({{"rope_scaling", 3}}), doctest::Contains("rope_scaling is 3"), Error);
  CHECK_THROWS_WITH_AS(read({{"rope_parameters", {{"full_attention", {{"rope_theta", 1e6}}}}}}), doctest::Contains("full_attention"),
                       Error);
  CHECK_THROWS_WITH_AS(read({{"partial_rotary_factor", 0.2}}), doctest::Contains("3 of 16 channels"), Error);
}
