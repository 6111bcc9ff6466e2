#include "convert/graph.h"

#include <doctest/doctest.h>

#include "convert/fake_checkpoint.h"

using namespace linnet;
using namespace linnet::convert;

namespace {

Options weights(const std::string& encoding) {
  Options options;
  options.weights = encoding;
  return options;
}

/// Operations of the last program by type, in order.
std::vector<std::string> operations(const Graph& graph) {
  std::vector<std::string> names;
  for (const Graph::Operation& operation : graph.programs().back().operations) names.push_back(schema::EnumNameOptions(operation.type));
  return names;
}

/// A program that multiplies one input of 32 columns by `names`, each with `role`.
Graph& begin(Graph& graph) {
  graph.program("encode", schema::ProgramKind::encoder, 16);
  return graph;
}

FakeCheckpoint matrices() {
  FakeCheckpoint checkpoint;
  checkpoint.put("a.weight", {8, 32}).put("a.bias", {8}).put("b.weight", {16, 32}).put("b.bias", {16}).put("wide.weight", {4, 80});
  checkpoint.put("table.weight", {10, 32}).put("row", {32}).put("down.weight", {32, 64});
  return checkpoint;
}

}  // namespace

TEST_CASE("a verb's result has the rows of its input and the columns of its matrix") {
  FakeCheckpoint checkpoint = matrices();
  Graph graph(checkpoint, weights("f32"));
  begin(graph);
  Value x = graph.embed(graph.token_ids(10), "table");
  Value y = graph.linear(x, "a", {.bias = true});
  CHECK(x.columns == 32);
  CHECK(y.columns == 8);
  CHECK(graph.rows(y) == Graph::tokens());
  Value z = graph.pool(y, schema::PoolKind::mean);
  CHECK(graph.rows(z) == Graph::sequences());
  CHECK(operations(graph) == std::vector<std::string>{"Embed", "Linear", "Pool"});
}

TEST_CASE("f32 and f16 weights read the value itself, quantized ones a rounded copy that is shared") {
  FakeCheckpoint checkpoint = matrices();
  for (const char* encoding : {"f32", "f16"}) {
    Graph graph(checkpoint, weights(encoding));
    Value x = begin(graph).features(32);
    graph.linear(x, "a"), graph.linear(x, "b");
    CHECK(operations(graph) == std::vector<std::string>{"Linear", "Linear"});
  }
  for (const char* encoding : {"int8", "int4"}) {
    Graph graph(checkpoint, weights(encoding));
    Value x = begin(graph).features(32);
    graph.linear(x, "a"), graph.linear(x, "b");
    CHECK(operations(graph) == std::vector<std::string>{"Quantize", "Linear", "Linear"});
  }
}

TEST_CASE("a simulated model holds no operation that rounds") {
  FakeCheckpoint checkpoint = matrices();
  Options options = weights("int4");
  options.simulate = true;
  Graph graph(checkpoint, options);
  graph.linear(begin(graph).features(32), "a", {.turned = true});
  CHECK(operations(graph) == std::vector<std::string>{"Linear"});
}

TEST_CASE("a turned linear does not share its rounded input with others") {
  FakeCheckpoint checkpoint = matrices();
  Graph graph(checkpoint, weights("int8"));
  Value x = begin(graph).features(32);
  graph.linear(x, "a"), graph.linear(x, "b", {.turned = true});
  CHECK(operations(graph) == std::vector<std::string>{"Quantize", "Linear", "Quantize", "Linear"});
  CHECK(graph.weights()[0].turn == 0);
  CHECK(graph.weights()[1].turn == 32);
  CHECK(turn_block(80) == 16);
  Options straight = weights("int8");
  straight.turn = false;
  Graph plain(checkpoint, straight);
  plain.linear(begin(plain).features(32), "b", {.turned = true});
  CHECK(plain.weights()[0].turn == 0);
}

