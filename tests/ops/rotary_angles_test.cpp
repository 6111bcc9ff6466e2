#include <doctest/doctest.h>

#include <cmath>
#include <functional>

#include "trial.h"

using namespace linnet;
using namespace linnet::test;
using schema::RotaryScaling;

namespace {

constexpr double kPi = 3.14159265358979323846;

/// RotaryAngles' options with names instead of positions.
struct Rule {
  uint32_t width = 16;
  float base = 10000;
  RotaryScaling scaling = RotaryScaling::none;
  float factor = 1, low = 1, high = 4, beta_fast = 32, beta_slow = 1;
  bool truncate = true;
  float attention_factor = 1;
  uint32_t original = 0;
  int32_t short_factors = -1, long_factors = -1;
  std::vector<uint32_t> sections = {};
  bool grid = false;
  uint32_t columns() const { return grid ? 4 : sections.empty() ? 1 : 3; }

  auto create() const {
    return [this](flatbuffers::FlatBufferBuilder& builder) {
      return schema::CreateRotaryAnglesDirect(builder, width, base, scaling, factor, low, high, beta_fast, beta_slow, truncate,
                                              attention_factor, original, short_factors, long_factors,
                                              sections.empty() ? nullptr : &sections, grid);
    };
  }
};

/// cos and sin of position * frequency(i), at every position.
void check_angles(Trial& trial, const Rule& rule, const std::vector<int32_t>& positions, const std::vector<int32_t>& lengths,
                  const std::function<double(size_t row, uint32_t i)>& angle) {
  trial.counts[Symbol::tokens] = {static_cast<uint32_t>(positions.size()) / rule.columns()};
  std::vector<uint32_t> in = {
      trial.input(positions, rule.columns(), 1 << 20, tokens(), rule.grid ? schema::Role::image_positions : schema::Role::positions)};
  if (!lengths.empty()) in.push_back(trial.input(lengths, 1, 1 << 20, tokens(), schema::Role::lengths));
  const uint32_t out = trial.output(rule.width);
  trial.operation<schema::RotaryAngles>(rule.create(), in, {out});
  trial.wants(out);
  const Status status = trial.verify();
  REQUIRE_MESSAGE(status.ok(), status.message());
  trial.run();
  const auto got = trial.result(out);
  const uint32_t half = rule.width / 2;
  for (size_t row = 0; row < trial.rows(out); ++row)
    for (uint32_t i = 0; i < half; ++i) {
      CAPTURE(row);
      CAPTURE(i);
      const double exact = angle(row, i), factor = static_cast<double>(rule.attention_factor);
      // The angle is a float: half a step of it is half a step of the result.
      const double tolerance = 1e-6 + 1.3e-7 * std::fabs(exact);
      REQUIRE(std::fabs(got[row * rule.width + i] - factor * std::cos(exact)) <= tolerance);
      REQUIRE(std::fabs(got[row * rule.width + half + i] - factor * std::sin(exact)) <= tolerance);
    }
}

const std::vector<int32_t> kPositions = {0, 1, 2, 17, 130, 4095, 7000};

double plain(const Rule& rule, uint32_t i) { return std::pow(static_cast<double>(rule.base), -2.0 * i / rule.width); }

}  // namespace

TEST_CASE("angles without scaling are position times base^(-2i / width)") {
  for (uint32_t width : {2u, 4u, 20u, 128u}) {
    Trial trial;
    const Rule rule{.width = width, .base = 500000};
    check_angles(trial, rule, kPositions, {}, [&](size_t row, uint32_t i) { return kPositions[row] * plain(rule, i); });
  }
}

TEST_CASE("linear scaling divides frequencies, factor tensors do so one by one") {
  Trial linear;
  const Rule rule{.scaling = RotaryScaling::linear, .factor = 4};
  check_angles(linear, rule, kPositions, {}, [&](size_t row, uint32_t i) { return kPositions[row] * plain(rule, i) / 4; });

  Trial factors;
  Rule with_factors;
  with_factors.short_factors = factors.tensor("factors", 1, 8, {1, 1.5f, 2, 3, 5, 8, 13, 21});
  check_angles(factors, with_factors, kPositions, {}, [&](size_t row, uint32_t i) {
    const double divisors[] = {1, 1.5, 2, 3, 5, 8, 13, 21};
    return kPositions[row] * plain(with_factors, i) / divisors[i];
  });
}

TEST_CASE("llama3 keeps short waves, stretches long ones and blends those between") {
  Trial trial;
  const Rule rule{.width = 64, .base = 500000, .scaling = RotaryScaling::llama3, .factor = 8, .low = 1, .high = 4, .original = 8192};
  int kept = 0, stretched = 0, blended = 0;
  check_angles(trial, rule, kPositions, {}, [&](size_t row, uint32_t i) {
    const double f = plain(rule, i), wave = 2 * kPi / f;
    double scaled;
    if (wave < 8192.0 / 4)
      scaled = f, ++kept;
    else if (wave > 8192.0 / 1)
      scaled = f / 8, ++stretched;
    else {
      const double t = (8192.0 / wave - 1) / (4 - 1);
      scaled = (1 - t) * f / 8 + t * f, ++blended;
    }
    return kPositions[row] * scaled;
  });
  CHECK(kept > 0);
  CHECK(stretched > 0);
  CHECK(blended > 0);
}

