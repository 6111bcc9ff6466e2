#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "trial.h"

using namespace linnet;
using namespace linnet::test;
using schema::GroupScore;
using schema::RouteWeights;

namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN(), kInfinity = std::numeric_limits<float>::infinity();

struct Options {
  uint32_t count = 2;
  RouteWeights weights = RouteWeights::softmax;
  bool renormalize = false;
  float scale = 1;
  std::vector<float> correction = {};
  uint32_t groups = 1, kept = 1;
  GroupScore score = GroupScore::largest;
};

struct Routing {
  std::vector<int> chosen;  // by row
  std::vector<float> weights;
  std::string refused;
};

// The chosen experts are read back through a table of their numbers.
Routing route(const std::vector<float>& logits, uint32_t experts, const Options& options, kernels::Level level = kernels::Level::portable,
              uint32_t threads = 1) {
  Trial trial;
  trial.level = level;
  trial.threads = threads;
  trial.counts[Symbol::tokens] = {static_cast<uint32_t>(logits.size() / experts)};
  const uint32_t x = trial.input(logits, experts), chosen = trial.value(ValueType::index, options.count, tokens(), experts);
  const uint32_t weights = trial.output(options.count);
  const int32_t correction =
      options.correction.empty() ? -1 : trial.tensor("correction", 1, static_cast<uint32_t>(options.correction.size()), options.correction);
  trial.operation<schema::Route>(
      [&](auto& builder) {
        return schema::CreateRoute(builder, options.count, options.weights, options.renormalize, 0, options.scale, correction,
                                   options.groups, options.kept, options.score);
      },
      {x}, {chosen, weights});
  Routing routing;
  routing.refused = trial.run_verified(weights);
  if (!routing.refused.empty()) return routing;
  routing.weights = trial.result(weights);
  for (int32_t expert : trial.indices(chosen)) routing.chosen.push_back(expert);
  return routing;
}

std::vector<double> softmax(const std::vector<double>& x) {
  const double largest = *std::max_element(x.begin(), x.end());
  std::vector<double> out;
  double sum = 0;
  for (double value : x) sum += std::exp(value - largest);
  for (double value : x) out.push_back(std::exp(value - largest) / sum);
  return out;
}

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

bool near(float got, double expected) { return std::fabs(static_cast<double>(got) - expected) <= 2e-6 * (1 + std::fabs(expected)); }

}  // namespace

TEST_CASE("the softmax over all experts gives weights that sum to less than 1 unless they are renormalized") {
  const std::vector<float> logits = {1, 3, -2, 2};
  const std::vector<double> p = softmax({1, 3, -2, 2});
  const Routing plain = route(logits, 4, {}), whole = route(logits, 4, {.renormalize = true, .scale = 2.5f});
  CHECK(plain.chosen == std::vector<int>{1, 3});
  CHECK(near(plain.weights[0], p[1]));
  CHECK(near(plain.weights[1], p[3]));
  CHECK(whole.chosen == plain.chosen);
  CHECK(near(whole.weights[0], 2.5 * p[1] / (p[1] + p[3])));
  CHECK(near(whole.weights[1], 2.5 * p[3] / (p[1] + p[3])));
}

TEST_CASE("the softmax over the chosen experts, and the sigmoid of each") {
  const std::vector<float> logits = {-1, 0.5f, 4, 2};
  const std::vector<double> p = softmax({4, 2, 0.5});
  const Routing chosen = route(logits, 4, {.count = 3, .weights = RouteWeights::softmax_of_chosen});
  CHECK(chosen.chosen == std::vector<int>{2, 3, 1});
  for (size_t i = 0; i < 3; ++i) CHECK(near(chosen.weights[i], p[i]));
  const Routing sigmoids = route(logits, 4, {.weights = RouteWeights::sigmoid, .renormalize = true, .scale = 2});
  CHECK(sigmoids.chosen == std::vector<int>{2, 3});
  CHECK(near(sigmoids.weights[0], 2 * sigmoid(4) / (sigmoid(4) + sigmoid(2))));
}

