// Decoders with routed experts: every option that golden cases lack, both ways to store experts, and what is refused.
#include <doctest/doctest.h>

#include "convert/architectures/small_mixtures.h"
#include "convert/conversion.h"

using namespace linnet;
using namespace linnet::oracle;
using namespace linnet::oracle::mixtures;
using convert::FakeCheckpoint;
using convert::Json;

namespace {

constexpr double kRounding = 1e-4;

double error_with(const Json& config, const Mixture& m) {
  return error_of(checkpoint_of(config, m), tests::tokens(33, kWords),
                  [&](const Tensors& t, const auto& ids) { return decoder(t, ids, m); });
}

std::vector<float> logits_of(const FakeCheckpoint& checkpoint, const convert::Options& options) {
  return run_decoder(converted(checkpoint, options), tests::tokens(33, kWords));
}

std::string refusal(const FakeCheckpoint& checkpoint) {
  const convert::CheckpointFolder folder("mixture-refusal");
  folder.write(checkpoint);
  return convert::refusal(folder);
}

Mixture mixtral() {
  Mixture m;
  m.moe = "block_sparse_moe.", m.gate = "w1", m.up = "w3", m.down = "w2", m.renormalize = true;
  return m;
}

}  // namespace

TEST_CASE("Mixtral weighs the best two by the softmax over these two, with a window where one is set") {
  Mixture m = mixtral();
  CHECK(error_with({{"model_type", "mixtral"}, {"num_local_experts", kExperts}}, m) < kRounding);
  m.windows.assign(kLayers, 6);
  CHECK(error_with({{"model_type", "mixtral"}, {"sliding_window", 6}}, m) < kRounding);
}

TEST_CASE("Qwen2's mixture has a shared expert, layers without experts, and weights that do not sum to 1 unless asked") {
  Mixture m;
  m.qkv_bias = m.shared = true;
  CHECK(error_with({{"model_type", "qwen2_moe"}}, m) < kRounding);
  m.renormalize = true, m.has_experts = {true, false, false, true};
  CHECK(error_with({{"model_type", "qwen2_moe"}, {"norm_topk_prob", true}, {"mlp_only_layers", {1, 2}}}, m) < kRounding);
  m.qkv_bias = false;
  CHECK(error_with({{"model_type", "qwen2_moe"}, {"norm_topk_prob", true}, {"mlp_only_layers", {1, 2}}, {"qkv_bias", false}}, m) <
        kRounding);
}

TEST_CASE("GLaM's pattern, the best two in every other layer, is a Qwen2 mixture without a shared expert") {
  Mixture m;
  m.qkv_bias = true, m.has_experts = {false, true, false, true};
  CHECK(error_with({{"model_type", "qwen2_moe"}, {"decoder_sparse_step", 2}}, m) < kRounding);
}

TEST_CASE("Qwen3's mixture normalizes heads; its experts are counted by either name") {
  Mixture m;
  m.head_norms = true;
  CHECK(error_with({{"model_type", "qwen3_moe"}}, m) < kRounding);
  m.renormalize = true, m.has_experts = {false, false, true, false};
  Json config = {{"model_type", "qwen3_moe"}, {"norm_topk_prob", true}, {"decoder_sparse_step", 3}};
  CHECK(error_with(config, m) < kRounding);
  config["num_experts"] = nullptr;
  config["num_local_experts"] = kExperts;
  CHECK(error_with(config, m) < kRounding);
}

TEST_CASE("OLMoE normalizes whole queries and keys, then clips them") {
  Mixture m;
  m.whole_norms = true;
  CHECK(error_with({{"model_type", "olmoe"}}, m) < kRounding);
  m.clip = 0.7, m.renormalize = true;
  CHECK(error_with({{"model_type", "olmoe"}, {"clip_qkv", 0.7}, {"norm_topk_prob", true}}, m) < kRounding);
}

