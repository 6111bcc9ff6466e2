#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "linnet/sampling.h"

using namespace linnet;

namespace {

Sampler sampler(size_t vocabulary, const Sampling& sampling) {
  auto made = Sampler::create(vocabulary, sampling);
  REQUIRE(made.ok());
  return std::move(*made);
}

std::vector<double> frequencies(const std::vector<float>& logits, const Sampling& sampling, uint64_t draws = 20000) {
  Sampler s = sampler(logits.size(), sampling);
  std::vector<double> counts(logits.size());
  for (uint64_t i = 0; i < draws; ++i) counts[static_cast<size_t>(s.draw(logits, {.before = i}))] += 1.0 / static_cast<double>(draws);
  return counts;
}

/// Every id that is ever drawn.
std::set<int32_t> drawn(const std::vector<float>& logits, const Sampling& sampling, uint64_t draws = 3000) {
  const std::vector<double> seen = frequencies(logits, sampling, draws);
  std::set<int32_t> ids;
  for (size_t i = 0; i < seen.size(); ++i)
    if (seen[i] > 0) ids.insert(static_cast<int32_t>(i));
  return ids;
}

std::vector<float> normal(size_t count, float spread, uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> distribution(0, spread);
  std::vector<float> values(count);
  for (float& value : values) value = distribution(random);
  return values;
}

std::string refusal(const Sampling& sampling) { return Sampler::create(3, sampling).status().message(); }

/// Ids from the most probable on, lower ids first on ties.
std::vector<int32_t> ordered(const std::vector<float>& logits) {
  std::vector<int32_t> ids(logits.size());
  std::iota(ids.begin(), ids.end(), 0);
  std::stable_sort(ids.begin(), ids.end(),
                   [&](int32_t a, int32_t b) { return logits[static_cast<size_t>(a)] > logits[static_cast<size_t>(b)]; });
  return ids;
}

/// The probabilities that are left when a distribution is cut to its fewest best that reach `p`.
std::vector<double> nucleus(const std::vector<float>& logits, double p) {
  double sum = 0, reached = 0;
  for (float logit : logits) sum += std::exp(static_cast<double>(logit));
  std::vector<double> kept(logits.size());
  for (int32_t id : ordered(logits)) {
    if (reached >= p) break;
    kept[static_cast<size_t>(id)] = std::exp(static_cast<double>(logits[static_cast<size_t>(id)])) / sum;
    reached += kept[static_cast<size_t>(id)];
  }
  for (double& probability : kept) probability /= reached;
  return kept;
}

}  // namespace

TEST_CASE("greedy takes the largest logit, the lower id on ties, and never NaN") {
  Sampler s = sampler(5, {});
  CHECK(s.draw(std::vector<float>{0, 3, 1, 3, 2}, {}) == 1);
  CHECK(s.draw(std::vector<float>{NAN, -5, NAN, -4, NAN}, {}) == 3);
  CHECK(s.draw(std::vector<float>{NAN, NAN, NAN, NAN, NAN}, {}) == 0);
  float infinity = std::numeric_limits<float>::infinity();
  CHECK(s.draw(std::vector<float>{0, 1, infinity, 2, infinity}, {}) == 2);
  CHECK(s.draw(std::vector<float>{-infinity, -infinity, -infinity, NAN, -infinity}, {}) == 0);
}

TEST_CASE("the largest logit is found wherever it stands in a row of any length") {
  for (size_t length : {1u, 15u, 16u, 17u, 63u, 64u, 65u, 200u}) {
    Sampler greedy = sampler(length, {}), first_of_one = sampler(length, {.temperature = 1, .top_k = 1});
    for (size_t at = 0; at < length; ++at) {
      std::vector<float> logits(length, -3.0f);
      logits[at] = -2;
      CHECK(greedy.draw(logits, {}) == static_cast<int32_t>(at));
      CHECK(first_of_one.draw(logits, {}) == static_cast<int32_t>(at));
    }
  }
}

TEST_CASE("draws follow the softmax of logits over temperature") {
  std::vector<float> logits = {0.0f, std::log(2.0f), std::log(5.0f)};
  Sampling sampling;
  sampling.temperature = 1;
  auto seen = frequencies(logits, sampling);
  CHECK(seen[0] == doctest::Approx(1 / 8.0).epsilon(0.1));
  CHECK(seen[1] == doctest::Approx(2 / 8.0).epsilon(0.1));
  CHECK(seen[2] == doctest::Approx(5 / 8.0).epsilon(0.1));
  sampling.temperature = 0.5f;  // squares the odds: 1, 4, 25
  seen = frequencies(logits, sampling);
  CHECK(seen[2] == doctest::Approx(25 / 30.0).epsilon(0.05));
}