TEST_CASE("a correction changes the choice and leaves the weights") {
  const Routing routing = route({2, 1, 0, -1}, 4, {.weights = RouteWeights::sigmoid, .correction = {0, -1, 0.1f, 0.5f}});
  CHECK(routing.chosen == std::vector<int>{0, 3});  // sigmoids 0.88 0.73 0.5 0.27, corrected 0.88 -0.27 0.6 0.77
  CHECK(near(routing.weights[1], sigmoid(-1)));
}

TEST_CASE("experts of groups with small scores are not chosen, by the largest or by the two largest of a group") {
  // Groups of three: the largest stands alone in the first, the third has the best pair.
  const std::vector<float> logits = {5, -9, -9, 1, 0.5f, 0, 3, 3.5f, -9};
  const Routing largest = route(logits, 9, {.count = 3, .groups = 3, .kept = 2});
  CHECK(largest.chosen == std::vector<int>{0, 7, 6});
  const Routing pair =
      route(logits, 9, {.count = 3, .weights = RouteWeights::sigmoid, .groups = 3, .kept = 1, .score = GroupScore::two_largest});
  CHECK(pair.chosen == std::vector<int>{7, 6, 8});
  const Routing none = route(logits, 9, {.count = 3, .groups = 3, .kept = 3});
  CHECK(none.chosen == std::vector<int>{0, 7, 6});
}

TEST_CASE("equal scores go to the lower number, both zeros are equal, and NaN comes last") {
  CHECK(route({1, 2, 2, 2}, 4, {.count = 2}).chosen == std::vector<int>{1, 2});
  CHECK(route({-0.0f, 0.0f, -0.0f, -1}, 4, {.count = 3}).chosen == std::vector<int>{0, 1, 2});
  CHECK(route({kNan, -kInfinity, kNan, 1}, 4, {.count = 4}).chosen == std::vector<int>{3, 1, 0, 2});
  CHECK(route({kInfinity, kNan, 0, kInfinity}, 4, {.count = 3}).chosen == std::vector<int>{0, 3, 2});
}

TEST_CASE("the choice is that of a sort, at every level and number of threads") {
  const uint32_t experts = 67, rows = 300;
  const std::vector<float> logits = random_numbers(rows * experts, 7);
  const Routing expected = route(logits, experts, {.count = 9});
  for (uint32_t r = 0; r < rows; ++r) {
    std::vector<int> order(experts);
    std::iota(order.begin(), order.end(), 0);
    const float* row = logits.data() + r * experts;
    std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return row[a] > row[b]; });
    REQUIRE(std::equal(order.begin(), order.begin() + 9, expected.chosen.begin() + r * 9));
  }
  for (int i = 0; i < 32; ++i)
    if (const auto level = static_cast<kernels::Level>(i); kernels::available(level)) {
      const Routing one = route(logits, experts, {.count = 9}, level, 1), three = route(logits, experts, {.count = 9}, level, 3);
      CHECK(one.chosen == expected.chosen);
      CHECK(three.chosen == expected.chosen);
      CHECK(one.weights == three.weights);
    }
}

TEST_CASE("what cannot be routed is refused by name") {
  const auto refused = [](const Options& options, uint32_t experts, const char* reason) {
    const Routing routing = route(random_numbers(experts, 1), experts, options);
    CAPTURE(routing.refused);
    CHECK(routing.refused.find(reason) != std::string::npos);
  };
  refused({.count = 5}, 4, "5 experts are chosen, expected 1 to 4");
  refused({.count = 0}, 4, "0 columns, expected 1");
  refused({.count = 3, .groups = 2, .kept = 1}, 4, "3 experts are chosen, expected 1 to 2");
  refused({.groups = 3, .kept = 3}, 4, "groups of one size");
  refused({.groups = 2, .kept = 3}, 4, "groups of one size");
  refused({.groups = 0}, 4, "groups of one size");
  refused({.groups = 4, .kept = 4, .score = GroupScore::two_largest}, 4, "groups of one expert");
  refused({.correction = {1, 2, 3}}, 4, "correction");
  refused({.weights = RouteWeights::softmax_of_chosen, .correction = {1, 2, 3, 4}}, 4, "known after the choice");
  refused({.weights = static_cast<RouteWeights>(3)}, 4, "weights 3");
  refused({.groups = 2, .kept = 2, .score = static_cast<GroupScore>(2)}, 4, "group score 2");
  refused({}, 4097, "4097 experts, expected at most 4096");
}