TEST_CASE("a tensor's role decides its encoding") {
  struct Row {
    const char* weights;
    const char* head;
    Encoding linear, key_value, outer;
  };
  const Row rows[] = {
      {"f32", "", Encoding::f32, Encoding::f32, Encoding::f32},         {"f16", "", Encoding::f16, Encoding::f16, Encoding::f16},
      {"int8", "", Encoding::int8, Encoding::int8, Encoding::int8},     {"int4", "", Encoding::int4, Encoding::int8, Encoding::int8},
      {"int4", "int4", Encoding::int4, Encoding::int8, Encoding::int4}, {"int8", "f16", Encoding::int8, Encoding::int8, Encoding::f16}};
  FakeCheckpoint checkpoint = matrices();
  for (const Row& row : rows) {
    Options options = weights(row.weights);
    options.head = row.head;
    auto of = [&](WeightRole role) {
      Weights tensors(checkpoint, options);
      return tensors[tensors.matrix({"a.weight"}, role)].encoding;
    };
    CHECK(of(WeightRole::linear) == row.linear);
    CHECK(of(WeightRole::key_value) == row.key_value);
    CHECK(of(WeightRole::head) == row.outer);
    CHECK(of(WeightRole::embedding) == row.outer);
    CHECK(of(WeightRole::classifier) == (row.linear == Encoding::f32 ? Encoding::f32 : Encoding::f16));
    CHECK(of(WeightRole::exact) == Encoding::f32);
  }
}

TEST_CASE("overrides choose by pattern, leave exact tensors alone and must match something") {
  FakeCheckpoint checkpoint = matrices();
  Options options = weights("int4");
  options.overrides = {{"a.*", "f16"}};
  Graph graph(checkpoint, options);
  Value x = begin(graph).features(32);
  graph.linear(x, "a"), graph.linear(x, "b");
  CHECK(graph.weights()[0].encoding == Encoding::f16);
  CHECK(graph.weights()[1].encoding == Encoding::int4);
  graph.weights().check_overrides();
  // As on a command line, what is said later counts, and what it covers was not in vain.
  options.overrides = {{"a.weight", "int8"}, {"*", "f16"}, {"b.*", "int8"}};
  Graph ordered(checkpoint, options);
  x = begin(ordered).features(32);
  ordered.linear(x, "a"), ordered.linear(x, "b");
  CHECK(ordered.weights()[0].encoding == Encoding::f16);
  CHECK(ordered.weights()[1].encoding == Encoding::int8);
  ordered.weights().check_overrides();
  options.overrides = {{"row", "int8"}};
  Graph other(checkpoint, options);
  other.prepend(begin(other).features(32), "row");
  CHECK(other.weights()[0].encoding == Encoding::f32);
  CHECK_THROWS_WITH_AS(other.weights().check_overrides(), doctest::Contains("\"row\""), Error);
  CHECK_THROWS_WITH_AS(Graph(checkpoint, weights("int3")), doctest::Contains("\"int3\""), Error);
}

TEST_CASE("patterns match as in file names") {
  CHECK(matches("*", ""));
  CHECK(matches("a*c", "abbc"));
  CHECK(matches("*.weight", "x.weight"));
  CHECK(matches("a*b*c", "a1b2b3c"));
  CHECK_FALSE(matches("a*c", "abcd"));
  CHECK_FALSE(matches("abc", "ab"));
  CHECK_FALSE(matches("", "a"));
}

TEST_CASE("matrices that are read together become one tensor that remembers its parts") {
  FakeCheckpoint checkpoint = matrices();
  Graph graph(checkpoint, weights("f32"));
  Value y = graph.linear(begin(graph).features(32), {"a", "b"}, {.bias = true});
  CHECK(y.columns == 24);
  const Weight& weight = graph.weights()[0];
  CHECK(weight.name == "{a,b}.weight");
  CHECK(weight.sources[0].rows.rows == 8);
  CHECK(weight.sources[1].rows.rows == 16);
  std::vector<float> rows = graph.weights().materialize(weight), bias = graph.weights().materialize(graph.weights()[1]);
  CHECK(rows[8 * 32 + 5] == checkpoint.read("b.weight")[5]);
  CHECK(bias[8] == checkpoint.read("b.bias")[0]);
}

