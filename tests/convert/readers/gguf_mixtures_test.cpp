// GGUF files of decoders with experts: the same answers as the checkpoint that they were made from.
#include <doctest/doctest.h>

#include "convert/architectures/small_mixtures.h"
#include "convert/conversion.h"
#include "convert/gguf_builder.h"

using namespace linnet;
using namespace linnet::convert;
using namespace linnet::oracle::mixtures;

namespace {

std::vector<float> logits_of(const std::string& source) {
  const CheckpointFolder folder("gguf-mixture");
  convert::convert(source, folder.path("out.linnet"), oracle::weights("f32"));
  return oracle::run_decoder(tests::must(Model::open(folder.path("out.linnet").c_str())), tests::tokens(25, kWords));
}
std::vector<float> logits_of(const GgufBuilder& b) {
  const CheckpointFolder folder("gguf-mixture-file");
  return logits_of(write_bytes(folder.path("model.gguf"), b.bytes()));
}
std::vector<float> logits_of(const FakeCheckpoint& c) {
  const CheckpointFolder folder("gguf-mixture-original");
  folder.write(c);
  return logits_of(folder.path());
}

GgufBuilder keys(const std::string& arch) {
  GgufBuilder b;
  b.text("general.architecture", arch);
  const auto count = [&](const std::string& key, size_t value) { b.whole(arch + "." + key, static_cast<uint32_t>(value)); };
  count("context_length", 128), count("embedding_length", kHidden), count("block_count", kLayers), count("feed_forward_length", kDense);
  count("attention.head_count", kHeads), count("attention.head_count_kv", kKvHeads);
  count("attention.key_length", kWidth), count("attention.value_length", kWidth);
  count("expert_count", kExperts), count("expert_used_count", kChosen), count("expert_feed_forward_length", kInner);
  b.number(arch + ".attention.layer_norm_rms_epsilon", 1e-6f);
  return b;
}

/// What a converter writes: names changed, the experts of a layer in one tensor.
void add_tensors(GgufBuilder& b, const FakeCheckpoint& c) {
  const std::vector<std::pair<std::string, std::string>> names = {{"attn_norm", "input_layernorm"},
                                                                  {"attn_q", "self_attn.q_proj"},
                                                                  {"attn_k", "self_attn.k_proj"},
                                                                  {"attn_v", "self_attn.v_proj"},
                                                                  {"attn_output", "self_attn.o_proj"},
                                                                  {"attn_q_norm", "self_attn.q_norm"},
                                                                  {"attn_k_norm", "self_attn.k_norm"},
                                                                  {"ffn_norm", "post_attention_layernorm"},
                                                                  {"ffn_gate_inp", "mlp.gate"},
                                                                  {"ffn_gate_shexp", "mlp.shared_expert.gate_proj"},
                                                                  {"ffn_up_shexp", "mlp.shared_expert.up_proj"},
                                                                  {"ffn_down_shexp", "mlp.shared_expert.down_proj"}};
  const auto copy = [&](const std::string& from, const std::string& to) {
    for (const char* ending : {".weight", ".bias"})
      if (c.has(from + ending)) b.floats(to + ending, c.tensor(from + ending).shape, c.read(from + ending));
  };
  copy("model.embed_tokens", "token_embd"), copy("model.norm", "output_norm");
  for (size_t i = 0; i < kLayers; ++i) {
    const std::string layer = layer_name(i), block = "blk." + std::to_string(i) + ".";
    for (const auto& [gguf, name] : names) copy(layer + name, block + gguf);
    if (c.has(layer + "mlp.shared_expert_gate.weight"))
      b.floats(block + "ffn_gate_inp_shexp.weight", {kHidden}, c.read(layer + "mlp.shared_expert_gate.weight"));
    for (const auto& [gguf, name, rows, columns] :
         {std::tuple{"gate", "gate_proj", kInner, kHidden}, {"up", "up_proj", kInner, kHidden}, {"down", "down_proj", kHidden, kInner}}) {
      std::vector<float> all;
      for (size_t e = 0; e < kExperts; ++e)
        for (float value : c.read(layer + "mlp.experts." + std::to_string(e) + "." + name + ".weight")) all.push_back(value);
      b.floats(block + "ffn_" + gguf + "_exps.weight", {kExperts, rows, columns}, all);
    }
  }
}

}  // namespace

TEST_CASE("files of Qwen's mixtures and OLMoE answer as their checkpoints do") {
  Mixture two, three, olmoe;
  two.qkv_bias = two.shared = true;
  three.head_norms = olmoe.whole_norms = true;
  const FakeCheckpoint of_two = checkpoint_of({{"model_type", "qwen2_moe"}}, two);
  GgufBuilder b = keys("qwen2moe");
  add_tensors(b, of_two);
  CHECK(logits_of(b) == logits_of(of_two));

  b = keys("qwen3moe");
  add_tensors(b, checkpoint_of(Json::object(), three));
  CHECK(logits_of(b) == logits_of(checkpoint_of({{"model_type", "qwen3_moe"}, {"norm_topk_prob", true}}, three)));
  b.flag("qwen3moe.expert_weights_norm", false);
  CHECK(logits_of(b) == logits_of(checkpoint_of({{"model_type", "qwen3_moe"}}, three)));

  const FakeCheckpoint of_olmoe = checkpoint_of({{"model_type", "olmoe"}, {"clip_qkv", 0.5}}, olmoe);
  b = keys("olmoe").number("olmoe.attention.clamp_kqv", 0.5f);
  add_tensors(b, of_olmoe);
  CHECK(logits_of(b) == logits_of(of_olmoe));
}

TEST_CASE("ways to weigh experts that no page computes are refused by the key") {
  const auto refused = [](const std::function<void(GgufBuilder&)>& change, const char* part) {
    GgufBuilder b = keys("qwen2moe");
    change(b);
    Mixture m;
    m.qkv_bias = true;
    add_tensors(b, checkpoint_of(Json::object(), m));
    std::string text;
    try {
      logits_of(b);
    } catch (const Error& error) {
      text = error.what();
    }
    CAPTURE(text);
    CHECK(text.find(part) != std::string::npos);
  };
  refused([](GgufBuilder& b) { b.number("qwen2moe.expert_weights_scale", 2.5f); }, "expert_weights_scale");
  refused([](GgufBuilder& b) { b.whole("qwen2moe.expert_gating_func", 2); }, "expert_gating_func");
  refused([](GgufBuilder& b) { b.whole("qwen2moe.expert_group_count", 4); }, "expert_group_count");
}
