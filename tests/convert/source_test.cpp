// Tensors made of parts of the checkpoint's: ranges and runs of rows, transposed matrices, numbers that are added.
#include "convert/source.h"

#include <doctest/doctest.h>

#include "convert/fake_checkpoint.h"
#include "convert/graph.h"

using namespace linnet;
using namespace linnet::convert;

namespace {

/// Number 10 r + c in row r and column c.
FakeCheckpoint numbered() {
  FakeCheckpoint c;
  std::vector<float> matrix, vector;
  for (int r = 0; r < 8; ++r)
    for (int column = 0; column < 3; ++column) matrix.push_back(static_cast<float>(10 * r + column));
  for (int i = 0; i < 8; ++i) vector.push_back(static_cast<float>(i));
  c.put("fused.weight", {8, 3}, matrix).put("fused.bias", {8}, vector).put("norm.weight", {3}, {0.5f, -0.25f, 2});
  return c;
}

Options plain() {
  Options options;
  options.weights = "f32";
  return options;
}

struct Made {
  std::string name;
  std::vector<float> numbers;
};

Made matrix(const FakeCheckpoint& checkpoint, const std::vector<Source>& sources) {
  Weights weights(checkpoint, plain());
  const Weight& weight = weights[weights.matrix(sources, WeightRole::linear)];
  return {weight.name, weights.materialize(weight)};
}

using Floats = std::vector<float>;

}  // namespace

TEST_CASE("rows of a matrix are a tensor, one run or several") {
  const FakeCheckpoint c = numbered();
  Made made = matrix(c, {{"fused.weight", RowRange{.first = 2, .rows = 2}}});
  CHECK(made.numbers == Floats{20, 21, 22, 30, 31, 32});
  CHECK(made.name == "fused.weight[2:4]");
  made = matrix(c, {{"fused.weight", RowRange{.first = 1, .rows = 1, .step = 4, .count = 2}}});
  CHECK(made.numbers == Floats{10, 11, 12, 50, 51, 52});
  CHECK(made.name == "fused.weight[1:2 of 4]");
  made = matrix(c, {{"fused.weight", RowRange{.first = 7, .rows = 1}}, {"fused.weight", RowRange{.rows = 1}}});
  CHECK(made.numbers == Floats{70, 71, 72, 0, 1, 2});
}

TEST_CASE("a transposed matrix is turned over, its rows being the checkpoint's columns") {
  const FakeCheckpoint c = numbered();
  CHECK(matrix(c, {{"fused.weight", RowRange(), true}}).numbers.size() == 24);
  const Made made = matrix(c, {{"fused.weight", RowRange{.first = 1, .rows = 2}, true}});
  CHECK(made.numbers == Floats{1, 11, 21, 31, 41, 51, 61, 71, 2, 12, 22, 32, 42, 52, 62, 72});
  FakeCheckpoint large;  // more stored rows than are read at a time
  std::vector<float> numbers(200 * 2);
  for (size_t i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<float>(i);
  large.put("wide.weight", {200, 2}, numbers);
  const Floats rows = matrix(large, {{"wide.weight", RowRange{.first = 1, .rows = 1}, true}}).numbers;
  REQUIRE(rows.size() == 200);
  for (size_t i = 0; i < 200; ++i) CHECK(rows[i] == static_cast<float>(2 * i + 1));
}

TEST_CASE("a norm may add 1 to what the checkpoint stores, and a bias be a part of one") {
  const FakeCheckpoint c = numbered();
  Weights weights(c, plain());
  Source norm = "norm.weight";
  norm.added = 1;
  CHECK(weights.materialize(weights[weights.vector({norm}, 3)]) == Floats{1.5f, 0.75f, 3});
  const uint32_t bias = weights.vector({{"fused.bias", RowRange{.first = 1, .rows = 2, .step = 4, .count = 2}}}, 4);
  CHECK(weights.materialize(weights[bias]) == Floats{1, 2, 5, 6});
}

TEST_CASE("rows that are not there are refused by name, and rows that nothing reads are too") {
  const FakeCheckpoint c = numbered();
  CHECK_THROWS_WITH_AS(matrix(c, {{"fused.weight", RowRange{.first = 7, .rows = 2}}}),
                       doctest::Contains("fused.weight has 8 rows, expected 9"), Error);
  CHECK_THROWS_WITH_AS(matrix(c, {{"fused.weight", RowRange{.rows = 1, .step = 4, .count = 3}}}), doctest::Contains("expected 9"), Error);
  Weights weights(c, plain());
  weights.matrix({{"fused.weight", RowRange{.rows = 4}}}, WeightRole::linear);
  weights.matrix({{"fused.weight", RowRange{.rows = 4}}}, WeightRole::linear);  // the same rows again
  weights.matrix({{"fused.weight", RowRange{.first = 4, .rows = 3}}}, WeightRole::linear);
  CHECK(weights.unused() == std::vector<std::string>{"fused.weight (1 of its 8 rows)", "fused.bias", "norm.weight"});
}

TEST_CASE("layers that are read together are written as one name, several, or rows of one") {
  CHECK(Names("a").list.size() == 1);
  CHECK(Names{"a", "b"}.list[1].name == "b");
  const RowRange rows = {.first = 2, .rows = 3};
  const Names part = {std::string("a"), rows};
  REQUIRE(part.list.size() == 1);
  CHECK(part.list[0].rows == rows);
}

TEST_CASE("numbers that the converter computed are one tensor when they are the same, and two when they are not") {
  const FakeCheckpoint c = numbered();
  Weights weights(c, plain());
  const uint32_t first = weights.values("factors", {1, 2});
  CHECK(weights.values("factors", {1, 2}) == first);
  const uint32_t second = weights.values("factors", {1, 3});
  CHECK(weights.values("factors", {1, 3}) == second);
  CHECK(weights[first].values == Floats{1, 2});
  CHECK(weights[second].values == Floats{1, 3});
  CHECK(weights[second].name == "factors 2");
}