TEST_CASE("every id of a long row is drawn as often as it is probable") {
  const std::vector<float> logits = normal(200, 1, 3);
  const std::vector<double> expected = nucleus(logits, 1), seen = frequencies(logits, {.temperature = 1}, 200000);
  for (size_t i = 0; i < logits.size(); ++i) CHECK(std::fabs(seen[i] - expected[i]) < 5 * std::sqrt(expected[i] / 200000) + 1e-5);
}

TEST_CASE("top-k, top-p and min-p keep only the most probable") {
  std::vector<float> logits = {std::log(4.0f), std::log(3.0f), std::log(2.0f), std::log(1.0f)};
  auto seen = frequencies(logits, {.temperature = 1, .top_k = 2});
  CHECK(seen[2] + seen[3] == 0);
  CHECK(seen[0] == doctest::Approx(4 / 7.0).epsilon(0.05));
  seen = frequencies(logits, {.temperature = 1, .top_p = 0.65f});  // 4/10 + 3/10 reach it
  CHECK(seen[2] + seen[3] == 0);
  CHECK(seen[1] > 0);
  seen = frequencies(logits, {.temperature = 1, .min_p = 0.4f});  // 2/4 stays, 1/4 goes
  CHECK(seen[3] == 0);
  CHECK(seen[2] > 0);
  // top-p counts what top-k left: 4/7 alone reach 0.5, of the whole it would take two.
  CHECK(drawn(logits, {.temperature = 1, .top_k = 2, .top_p = 0.5f}) == std::set<int32_t>{0});
  CHECK(drawn(logits, {.temperature = 1, .top_p = 0.5f}) == std::set<int32_t>{0, 1});
}

TEST_CASE("top-k keeps the k largest of a long row, the lower ids where they tie") {
  std::vector<float> logits = normal(1500, 2, 5);
  for (float& logit : logits) logit = std::round(logit * 2) / 2;  // many ties
  const std::vector<int32_t> best = ordered(logits);
  for (uint32_t k : {1u, 2u, 7u, 11u, 12u, 13u, 100u}) {
    CAPTURE(k);
    // So hot that the kept are drawn alike: all of them are seen.
    CHECK(drawn(logits, {.temperature = 1000, .top_k = k}, 100 * k) == std::set<int32_t>(best.begin(), best.begin() + k));
  }
  CHECK(drawn(logits, {.temperature = 1000, .top_k = 5000}, 30000).size() == 1500);
}

TEST_CASE("top-p keeps the fewest that reach p, in peaked, wide and flat rows") {
  for (float spread : {0.0f, 0.3f, 1.0f, 4.0f})
    for (float p : {0.05f, 0.51f, 0.91f, 0.999f}) {  // none falls between two of 150 equal probabilities
      CAPTURE(spread);
      CAPTURE(p);
      const std::vector<float> logits = normal(150, spread, 9);
      const std::vector<double> expected = nucleus(logits, static_cast<double>(p)),
                                seen = frequencies(logits, {.temperature = 1, .top_p = p}, 40000);
      for (size_t i = 0; i < logits.size(); ++i) CHECK(std::fabs(seen[i] - expected[i]) < 5 * std::sqrt(expected[i] / 40000) + 1e-6);
    }
}

TEST_CASE("typical sampling keeps those first whose surprise is nearest to the entropy") {
  // Probabilities 0.5, 0.25, 0.125, 0.125: entropy 1.75 bits; surprises 1, 2, 3, 3 bits; distances 0.75, 0.25, 1.25, 1.25.
  const std::vector<float> logits = {std::log(0.5f), std::log(0.25f), std::log(0.125f), std::log(0.125f)};
  CHECK(drawn(logits, {.temperature = 1, .typical = 0.2f}) == std::set<int32_t>{1});
  CHECK(drawn(logits, {.temperature = 1, .typical = 0.7f}) == std::set<int32_t>{0, 1});
  CHECK(drawn(logits, {.temperature = 1, .typical = 0.8f}) == std::set<int32_t>{0, 1, 2});
  CHECK(drawn(logits, {.temperature = 1, .typical = 0.99f}) == std::set<int32_t>{0, 1, 2, 3});
}

