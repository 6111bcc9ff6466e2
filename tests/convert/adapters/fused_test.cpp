// Adapters beside layers that the checkpoint keeps fused or transposed and the file in parts.
#include <cmath>

#include "convert/adapters/adapter_folder.h"
#include "convert/architectures/small_gpts.h"

using namespace linnet;
using namespace linnet::tests;
using convert::FakeCheckpoint;
using namespace linnet::oracle::gpt;

namespace {

std::vector<float> run(const Model& model, const std::vector<int32_t>& ids, const TestAdapter* adapter) {
  const auto count = static_cast<uint32_t>(ids.size());
  Limits limits = {.context = count, .batch_tokens = count, .outputs = count, .threads = 1, .state = StateEncoding::f32};
  if (adapter) limits.adapters = 1;
  Session session = opened(model, limits);
  const SequenceId sequence = must(session.add());
  if (adapter) must(session.use(sequence, must(session.attach(open_adapter(model, *adapter)))));
  const Input input{.sequence = sequence, .tokens = ids};
  must(session.run("generate", {&input, 1}, {.outputs = RunOptions::Outputs::all}));
  return output(session);
}

/// The largest difference to the merged checkpoint, over the largest number.
double difference(const FakeCheckpoint& base, const FakeCheckpoint& merged, const TestAdapter& adapter) {
  const std::vector<int32_t> ids = tokens(17, kWords);
  const std::vector<float> expected = run(open_converted(merged, "f32"), ids, nullptr);
  const Model model = open_converted(base, "f32");
  const std::vector<float> adapted = run(model, ids, &adapter);
  CHECK(oracle::error(run(model, ids, nullptr), {expected.begin(), expected.end()}) > 0.05);
  return oracle::error(adapted, {expected.begin(), expected.end()});
}

/// [rows, columns] -> [columns, rows]
std::vector<float> turned_over(const std::vector<float>& numbers, size_t rows, size_t columns) {
  std::vector<float> out(numbers.size());
  for (size_t r = 0; r < rows; ++r)
    for (size_t c = 0; c < columns; ++c) out[c * rows + r] = numbers[r * columns + c];
  return out;
}

}  // namespace

TEST_CASE("a pair beside a matrix of q, k and v, head by head, reaches each of the three, its bias too") {
  const FakeCheckpoint base = neox_checkpoint(true, true, 0.67);
  TestAdapter adapter(3, 5);
  for (const char* layer : {"gpt_neox.layers.0.", "gpt_neox.layers.1."}) {
    const std::string qkv = std::string(layer) + "attention.query_key_value";
    adapter.pair(qkv, 3 * kHidden, kHidden).fill(qkv + ".lora_B.bias", {3 * kHidden});
    adapter.pair(std::string(layer) + "attention.dense", kHidden, kHidden);
  }
  CHECK(difference(base, adapter.merged(base), adapter) < 1e-4);
}

TEST_CASE("a fused matrix and its bias trained in full replace all of its parts") {
  for (bool multi_query : {true, false}) {
    const FakeCheckpoint base = bigcode_checkpoint(multi_query);
    const size_t rows = multi_query ? kHidden + 2 * kWidth : 3 * kHidden;
    TestAdapter adapter(3, 5);
    adapter.config()["modules_to_save"] = {"c_attn"};
    Weights weights(9);
    adapter.put("transformer.h.1.attn.c_attn.weight", {rows, kHidden}, weights.matrix(rows, kHidden));
    adapter.fill("transformer.h.1.attn.c_attn.bias", {rows});
    CHECK(difference(base, adapter.merged(base), adapter) < 1e-4);
  }
}

TEST_CASE("pairs and full weights beside transposed matrices mean what PEFT means by them") {
  const FakeCheckpoint base = gpt2_checkpoint("transformer.", true);
  TestAdapter adapter(4, 6);
  adapter.config()["fan_in_fan_out"] = true;
  const std::string attn = "transformer.h.0.attn.c_attn", mlp = "transformer.h.1.mlp.c_fc", square = "transformer.h.1.attn.c_proj";
  adapter.pair(attn, 3 * kHidden, kHidden).pair(mlp, kInner, kHidden);
  // The same matrices as [out, in], merged, and back.
  FakeCheckpoint straight = base;
  straight.put(attn + ".weight", {3 * kHidden, kHidden}, turned_over(base.read(attn + ".weight"), kHidden, 3 * kHidden));
  straight.put(mlp + ".weight", {kInner, kHidden}, turned_over(base.read(mlp + ".weight"), kHidden, kInner));
  FakeCheckpoint merged = adapter.merged(straight);
  merged.put(attn + ".weight", {kHidden, 3 * kHidden}, turned_over(merged.read(attn + ".weight"), 3 * kHidden, kHidden));
  merged.put(mlp + ".weight", {kHidden, kInner}, turned_over(merged.read(mlp + ".weight"), kInner, kHidden));
  // Trained in full it is stored as the base is.
  Weights weights(9);
  const std::vector<float> whole = weights.matrix(kHidden, kHidden);
  adapter.put(square + ".weight", {kHidden, kHidden}, whole);
  merged.put(square + ".weight", {kHidden, kHidden}, whole);
  CHECK(difference(base, merged, adapter) < 1e-4);
}

TEST_CASE("a pair whose B has not all rows of the fused matrix is refused by name") {
  const Model model = open_converted(neox_checkpoint(true, false, 0.67), "f32");
  TestAdapter adapter(3, 5);
  adapter.pair("gpt_neox.layers.0.attention.query_key_value", 2 * kHidden, kHidden);
  const convert::CheckpointFolder folder("fused-refusal");
  adapter.write(folder);
  CHECK_THROWS_WITH_AS(convert::adapter_in_memory(folder.path(), model.file()), doctest::Contains("has shape [48, 3], expected [72, 3]"),
                       convert::Error);
}
