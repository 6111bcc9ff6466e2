#include "generate/speculation_policy.h"

#include <doctest/doctest.h>

#include <random>

using linnet::generation::SpeculationPolicy;

namespace {

/// A machine on which one row takes 1000 and each further one `more`, and drafts of which the given share is right.
struct World {
  double more, share;
  std::mt19937 random{1};
  uint64_t time = 0, plain_time = 0;
  size_t ids = 0;

  void write(SpeculationPolicy& policy, size_t count) {
    while (ids < count) {
      const size_t drafts = policy.drafts(8);
      size_t right = 0;
      while (right < drafts && std::uniform_real_distribution<>()(random) < share) ++right;
      const auto took = static_cast<uint64_t>(1000 + more * static_cast<double>(drafts));
      policy.report(drafts, right, took);
      time += took;
      ids += 1 + right;
    }
    plain_time = 1000 * ids;
  }
  double speed() const { return static_cast<double>(plain_time) / static_cast<double>(time); }
};

double speed(double more, double share) {
  SpeculationPolicy policy;
  World world{more, share};
  world.write(policy, 20000);
  return world.speed();
}

}  // namespace

TEST_CASE("drafts that are right pay where more rows cost little") {
  CHECK(speed(50, 0.9) > 3);
  CHECK(speed(100, 0.7) > 1.7);
  CHECK(speed(0, 1) > 8);
}

TEST_CASE("it switches itself off where drafts are wrong or rows are dear, and loses next to nothing") {
  for (double more : {50.0, 200.0, 1000.0})
    for (double share : {0.0, 0.05}) CHECK(speed(more, share) > 0.98);
  CHECK(speed(1000, 0.9) > 0.98);
}

TEST_CASE("a text that begins to repeat itself is noticed") {
  SpeculationPolicy policy;
  World strange{80, 0.0};
  strange.write(policy, 3000);
  World known{80, 0.95};
  known.write(policy, 4000);
  CHECK(known.speed() > 2);
}

TEST_CASE("the first step is plain, and no more is proposed than there is") {
  SpeculationPolicy policy(4);
  CHECK(policy.drafts(8) == 0);
  policy.report(0, 0, 1000);
  CHECK(policy.drafts(0) == 0);
  CHECK(policy.drafts(2) <= 2);
  for (int i = 0; i < 50; ++i) {
    const size_t drafts = policy.drafts(8);
    CHECK(drafts <= 4);
    policy.report(drafts, drafts, 1000);
  }
}