TEST_CASE("yarn ramps from kept to stretched frequencies, with and without whole channel bounds, times its attention factor") {
  // The second rule's ramp would end beyond the last channel, the third's is shorter than nothing.
  const std::vector<Rule> rules = {
      {.width = 64, .base = 150000, .scaling = RotaryScaling::yarn, .factor = 32, .attention_factor = 1.3465735f, .original = 4096},
      {.width = 64, .base = 100, .scaling = RotaryScaling::yarn, .factor = 4, .beta_fast = 4096, .original = 1000000},
      {.width = 4, .scaling = RotaryScaling::yarn, .factor = 4, .beta_fast = 64, .beta_slow = 32, .original = 64}};
  for (bool truncate : {true, false})
    for (Rule rule : rules) {
      CAPTURE(rule.original);
      rule.truncate = truncate;
      Trial trial;
      check_angles(trial, rule, kPositions, {}, [&](size_t row, uint32_t i) {
        const double width = rule.width, base = static_cast<double>(rule.base), factor = static_cast<double>(rule.factor);
        const auto channel = [&](float turns) {
          return width * std::log(rule.original / (static_cast<double>(turns) * 2 * kPi)) / (2 * std::log(base));
        };
        double low = channel(rule.beta_fast), high = channel(rule.beta_slow);
        if (truncate) low = std::floor(low), high = std::ceil(high);
        low = std::max(low, 0.0), high = std::min(high, width - 1);
        if (low == high) high += 0.001;
        const double ramp = std::min(1.0, std::max(0.0, (i - low) / (high - low)));
        return kPositions[row] * (plain(rule, i) / factor * ramp + plain(rule, i) * (1 - ramp));
      });
    }
}

TEST_CASE("dynamic scaling changes the base for sequences beyond the original positions only") {
  const std::vector<int32_t> positions = {5, 5, 700, 700, 700}, lengths = {6, 512, 701, 1500, 701};
  Trial trial;
  const Rule rule{.width = 20, .scaling = RotaryScaling::dynamic, .factor = 2, .original = 512};
  check_angles(trial, rule, positions, lengths, [&](size_t row, uint32_t i) {
    double base = 10000;
    if (lengths[row] > 512) base *= std::pow(2.0 * lengths[row] / 512 - 1, 20.0 / 18);
    return positions[row] * std::pow(base, -2.0 * i / 20);
  });
}

TEST_CASE("longrope takes long factors for sequences beyond the original positions") {
  const std::vector<int32_t> positions = {3, 64, 64, 100}, lengths = {4, 64, 65, 101};
  Trial trial;
  Rule rule{.width = 8, .scaling = RotaryScaling::longrope, .factor = 32, .attention_factor = 1.19f, .original = 64};
  rule.short_factors = trial.tensor("short", 1, 4, {1, 1.1f, 1.25f, 1.5f});
  rule.long_factors = trial.tensor("long", 1, 4, {2, 4, 16, 32});
  check_angles(trial, rule, positions, lengths, [&](size_t row, uint32_t i) {
    const double shorts[] = {1, static_cast<double>(1.1f), 1.25, 1.5}, longs[] = {2, 4, 16, 32};
    return positions[row] * plain(rule, i) / (lengths[row] > 64 ? longs[i] : shorts[i]);
  });
}

TEST_CASE("three-axis angles weave height and width into time") {
  const std::vector<int32_t> positions = {3, 50, 700, 9, 9, 9};  // two rows of (time, height, width)
  Trial trial;
  const Rule rule{.width = 24, .sections = {6, 4, 2}};
  check_angles(trial, rule, positions, {}, [&](size_t row, uint32_t i) {
    size_t axis = 0;
    for (uint32_t h = 1; h < 3 * 4; h += 3) axis = i == h ? 1 : axis;
    for (uint32_t w = 2; w < 3 * 2; w += 3) axis = i == w ? 2 : axis;
    return positions[row * 3 + axis] * plain(rule, i);
  });
}

TEST_CASE("places of a picture turn one half of the angles by their row and the other by their column") {
  const std::vector<int32_t> places = {0, 0, 3, 5, 2, 4, 3, 5, 700, 33, 900, 40};  // three rows of (row, column, rows, columns)
  for (const uint32_t threads : {1u, 3u}) {
    Trial trial;
    trial.threads = threads;
    const Rule rule{.width = 20, .grid = true};
    check_angles(trial, rule, places, {},
                 [&](size_t row, uint32_t i) { return places[row * 4 + (i < 5 ? 0 : 1)] * std::pow(10000.0, -2.0 * (i % 5) / 10); });
  }
}

TEST_CASE("places with scaling, with sections, of another width or for an odd number of pairs are refused") {
  const auto refusal = [](const Rule& rule, uint32_t columns) {
    Trial trial;
    trial.counts[Symbol::tokens] = {1};
    const uint32_t at = trial.input(std::vector<int32_t>(columns), columns, 9, tokens(), schema::Role::image_positions);
    const uint32_t out = trial.output(rule.width);
    trial.operation<schema::RotaryAngles>(rule.create(), {at}, {out});
    return trial.run_verified(out);
  };
  CHECK(refusal({.width = 8, .grid = true}, 4) == "");
  CHECK(refusal({.width = 8, .grid = true}, 3) != "");
  CHECK(refusal({.width = 6, .grid = true}, 4) != "");
  CHECK(refusal({.width = 8, .scaling = RotaryScaling::linear, .grid = true}, 4) != "");
  CHECK(refusal({.width = 8, .sections = {2, 1, 1}, .grid = true}, 4) != "");
}
