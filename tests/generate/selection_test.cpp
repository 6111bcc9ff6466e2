// Cuts through long rows, against sorting them.
#include "generate/selection.h"

#include <doctest/doctest.h>

#include <random>
#include <vector>

using namespace linnet::generation;

namespace {

enum class Shape { normal, peaked, few_values, equal, one_far_away };

std::vector<float> row(size_t count, Shape shape) {
  std::mt19937 random(static_cast<uint32_t>(count) + static_cast<uint32_t>(shape));
  std::normal_distribution<float> normal(0, 1);
  std::vector<float> values(count);
  for (float& value : values)
    value = shape == Shape::few_values ? std::round(normal(random)) : shape == Shape::equal ? 1.0f : normal(random);
  if (shape == Shape::peaked)
    for (float& value : values) value = std::exp(value * 15);
  if (shape == Shape::one_far_away) values[count / 2] = 1e30f;
  return values;
}

const Shape kShapes[] = {Shape::normal, Shape::peaked, Shape::few_values, Shape::equal, Shape::one_far_away};

std::vector<Candidate> sorted(std::vector<Candidate> candidates) {
  std::sort(candidates.begin(), candidates.end());
  return candidates;
}

}  // namespace

TEST_CASE("the largest of a row are those of the sorted row") {
  for (Shape shape : kShapes)
    for (size_t count : {1u, 64u, 777u, 20000u})
      for (size_t wanted : {1u, 2u, 50u, 700u, 30000u}) {
        const std::vector<float> values = row(count, shape);
        std::vector<Candidate> all(count), found(count);
        for (size_t i = 0; i < count; ++i) all[i] = {-values[i], 0, static_cast<int32_t>(i)};
        all = sorted(all);
        std::vector<float> maxima(maxima_size(count));
        found.resize(most(values, wanted, maxima.data(), found.data()));
        found = sorted(found);
        REQUIRE(found.size() == std::min(count, wanted));
        for (size_t i = 0; i < found.size(); ++i) CHECK_MESSAGE(found[i].id == all[i].id, "place ", i);
      }
}

TEST_CASE("the cut is where the sorted weights reach what is wanted") {
  for (Shape shape : kShapes)
    for (size_t count : {1u, 400u, 513u, 20000u})
      for (double share : {1e-9, 0.1, 0.501, 0.95, 0.999999, 1.0}) {
        const std::vector<float> keys = row(count, shape);
        std::vector<Candidate> candidates(count), memory(count);
        const Columns columns = Columns::in(memory.data(), count);
        double whole = 0;
        for (size_t i = 0; i < count; ++i) {
          // Whole numbers: their sums are exact in any order.
          candidates[i] = {keys[i], static_cast<float>(1 + i % 7), static_cast<int32_t>(3 * i)};
          whole += static_cast<double>(candidates[i].weight);
          columns.keys[i] = candidates[i].key;
          columns.weights[i] = candidates[i].weight;
          columns.ids[i] = candidates[i].id;
        }
        const std::vector<Candidate> order = sorted(candidates);
        size_t last = 0;
        for (double reached = 0; last + 1 < count; ++last)
          if ((reached += static_cast<double>(order[last].weight)) >= share * whole) break;
        const Cut cut = reach(columns, count, share * whole);
        CHECK(cut.key == order[last].key);
        CHECK(cut.id == order[last].id);
      }
}
