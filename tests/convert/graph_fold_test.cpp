#include <doctest/doctest.h>

#include "convert/architecture.h"
#include "convert/fake_checkpoint.h"

using namespace linnet;
using namespace linnet::convert;

namespace {

const std::string kLayer = "model.layers.0.";

/// Writes the llama page over a checkpoint and folds.
void write(const FakeCheckpoint& checkpoint, Graph& graph) {
  const Config config(checkpoint.config());
  choose_architecture(checkpoint, architectures()).write(config, graph);
  graph.check_everything_read();
  graph.fold();
}

Options int8_weights() {
  Options options;
  options.weights = "int8";
  return options;
}

const Weight& find(Graph& graph, const std::string& name) {
  for (uint32_t i = 0; i < graph.weights().size(); ++i)
    if (graph.weights()[i].name == name) return graph.weights()[i];
  throw Error("no tensor " + name);
}

void scale_column(FakeCheckpoint& checkpoint, const std::string& name, size_t rows, size_t columns, size_t column, float by) {
  std::vector<float> values = checkpoint.read(name);
  for (size_t r = 0; r < rows; ++r) values[r * columns + column] *= by;
  checkpoint.put(name, {rows, columns}, values);
}

}  // namespace

TEST_CASE("a healthy model is left as it is") {
  FakeCheckpoint checkpoint = small_llama();
  Graph graph(checkpoint, int8_weights());
  write(checkpoint, graph);
  for (uint32_t i = 0; i < graph.weights().size(); ++i) {
    CHECK(graph.weights()[i].row_factors.empty());
    CHECK(graph.weights()[i].column_factors.empty());
  }
}

TEST_CASE("a column that is far too small in all readers of a norm is lifted, and the norm's weight lowered by as much") {
  FakeCheckpoint checkpoint = small_llama();
  for (auto [name, rows] : {std::pair{"self_attn.q_proj.weight", 32}, {"self_attn.k_proj.weight", 16}, {"self_attn.v_proj.weight", 16}})
    scale_column(checkpoint, kLayer + name, rows, 32, 3, 0.01f);
  Graph graph(checkpoint, int8_weights());
  write(checkpoint, graph);
  const Weight& norm = find(graph, kLayer + "input_layernorm.weight");
  const Weight& query = find(graph, kLayer + "self_attn.q_proj.weight");
  REQUIRE(norm.column_factors.size() == 32);
  float factor = query.column_factors[3];
  CHECK(factor > 30);
  CHECK(norm.column_factors[3] == doctest::Approx(1 / factor));
  CHECK(norm.column_factors[4] == 1);
  CHECK(find(graph, kLayer + "self_attn.k_proj.weight").column_factors[3] == factor);
  CHECK(find(graph, kLayer + "post_attention_layernorm.weight").column_factors.empty());
  // What the layer computes from the norm is unchanged.
  std::vector<float> folded = graph.weights().materialize(query), weight = graph.weights().materialize(norm);
  std::vector<float> plain = checkpoint.read(kLayer + "self_attn.q_proj.weight"), gain = checkpoint.read(kLayer + "input_layernorm.weight");
  for (size_t c = 0; c < 32; ++c) CHECK(folded[5 * 32 + c] * weight[c] == doctest::Approx(plain[5 * 32 + c] * gain[c]));
}

TEST_CASE("value rows and the columns of o that read them share a factor over the query heads of a group") {
  FakeCheckpoint checkpoint = small_llama();
  // Two query heads of width 16 read one value head: channel 5 stands in columns 5 and 21 of o.
  scale_column(checkpoint, kLayer + "self_attn.o_proj.weight", 32, 32, 5, 100);
  scale_column(checkpoint, kLayer + "self_attn.o_proj.weight", 32, 32, 21, 100);
  Graph graph(checkpoint, int8_weights());
  write(checkpoint, graph);
  const Weight& output = find(graph, kLayer + "self_attn.o_proj.weight");
  const Weight& values = find(graph, kLayer + "self_attn.v_proj.weight");
  REQUIRE(output.column_factors.size() == 32);
  REQUIRE(values.row_factors.size() == 16);
  CHECK(output.column_factors[5] < 0.05f);
  CHECK(output.column_factors[21] == output.column_factors[5]);
  CHECK(values.row_factors[5] == doctest::Approx(1 / output.column_factors[5]));
  CHECK(values.row_factors[6] == 1);
}

TEST_CASE("rows of up, not of gate, take the factor of a column of down") {
  FakeCheckpoint checkpoint = small_llama();
  scale_column(checkpoint, kLayer + "mlp.down_proj.weight", 32, 48, 7, 100);
  Graph graph(checkpoint, int8_weights());
  write(checkpoint, graph);
  const Weight& down = find(graph, kLayer + "mlp.down_proj.weight");
  const Weight& both = find(graph, kLayer + "mlp.{gate_proj,up_proj}.weight");
  REQUIRE(both.row_factors.size() == 96);
  CHECK(down.column_factors[7] < 0.05f);
  CHECK(both.row_factors[48 + 7] == doctest::Approx(1 / down.column_factors[7]));
  CHECK(both.row_factors[7] == 1);
}

TEST_CASE("nothing is folded into weights that stay exact, nor where folding is off") {
  FakeCheckpoint checkpoint = small_llama();
  scale_column(checkpoint, kLayer + "mlp.down_proj.weight", 32, 48, 7, 100);
  Options plain = int8_weights(), off = int8_weights();
  plain.weights = "f32";
  off.fold = false;
  for (const Options& options : {plain, off}) {
    Graph graph(checkpoint, options);
    write(checkpoint, graph);
    CHECK(find(graph, kLayer + "mlp.down_proj.weight").column_factors.empty());
  }
}

TEST_CASE("a post-norm encoder folds no norm whose result is also added") {
  FakeCheckpoint checkpoint = small_bert();
  scale_column(checkpoint, "encoder.layer.0.intermediate.dense.weight", 24, 20, 2, 100);
  scale_column(checkpoint, "encoder.layer.0.attention.output.dense.weight", 20, 20, 4, 100);
  Graph graph(checkpoint, int8_weights());
  write(checkpoint, graph);
  CHECK(find(graph, "encoder.layer.0.attention.output.LayerNorm.weight").column_factors.empty());
  // The value fold holds, bias included.
  CHECK(find(graph, "encoder.layer.0.attention.self.value.weight").row_factors[4] > 20);
  CHECK(find(graph, "encoder.layer.0.attention.self.value.bias").column_factors[4] > 20);
}