TEST_CASE("the same seed, stream and position draw the same id; another of them another series") {
  const std::vector<float> logits(1000, 0.0f);
  auto series = [&](uint64_t seed, uint32_t stream) {
    Sampler s = sampler(1000, {.temperature = 1, .seed = seed});
    std::vector<int32_t> ids;
    for (uint64_t i = 0; i < 20; ++i) ids.push_back(s.draw(logits, {.before = i, .stream = stream}));
    return ids;
  };
  CHECK(series(0, 0) == series(0, 0));
  CHECK(series(0, 0) != series(1, 0));
  CHECK(series(0, 0) != series(0, 1));
  CHECK(series(0, 1) != series(1, 0));
  // The order of draws does not matter, only the place; listed ids and those before them count alike.
  Sampler s = sampler(1000, {.temperature = 1});
  const int32_t third = series(0, 0)[3];
  CHECK(s.draw(logits, {.before = 3}) == third);
  CHECK(s.draw(logits, {.ids = std::vector<int32_t>{5, 5}, .before = 1}) == third);
}

TEST_CASE("the repetition penalty lowers ids of the history once each") {
  Sampler s = sampler(3, {.repetition_penalty = 2});
  std::vector<float> logits = {3.0f, 2.0f, -1.0f};
  CHECK(s.draw(logits, {.ids = std::vector<int32_t>{0}}) == 1);  // 1.5 < 2
  CHECK(s.draw(logits, {.ids = std::vector<int32_t>{1, 1, 2}}) == 0);
  CHECK(s.draw(logits, {.ids = std::vector<int32_t>{0, 0, 1, 1}}) == 0);                    // 1.5 against 1, not 0.75 against 0.5
  CHECK(s.draw(logits, {.ids = std::vector<int32_t>{99, -1}}) == 0);                        // ids outside are nobody's
  CHECK(s.draw(std::vector<float>{-1, -1.5f, -3}, {.ids = std::vector<int32_t>{0}}) == 1);  // -2 < -1.5
}

TEST_CASE("presence and frequency penalties count new ids, not those of the prompt") {
  const std::vector<float> logits = {3.0f, 2.5f, 0.0f};
  const std::vector<int32_t> ids = {0, 0, 0, 1};
  Sampler presence = sampler(3, {.presence_penalty = 1}), frequency = sampler(3, {.frequency_penalty = 0.4f});
  CHECK(presence.draw(logits, {.ids = ids, .prompt = 4}) == 0);
  CHECK(presence.draw(logits, {.ids = ids, .prompt = 3}) == 0);                       // 3 against 1.5
  CHECK(presence.draw(logits, {.ids = ids, .prompt = 0}) == 0);                       // 2 against 1.5: once each
  CHECK(presence.draw(logits, {.ids = std::span(ids).first(3), .prompt = 0}) == 1);   // 2 against 2.5
  CHECK(frequency.draw(logits, {.ids = std::span(ids).first(1), .prompt = 0}) == 0);  // 2.6 against 2.5
  CHECK(frequency.draw(logits, {.ids = std::span(ids).first(2), .prompt = 0}) == 1);  // 2.2 against 2.5
  CHECK(frequency.draw(logits, {.ids = ids, .prompt = 0}) == 1);                      // 1.8 against 2.1
}

TEST_CASE("biased, banned and constrained ids") {
  const std::vector<float> logits = {3, 2, 1, NAN};
  const LogitBias bias[] = {{1, 0.6f}, {1, 0.6f}, {0, -INFINITY}};
  CHECK(sampler(4, {.logit_bias = std::span(bias).first(1)}).draw(logits, {}) == 0);
  CHECK(sampler(4, {.logit_bias = std::span(bias).first(2)}).draw(logits, {}) == 1);  // both count
  CHECK(sampler(4, {.logit_bias = std::span(bias).last(1)}).draw(logits, {}) == 1);
  const std::vector<int32_t> banned = {0, 1, -1, 4};
  Sampler rest = sampler(4, {.banned = banned});
  CHECK(rest.draw(logits, {}) == 2);
  CHECK(rest.draw(logits, {.allowed = std::vector<uint64_t>{0b1011}}) == 3);  // even where its logit is NaN
  CHECK(rest.draw(logits, {.allowed = std::vector<uint64_t>{0b0011}}) == -1);
  CHECK(drawn(logits, {.temperature = 9, .banned = banned}) == std::set<int32_t>{2});
  Sampler hot = sampler(130, {.temperature = 1, .top_k = 3, .typical = 0.9f});
  const std::vector<uint64_t> last = {0, 0, 2};
  CHECK(hot.draw(std::vector<float>(130, -INFINITY), {.allowed = last}) == 129);
  CHECK(hot.draw(std::vector<float>(130, 1.0f), {.allowed = std::vector<uint64_t>(3)}) == -1);
}

