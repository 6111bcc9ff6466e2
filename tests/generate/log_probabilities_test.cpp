#include <doctest/doctest.h>

#include <cmath>
#include <random>
#include <vector>

#include "linnet/sampling.h"

using namespace linnet;

namespace {

LogProbabilities log_probabilities(size_t vocabulary, size_t most) {
  auto made = LogProbabilities::create(vocabulary, most);
  REQUIRE(made.ok());
  return std::move(*made);
}

}  // namespace

TEST_CASE("log-probabilities are those of the softmax, the best first and the lower id on ties") {
  LogProbabilities found = log_probabilities(4, 3);
  found.read(std::vector<float>{std::log(2.0f), std::log(5.0f), std::log(1.0f), std::log(2.0f)});
  REQUIRE(found.top().size() == 3);
  CHECK(found.top()[0].id == 1);
  CHECK(found.top()[1].id == 0);
  CHECK(found.top()[2].id == 3);
  CHECK(found.top()[0].log_probability == doctest::Approx(std::log(0.5)));
  CHECK(found.top()[1].log_probability == doctest::Approx(std::log(0.2)));
  CHECK(found.of(2) == doctest::Approx(std::log(0.1)));
}

TEST_CASE("a long row agrees with sums in double") {
  std::mt19937 random(4);
  std::normal_distribution<float> normal(-7, 5);
  std::vector<float> logits(1001);
  for (float& logit : logits) logit = normal(random);
  double sum = 0;
  for (float logit : logits) sum += std::exp(static_cast<double>(logit));
  LogProbabilities found = log_probabilities(logits.size(), 5);
  found.read(logits);
  for (size_t i = 0; i < logits.size(); ++i)
    CHECK(std::fabs(static_cast<double>(found.of(static_cast<int32_t>(i))) - (static_cast<double>(logits[i]) - std::log(sum))) < 4e-6);
  for (size_t i = 1; i < 5; ++i) CHECK(found.top()[i - 1].log_probability >= found.top()[i].log_probability);
  size_t better = 0;
  for (size_t i = 0; i < logits.size(); ++i) better += found.of(static_cast<int32_t>(i)) > found.top()[4].log_probability;
  CHECK(better == 4);
}

TEST_CASE("numbers that are none have the lowest probability") {
  LogProbabilities found = log_probabilities(3, 9);
  found.read(std::vector<float>{NAN, 1, -INFINITY});
  CHECK(found.top().size() == 3);
  CHECK(found.of(1) == 0);
  CHECK(found.of(0) < -1e30f);
  found.read(std::vector<float>{NAN, NAN, NAN});
  CHECK(found.of(2) == doctest::Approx(-std::log(3.0)));
  found.read(std::vector<float>{INFINITY, 4, INFINITY});
  CHECK(found.of(2) == doctest::Approx(-std::log(2.0)));
  CHECK(log_probabilities(3, 0).top().empty());
}