TEST_CASE("the name of a joined tensor keeps whole words") {
  FakeCheckpoint checkpoint;
  for (const char* name : {"l.0.mlp.gate_proj.weight", "l.0.mlp.up_proj.weight"}) checkpoint.put(name, {2, 4});
  Weights tensors(checkpoint, weights("f32"));
  CHECK(tensors[tensors.matrix({"l.0.mlp.gate_proj.weight", "l.0.mlp.up_proj.weight"}, WeightRole::linear)].name ==
        "l.0.mlp.{gate_proj,up_proj}.weight");
}

TEST_CASE("a tied embedding is one tensor for two operations") {
  FakeCheckpoint checkpoint = matrices();
  Graph graph(checkpoint, weights("int4"));
  begin(graph);
  Value x = graph.embed(graph.token_ids(10), "table");
  std::string head = graph.head_matrix("head.weight", "table.weight", true);
  graph.linear_with(x, head, {.role = WeightRole::head});
  CHECK(graph.weights().size() == 1);
  CHECK(graph.weights()[0].uses == 2);
  CHECK(graph.weights()[0].encoding == Encoding::int8);
}

TEST_CASE("a stored head wins over the embedding when it differs, and only then") {
  FakeCheckpoint checkpoint = matrices();
  checkpoint.put("same.weight", {10, 32}, checkpoint.read("table.weight")).put("other.weight", {10, 32});
  Graph graph(checkpoint, weights("f32"));
  CHECK(graph.head_matrix("same.weight", "table.weight", false) == "table.weight");
  CHECK(graph.head_matrix("other.weight", "table.weight", true) == "other.weight");
  CHECK_THROWS_WITH_AS(graph.head_matrix("absent.weight", "table.weight", false), doctest::Contains("absent.weight"), Error);
}

TEST_CASE("shapes that do not fit are refused by the tensor's name") {
  FakeCheckpoint checkpoint = matrices();
  Graph graph(checkpoint, weights("f32"));
  Value x = begin(graph).features(32);
  CHECK_THROWS_WITH_AS(graph.linear(x, "wide"), doctest::Contains("wide.weight has 80 columns, expected 32"), Error);
  CHECK_THROWS_WITH_AS(graph.linear(x, "row"), doctest::Contains("row.weight"), Error);
  CHECK_THROWS_WITH_AS(graph.prepend(x, "a.bias"), doctest::Contains("a.bias has 8 values, expected 32"), Error);
  CHECK_THROWS_AS(graph.add(x, graph.linear(x, "a")), Error);
}

TEST_CASE("tensors that nothing reads are refused unless the page leaves them out by name") {
  FakeCheckpoint checkpoint = matrices();
  Graph graph(checkpoint, weights("f32"));
  graph.linear(begin(graph).features(32), "a", {.bias = true});
  CHECK_THROWS_WITH_AS(graph.check_everything_read(), doctest::Contains("wide.weight"), Error);
  for (const char* pattern : {"b.*", "wide.*", "table.*", "row", "down.*"}) graph.ignore(pattern);
  graph.check_everything_read();
  CHECK(graph.notes().back().find("wide.weight") != std::string::npos);
}

TEST_CASE("simulated weights are those that the packed bytes stand for, turned back") {
  FakeCheckpoint checkpoint = matrices();
  Options options = weights("int8");
  Weights real(checkpoint, options);
  const Weight& weight = real[real.matrix({"down.weight"}, WeightRole::linear, true)];
  REQUIRE(weight.turn == 64);
  Packed packed = real.pack(weight);
  CHECK(packed.encoding == Encoding::int8);
  std::vector<float> expected = unpack(packed, 32, 64, 1);
  turn_columns(expected, 64, 64);

  options.simulate = true;
  Weights simulated(checkpoint, options);
  Packed plain = simulated.pack(simulated[simulated.matrix({"down.weight"}, WeightRole::linear, true)]);
  CHECK(plain.encoding == Encoding::f32);
  CHECK(unpack(plain, 32, 64, 1) == expected);
  CHECK(plain.squared_error == packed.squared_error);
  std::vector<float> source = checkpoint.read("down.weight");
  double error = 0, sum = 0;
  for (size_t i = 0; i < source.size(); ++i) error += std::pow(expected[i] - source[i], 2), sum += source[i] * source[i];
  CHECK(error < 1e-3 * sum);
}
