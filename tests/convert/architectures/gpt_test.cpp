// The families around GPT-2, with the options that no golden case has.
#include <doctest/doctest.h>

#include "convert/architectures/small_gpts.h"
#include "convert/conversion.h"

using namespace linnet;
using namespace linnet::oracle;
using convert::FakeCheckpoint;
using convert::Json;
using namespace linnet::oracle::gpt;

namespace {

constexpr double kRounding = 1e-4;
Rows gpt2(const Tensors& t, const std::vector<int32_t>& ids, const std::string& body, bool scaled, bool by_layer) {
  Rows x = add(embedded(t, body + "wte.weight", ids, kHidden), embedded(t, body + "wpe.weight", counted(ids.size()), kHidden));
  for (size_t i = 0; i < kLayers; ++i) {
    const std::string name = layer_of(body, i);
    const Rows qkv = dense_in_out(t, layer_norm(t, x, name + "ln_1", 1e-5), name + "attn.c_attn");
    const double scale = (scaled ? 1 / std::sqrt(double(kWidth)) : 1) / (by_layer ? double(i + 1) : 1);
    const Rows a = look(columns(qkv, stretches({0}, kHidden)), columns(qkv, stretches({kHidden}, kHidden)),
                        columns(qkv, stretches({2 * kHidden}, kHidden)), {kHeads, kHeads, kWidth, scale});
    x = add(x, dense_in_out(t, a, name + "attn.c_proj"));
    const Rows u = activate("gelu_new", dense_in_out(t, layer_norm(t, x, name + "ln_2", 1e-5), name + "mlp.c_fc"));
    x = add(x, dense_in_out(t, u, name + "mlp.c_proj"));
  }
  return linear(t, layer_norm(t, x, body + "ln_f", 1e-5), t.count("lm_head.weight") ? "lm_head.weight" : body + "wte.weight", "");
}

Rows bigcode(const Tensors& t, const std::vector<int32_t>& ids, bool multi_query) {
  const std::string body = "transformer.";
  Rows x = add(embedded(t, body + "wte.weight", ids, kHidden), embedded(t, body + "wpe.weight", counted(ids.size()), kHidden));
  const std::vector<size_t> q = multi_query ? stretches({0}, kHidden) : stretches({0, 18, 36, 54}, kWidth);
  const std::vector<size_t> k = multi_query ? stretches({24}, kWidth) : stretches({6, 24, 42, 60}, kWidth);
  const std::vector<size_t> v = multi_query ? stretches({30}, kWidth) : stretches({12, 30, 48, 66}, kWidth);
  for (size_t i = 0; i < kLayers; ++i) {
    const std::string name = layer_of(body, i);
    const Rows qkv = dense(t, layer_norm(t, x, name + "ln_1", 1e-5), name + "attn.c_attn");
    x = add(x, dense(t, look(columns(qkv, q), columns(qkv, k), columns(qkv, v), {kHeads, multi_query ? 1 : kHeads, kWidth}),
                     name + "attn.c_proj"));
    const Rows u = activate("gelu_pytorch_tanh", dense(t, layer_norm(t, x, name + "ln_2", 1e-5), name + "mlp.c_fc"));
    x = add(x, dense(t, u, name + "mlp.c_proj"));
  }
  return linear(t, layer_norm(t, x, body + "ln_f", 1e-5), body + "wte.weight", "");
}

Rows neox(const Tensors& t, const std::vector<int32_t>& ids, bool parallel, size_t rotated) {
  Rows x = embedded(t, "gpt_neox.embed_in.weight", ids, kHidden);
  for (size_t i = 0; i < kLayers; ++i) {
    const std::string name = "gpt_neox.layers." + std::to_string(i) + ".";
    const Rows qkv = dense(t, layer_norm(t, x, name + "input_layernorm", 1e-5), name + "attention.query_key_value");
    const Rows q = turn(columns(qkv, stretches({0, 18, 36, 54}, kWidth)), kWidth, rotated, 500);
    const Rows k = turn(columns(qkv, stretches({6, 24, 42, 60}, kWidth)), kWidth, rotated, 500);
    const Rows a =
        dense(t, look(q, k, columns(qkv, stretches({12, 30, 48, 66}, kWidth)), {kHeads, kHeads, kWidth}), name + "attention.dense");
    const Rows after = add(x, a);
    const Rows h = layer_norm(t, parallel ? x : after, name + "post_attention_layernorm", 1e-5);
    x = add(after, dense(t, activate("gelu", dense(t, h, name + "mlp.dense_h_to_4h")), name + "mlp.dense_4h_to_h"));
  }
  return linear(t, layer_norm(t, x, "gpt_neox.final_layer_norm", 1e-5), "embed_out.weight", "");
}

std::string refusal(const FakeCheckpoint& checkpoint) {
  const convert::CheckpointFolder folder("gpt-refusal");
  folder.write(checkpoint);
  return convert::refusal(folder);
}

}  // namespace

TEST_CASE("GPT-2 is read from its transposed matrices, with and without a prefix, scaled in every way") {
  const std::vector<int32_t> ids = tests::tokens(19, kWords);
  for (const char* body : {"", "transformer."})
    for (bool scaled : {true, false})
      for (bool by_layer : {false, true}) {
        FakeCheckpoint c = gpt2_checkpoint(body, by_layer);
        c.config()["scale_attn_weights"] = scaled;
        c.config()["scale_attn_by_inverse_layer_idx"] = by_layer;
        CHECK(error_of(c, ids, [&](const Tensors& t, const auto& all) { return gpt2(t, all, body, scaled, by_layer); }) < kRounding);
      }
}

TEST_CASE("GPT-2 refuses by name what it does not compute") {
  auto with = [](const char* key, const Json& value) {
    FakeCheckpoint c = gpt2_checkpoint("", true);
    c.config()[key] = value;
    return refusal(c);
  };
  CHECK(with("add_cross_attention", true).find("add_cross_attention") != std::string::npos);
  CHECK(with("n_head", 5).find("n_embd is 24") != std::string::npos);
  CHECK(with("n_inner", 41).find("n_inner is 41, expected 40") != std::string::npos);
  CHECK(with("activation_function", "xielu").find("xielu") != std::string::npos);
  CHECK(with("architectures", {"GPT2ForSequenceClassification"}).find("GPT2ForSequenceClassification") != std::string::npos);
  FakeCheckpoint wide = gpt2_checkpoint("", true);
  wide.put("h.0.attn.c_attn.weight", {kHidden, 3 * kHidden + 1}).put("h.0.attn.c_attn.bias", {3 * kHidden + 1});
  CHECK(refusal(wide).find("h.0.attn.c_attn.bias (1 of its 73 rows)") != std::string::npos);
}

TEST_CASE("StarCoder's keys and values are those of one head or stand beside each head's queries") {
  const std::vector<int32_t> ids = tests::tokens(19, kWords);
  for (bool multi_query : {true, false})
    CHECK(error_of(bigcode_checkpoint(multi_query), ids, [&](const Tensors& t, const auto& all) { return bigcode(t, all, multi_query); }) <
          kRounding);
}

TEST_CASE("GPT-NeoX adds attention and MLP side by side or one after the other") {
  const std::vector<int32_t> ids = tests::tokens(19, kWords);
  for (bool parallel : {true, false})
    for (bool bias : {true, false})
      for (size_t rotated : {2u, 4u, 6u})
        CHECK(error_of(neox_checkpoint(parallel, bias, double(rotated) / kWidth + 1e-9), ids,
                       [&](const Tensors& t, const auto& all) { return neox(t, all, parallel, rotated); }) < kRounding);
}