TEST_CASE("experts that are stored together answer as those that are stored apart, in every encoding") {
  for (const char* type : {"mixtral", "qwen2_moe", "qwen3_moe", "olmoe"}) {
    Mixture m = type == std::string("mixtral") ? mixtral() : Mixture();
    m.qkv_bias = m.shared = type == std::string("qwen2_moe");
    m.head_norms = type == std::string("qwen3_moe"), m.whole_norms = type == std::string("olmoe");
    const FakeCheckpoint apart = checkpoint_of({{"model_type", type}}, m), together = stacked(apart, m);
    for (const char* encoding : {"f32", "int8", "int4", "mxfp4"})
      CHECK(logits_of(apart, weights(encoding)) == logits_of(together, weights(encoding)));
  }
}

TEST_CASE("quantized experts compute what their rounded weights say") {
  Mixture m;
  m.head_norms = true;
  const FakeCheckpoint checkpoint = checkpoint_of({{"model_type", "qwen3_moe"}}, m);
  for (const char* encoding : {"int8", "int4", "mxfp4"}) {
    const std::vector<float> got = logits_of(checkpoint, weights(encoding)), simulated = logits_of(checkpoint, weights(encoding, true));
    double dot = 0, one = 0, other = 0;
    for (size_t i = 0; i < got.size(); ++i) dot += got[i] * simulated[i], one += got[i] * got[i], other += simulated[i] * simulated[i];
    CHECK(dot / std::sqrt(one * other) > 0.995);
  }
}

TEST_CASE("a stack is one tensor of the file, its router stays in full precision, and its down projection is turned") {
  Mixture m;
  m.head_norms = true;
  const Model model = converted(checkpoint_of({{"model_type", "qwen3_moe"}}, m), weights("int4"));
  size_t stacks = 0, routers = 0;
  for (const format::Tensor& tensor : model.file().tensors()) {
    if (tensor.name.find("experts.*.") != std::string_view::npos) {
      ++stacks;
      CHECK(tensor.count == kExperts);
      CHECK(tensor.encoding == schema::Encoding::int4);
    } else if (tensor.name.find("mlp.gate.weight") != std::string_view::npos) {
      ++routers;
      CHECK(tensor.encoding == schema::Encoding::f32);
    }
  }
  CHECK(stacks == 2 * kLayers);
  CHECK(routers == kLayers);
}

TEST_CASE("mixtures that would be run wrongly are refused by name") {
  const auto contains = [](const FakeCheckpoint& checkpoint, const char* part) {
    const std::string text = refusal(checkpoint);
    CAPTURE(text);
    CHECK(text.find(part) != std::string::npos);
  };
  Mixture m;
  m.head_norms = true;
  const Json config = {{"model_type", "qwen3_moe"}};
  const auto with = [&](const Json& changes) {
    Json all = config;
    all.update(changes);
    return checkpoint_of(all, m);
  };
  contains(with({{"num_experts_per_tok", 7}}), "num_experts_per_tok is 7, expected no more than the 6 experts");
  contains(with({{"num_local_experts", 5}}), "num_local_experts is 5, expected 6 as num_experts says");
  contains(with({{"num_experts", 5}}), "mlp.gate.weight has 6 rows, expected 5 experts");
  contains(with({{"decoder_sparse_step", 0}}), "decoder_sparse_step");
  FakeCheckpoint odd = with(Json::object());
  odd.put("model.layers.2.mlp.experts.4.up_proj.weight", {19, kHidden});
  contains(odd, "experts.4.gate_proj.weight makes a matrix of 39 rows, expected 40");
  odd = with(Json::object());
  odd.put("model.layers.2.mlp.experts.4.down_proj.weight", {kHidden, 19});
  contains(odd, "experts.4.down_proj.weight has 19 columns, expected 20");
  odd = stacked(with(Json::object()), m);
  odd.put("model.layers.1.mlp.experts.down_proj", {kExperts - 1, kHidden, kInner});
  contains(odd, "experts.down_proj has 5 matrices, expected 6");
  odd.put("model.layers.1.mlp.experts.down_proj", {kExperts + 1, kHidden, kInner});
  contains(odd, "experts.down_proj has 7 matrices, expected 6");
  m.whole_norms = true, m.head_norms = false;
  contains(checkpoint_of({{"model_type", "olmoe"}, {"clip_qkv", -1}}, m), "clip_qkv is -1, expected a number above 0");
}
