// Loops over rows of any length, against the same in double, number by number.
#include "generate/row.h"

#include <doctest/doctest.h>

#include <random>
#include <vector>

#include "generate/selection.h"

using namespace linnet::generation;

namespace {

/// Weights as the sampler has them: from 1 down to the smallest there are.
std::vector<float> weights(size_t count) {
  std::mt19937 random(static_cast<uint32_t>(count));
  std::uniform_real_distribution<double> power(-103, 0);
  std::vector<float> all(count);
  for (float& weight : all) weight = static_cast<float>(std::exp(power(random)));
  return all;
}

}  // namespace

TEST_CASE("logarithms are those of double, down to the smallest number") {
  std::vector<float> numbers = weights(20000);
  for (float edge : {1.0f, 0.99999994f, 0.70710678f, 0.70710677f, 0.5f, FLT_MIN, std::nextafter(FLT_MIN, 0.0f), 1e-45f})
    numbers.push_back(edge);
  std::vector<float> found = numbers;
  logarithms(found);
  for (size_t i = 0; i < numbers.size(); ++i) {
    const double expected = std::log(static_cast<double>(numbers[i]));
    REQUIRE(std::fabs(static_cast<double>(found[i]) - expected) <= 2e-7 * std::max(1.0, -expected));
  }
}

TEST_CASE("the least and the largest of a row are found wherever they stand") {
  for (size_t count : {1u, 15u, 16u, 17u, 64u, 100u})
    for (size_t place = 0; place < count; ++place) {
      std::vector<float> row(count, 0.5f);
      row[place] = -3;
      CHECK(minimum(row) == -3);
      row[place] = 3;
      CHECK(maximum(row) == 3);
      CHECK(minimum(row) == (count == 1 ? 3 : 0.5f));
      row[place] = NAN;
      CHECK(minimum(row) == (count == 1 ? INFINITY : 0.5f));
    }
  CHECK(minimum({}) == INFINITY);
}

TEST_CASE("a sum of products is that of double") {
  for (size_t count : {0u, 1u, 7u, 8u, 9u, 1000u}) {
    const std::vector<float> a = weights(count), b = weights(count + 1);
    double expected = 0;
    for (size_t i = 0; i < count; ++i) expected += static_cast<double>(a[i]) * static_cast<double>(b[i]);
    CHECK(dot(a, b.data()) == doctest::Approx(expected).epsilon(1e-12));
  }
}

TEST_CASE("what is at least a bound is gathered in the order of ids, from full, mixed and empty blocks") {
  std::vector<float> row(300, 0.0f);
  for (size_t i = 64; i < 128; ++i) row[i] = 1;  // a block of nothing else
  for (size_t i = 128; i < 256; i += 3) row[i] = 0.25f;
  row[299] = 0.1f;
  std::vector<Candidate> memory(row.size());
  const Columns columns = Columns::in(memory.data(), row.size());
  for (float least : {1e-45f, 0.1f, 0.2f, 0.5f, 2.0f}) {
    std::vector<int32_t> expected;
    for (size_t i = 0; i < row.size(); ++i)
      if (row[i] >= least) expected.push_back(static_cast<int32_t>(i));
    const size_t found = gather(row, least, columns);
    REQUIRE(found == expected.size());
    for (size_t i = 0; i < found; ++i) {
      CHECK(columns.ids[i] == expected[i]);
      CHECK(columns.weights[i] == row[static_cast<size_t>(expected[i])]);
    }
  }
}
