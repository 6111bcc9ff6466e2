// Falcon with every layout of its fused matrix, every block and both kinds of positions.
#include <doctest/doctest.h>

#include "convert/architectures/small_falcons.h"
#include "convert/conversion.h"

using namespace linnet;
using namespace linnet::oracle;
using convert::FakeCheckpoint;
using namespace linnet::oracle::falcons;

namespace {

/// For eight heads, or for the five that are not a power of two.
Vector slopes_of(size_t heads) {
  if (heads == 8) return {0.5, 0.25, 0.125, 0.0625, 0.03125, 0.015625, 0.0078125, 0.00390625};
  return {0.25, 0.0625, 0.015625, 0.00390625, 0.5};
}

Rows falcon(const Tensors& t, const std::vector<int32_t>& ids, const Shape& s) {
  const size_t hidden = s.heads * kWidth, group = s.heads / s.kv_heads;
  Rows x = embedded(t, "transformer.word_embeddings.weight", ids, hidden);
  std::vector<size_t> q, k, v;  // blocks of one head
  for (size_t head = 0; head < s.kv_heads; ++head) {
    for (size_t member = 0; member < group; ++member) q.push_back((head * (group + 2) + member) * kWidth);
    k.push_back((head * (group + 2) + group) * kWidth);
    v.push_back((head * (group + 2) + group + 1) * kWidth);
  }
  for (size_t i = 0; i < kLayers; ++i) {
    const std::string name = "transformer.h." + std::to_string(i) + ".";
    const bool two = s.grouped && s.norms != 1;
    const Rows h = layer_norm(t, x, name + (two ? "ln_attn" : "input_layernorm"), 1e-5);
    const Rows qkv = dense(t, h, name + "self_attention.query_key_value");
    Rows query = columns(qkv, stretches(q, kWidth)), key = columns(qkv, stretches(k, kWidth));
    if (!s.alibi) query = turn(query, kWidth, kWidth, 10000), key = turn(key, kWidth, kWidth, 10000);
    Look c{s.heads, s.kv_heads, kWidth};
    if (s.alibi) c.slopes = slopes_of(s.heads);
    const Rows after = add(x, dense(t, look(query, key, columns(qkv, stretches(v, kWidth)), c), name + "self_attention.dense"));
    const Rows m = two                       ? layer_norm(t, x, name + "ln_mlp", 1e-5)
                   : s.parallel || s.grouped ? h
                                             : layer_norm(t, after, name + "post_attention_layernorm", 1e-5);
    x = add(after, dense(t, activate("gelu", dense(t, m, name + "mlp.dense_h_to_4h")), name + "mlp.dense_4h_to_h"));
  }
  return linear(t, layer_norm(t, x, "transformer.ln_f", 1e-5), "transformer.word_embeddings.weight", "");
}

const Shape kShapes[] = {
    {.heads = 4, .kv_heads = 2, .grouped = true, .norms = 0, .multi_query = true, .parallel = true, .bias = false, .alibi = false},
    {.heads = 6, .kv_heads = 3, .grouped = true, .norms = 2, .multi_query = false, .parallel = false, .bias = true, .alibi = false},
    {.heads = 4, .kv_heads = 1, .grouped = true, .norms = 1, .multi_query = true, .parallel = true, .bias = false, .alibi = false},
    {.heads = 4, .kv_heads = 1, .grouped = false, .norms = 0, .multi_query = true, .parallel = true, .bias = true, .alibi = false},
    {.heads = 4, .kv_heads = 1, .grouped = false, .norms = 0, .multi_query = true, .parallel = false, .bias = false, .alibi = false},
    {.heads = 8, .kv_heads = 8, .grouped = false, .norms = 0, .multi_query = false, .parallel = false, .bias = true, .alibi = true},
    {.heads = 5, .kv_heads = 5, .grouped = false, .norms = 0, .multi_query = false, .parallel = true, .bias = true, .alibi = true},
};

}  // namespace

TEST_CASE("Falcon of every layout, block and kind of positions computes what the formulas say") {
  for (const Shape& s : kShapes) {
    const FakeCheckpoint c = checkpoint_of(s);
    CAPTURE(c.Checkpoint::config().dump());
    CHECK(error_of(c, tests::tokens(21, kWords), [&](const Tensors& t, const auto& ids) { return falcon(t, ids, s); }) < 1e-4);
  }
}

TEST_CASE("beyond position 256 ALiBi rounds the position too") {
  const Shape s = kShapes[6];
  CHECK(error_of(checkpoint_of(s), tests::tokens(300, kWords), [&](const Tensors& t, const auto& ids) { return falcon(t, ids, s); }) <
        1e-4);
}

TEST_CASE("Falcon refuses groups that its heads do not make") {
  FakeCheckpoint c = checkpoint_of(kShapes[0]);
  c.config()["num_kv_heads"] = 3;
  const convert::CheckpointFolder folder("falcon-refusal");
  folder.write(c);
  CHECK(convert::refusal(folder).find("num_kv_heads is 3") != std::string::npos);
}
