#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "linnet/generate.h"

using namespace linnet;

namespace {

Sampler sampler(size_t vocabulary, const Sampling& sampling) {
  auto made = Sampler::create(vocabulary, sampling);
  REQUIRE(made.ok());
  return std::move(*made);
}

std::vector<double> frequencies(const std::vector<float>& logits, const Sampling& sampling, int draws = 20000) {
  Sampler s = sampler(logits.size(), sampling);
  std::vector<double> counts(logits.size());
  for (int i = 0; i < draws; ++i) counts[static_cast<size_t>(s.draw(logits, {}))] += 1.0 / draws;
  return counts;
}

}  // namespace

TEST_CASE("greedy takes the largest logit, the lower id on ties, and never NaN") {
  Sampler s = sampler(5, {});
  CHECK(s.draw(std::vector<float>{0, 3, 1, 3, 2}, {}) == 1);
  CHECK(s.draw(std::vector<float>{NAN, -5, NAN, -4, NAN}, {}) == 3);
  CHECK(s.draw(std::vector<float>{NAN, NAN, NAN, NAN, NAN}, {}) == 0);
  float infinity = std::numeric_limits<float>::infinity();
  CHECK(s.draw(std::vector<float>{0, 1, infinity, 2, infinity}, {}) == 2);
}

TEST_CASE("draws follow the softmax of logits over temperature") {
  std::vector<float> logits = {0.0f, std::log(2.0f), std::log(5.0f)};
  Sampling sampling;
  sampling.temperature = 1;
  auto seen = frequencies(logits, sampling);
  CHECK(seen[0] == doctest::Approx(1 / 8.0).epsilon(0.1));
  CHECK(seen[1] == doctest::Approx(2 / 8.0).epsilon(0.1));
  CHECK(seen[2] == doctest::Approx(5 / 8.0).epsilon(0.1));
  sampling.temperature = 0.5f;   // squares the odds: 1, 4, 25
  seen = frequencies(logits, sampling);
  CHECK(seen[2] == doctest::Approx(25 / 30.0).epsilon(0.05));
}

TEST_CASE("top-k, top-p and min-p keep only the most probable") {
  std::vector<float> logits = {std::log(4.0f), std::log(3.0f), std::log(2.0f), std::log(1.0f)};
  Sampling k;
  k.temperature = 1, k.top_k = 2;
  auto seen = frequencies(logits, k);
  CHECK(seen[2] + seen[3] == 0);
  CHECK(seen[0] == doctest::Approx(4 / 7.0).epsilon(0.05));
  Sampling p;
  p.temperature = 1, p.top_p = 0.65f;   // 4/10 + 3/10 reach it
  seen = frequencies(logits, p);
  CHECK(seen[2] + seen[3] == 0);
  CHECK(seen[1] > 0);
  Sampling m;
  m.temperature = 1, m.min_p = 0.4f;    // 2/4 stays, 1/4 goes
  seen = frequencies(logits, m);
  CHECK(seen[3] == 0);
  CHECK(seen[2] > 0);
}

TEST_CASE("the same seed draws the same ids, another seed others") {
  std::vector<float> logits(100, 0.0f);
  Sampling sampling;
  sampling.temperature = 1;
  std::vector<int32_t> first, again, other;
  Sampler a = sampler(100, sampling), b = sampler(100, sampling);
  sampling.seed = 1;
  Sampler c = sampler(100, sampling);
  for (int i = 0; i < 20; ++i) {
    first.push_back(a.draw(logits, {}));
    again.push_back(b.draw(logits, {}));
    other.push_back(c.draw(logits, {}));
  }
  CHECK(first == again);
  CHECK(first != other);
}

TEST_CASE("the repetition penalty lowers ids of the history once each") {
  Sampling sampling;
  sampling.repetition_penalty = 2;
  Sampler s = sampler(3, sampling);
  std::vector<float> logits = {3.0f, 2.0f, -1.0f};
  CHECK(s.draw(logits, std::vector<int32_t>{0}) == 1);          // 1.5 < 2
  CHECK(s.draw(logits, std::vector<int32_t>{1, 1, 2}) == 0);
  CHECK(s.draw(logits, std::vector<int32_t>{0, 0, 1, 1}) == 0); // 1.5 against 1, not 0.75 against 0.5
  CHECK(s.draw(logits, std::vector<int32_t>{99, -1}) == 0);     // ids outside are nobody's
}

TEST_CASE("options out of range are refused by name") {
  Sampling sampling;
  sampling.temperature = -1;
  CHECK(std::string(Sampler::create(3, sampling).status().message()).find("temperature") != std::string::npos);
  sampling = {};
  sampling.top_p = 0;
  CHECK(std::string(Sampler::create(3, sampling).status().message()).find("top_p") != std::string::npos);
  sampling = {};
  sampling.min_p = 1.5f;
  CHECK(std::string(Sampler::create(3, sampling).status().message()).find("min_p") != std::string::npos);
  sampling = {};
  sampling.repetition_penalty = 0;
  CHECK(Sampler::create(3, sampling).status().code() == Code::invalid_argument);
  CHECK(Sampler::create(0, {}).status().code() == Code::invalid_argument);
}