TEST_CASE("no group of n ids is written twice") {
  Sampler s = sampler(4, {.no_repeat_ngram = 3});
  const std::vector<float> logits = {4, 3, 2, 1};
  CHECK(s.draw(logits, {.ids = std::vector<int32_t>{2, 3, 0, 2, 3}}) == 1);  // 2 3 0 is there already
  CHECK(s.draw(logits, {.ids = std::vector<int32_t>{2, 3, 0, 2, 3, 1, 2, 3}}) == 2);
  CHECK(s.draw(logits, {.ids = std::vector<int32_t>{3, 2, 0, 2, 3}}) == 0);
  CHECK(s.draw(logits, {.ids = std::vector<int32_t>{0, 0}}) == 0);     // shorter than n
  CHECK(s.draw(logits, {.ids = std::vector<int32_t>{0, 0, 0}}) == 1);  // overlapping
  CHECK(sampler(4, {.no_repeat_ngram = 1}).draw(logits, {.ids = std::vector<int32_t>{0, 2}}) == 1);
  CHECK(sampler(4, {.no_repeat_ngram = 9}).draw(logits, {.ids = std::vector<int32_t>{0, 2}}) == 0);
}

TEST_CASE("extreme logits and temperatures draw an id that is allowed") {
  const float infinity = std::numeric_limits<float>::infinity(), most = std::numeric_limits<float>::max();
  for (float temperature : {1e-40f, 1e-6f, 1.0f, 1e30f})
    for (const std::vector<float>& logits :
         {std::vector<float>{infinity, -infinity, NAN}, {most, -most, infinity}, {NAN, NAN, NAN}, {-infinity, 0, -infinity}})
      for (const Sampling& sampling : {Sampling{.temperature = temperature},
                                       {.temperature = temperature, .top_k = 2},
                                       {.temperature = temperature, .top_p = 0.5f},
                                       {.temperature = temperature, .typical = 0.5f},
                                       {.temperature = temperature, .presence_penalty = -most}}) {
        const int32_t id = sampler(3, sampling).draw(logits, {.ids = std::vector<int32_t>{0, 2}});
        CHECK(id >= 0);
        CHECK(id < 3);
      }
  CHECK(drawn({infinity, 5, infinity}, {.temperature = 1}) == std::set<int32_t>{0, 2});
  CHECK(drawn({1, 1.001f, 0}, {.temperature = 1e-40f}) == std::set<int32_t>{1});
}

TEST_CASE("options out of range are refused by name") {
  const LogitBias beyond[] = {{3, 1}}, odd[] = {{1, NAN}};
  CHECK(refusal({.temperature = -1}).find("temperature") != std::string::npos);
  CHECK(refusal({.temperature = NAN}).find("temperature") != std::string::npos);
  CHECK(refusal({.top_p = 0}).find("top_p") != std::string::npos);
  CHECK(refusal({.min_p = 1.5f}).find("min_p") != std::string::npos);
  CHECK(refusal({.typical = 0}).find("typical") != std::string::npos);
  CHECK(refusal({.repetition_penalty = 0}).find("repetition_penalty") != std::string::npos);
  CHECK(refusal({.presence_penalty = NAN}).find("presence_penalty") != std::string::npos);
  CHECK(refusal({.frequency_penalty = INFINITY}).find("frequency_penalty") != std::string::npos);
  CHECK(refusal({.logit_bias = beyond}).find("logit_bias names id 3") != std::string::npos);
  CHECK(refusal({.logit_bias = odd}).find("logit_bias of id 1") != std::string::npos);
  CHECK(Sampler::create(0, {}).status().code() == Code::invalid_argument);
}
