// The families in Llama's frame: one oracle with everything that they differ in, and for each the options that golden cases lack.
#include <doctest/doctest.h>

#include "convert/architectures/small_frames.h"
#include "convert/conversion.h"

using namespace linnet;
using namespace linnet::oracle;
using convert::FakeCheckpoint;
using convert::Json;
using namespace linnet::oracle::frames;

namespace {

constexpr double kRounding = 1e-4;
double error_with(const Json& config, const Frame& f, bool qkv_bias = false, double epsilon = 1e-6) {
  return error_of(checkpoint_of(config, f, qkv_bias), tests::tokens(33, kWords),
                  [&](const Tensors& t, const auto& ids) { return frame(t, ids, f, epsilon); });
}

std::string refusal(const FakeCheckpoint& checkpoint) {
  const convert::CheckpointFolder folder("frame-refusal");
  folder.write(checkpoint);
  return convert::refusal(folder);
}

}  // namespace

TEST_CASE("Mistral's window is 4096 where nothing is said, and none where null is") {
  Frame f;
  CHECK(error_with({{"model_type", "mistral"}, {"sliding_window", nullptr}}, f) < kRounding);
  CHECK(error_with({{"model_type", "mistral"}}, f) < kRounding);
  f.windows.assign(kLayers, 5);
  CHECK(error_with({{"model_type", "mistral"}, {"sliding_window", 5}}, f) < kRounding);
  const FakeCheckpoint silent = checkpoint_of({{"model_type", "mistral"}}, Frame());
  const Model model = converted(silent, weights("f32"));
  CHECK(model.file().states()[0].window == 4096);
}

TEST_CASE("Qwen2 and Qwen3 slide in upper layers, or as layer_types says, where sliding is switched on") {
  for (const char* type : {"qwen2", "qwen3"}) {
    const bool two = type == std::string("qwen2");
    Json config = {{"model_type", type}, {"sliding_window", 6}, {"max_window_layers", 2}};
    Frame f;
    f.head_norms = !two;
    CHECK(error_with(config, f, two) < kRounding);
    config["use_sliding_window"] = true;
    f.windows = {0, 0, 6, 6};
    CHECK(error_with(config, f, two) < kRounding);
    config["layer_types"] = {"sliding_attention", "full_attention", "full_attention", "sliding_attention"};
    f.windows = {6, 0, 0, 6};
    CHECK(error_with(config, f, two) < kRounding);
    config["layer_types"] = {"sliding_attention", "chunked_attention", "full_attention", "sliding_attention"};
    CHECK(refusal(checkpoint_of(config, f, two)).find("layer_types") != std::string::npos);
    config["layer_types"] = {"sliding_attention"};
    CHECK(refusal(checkpoint_of(config, f, two)).find("one for each of 4 layers") != std::string::npos);
  }
}

TEST_CASE("Gemma multiplies by 1 + w and takes the activation that is set") {
  Frame f = gemma_frame();
  CHECK(error_with({{"model_type", "gemma"}, {"hidden_act", "gelu"}, {"hidden_activation", "gelu_pytorch_tanh"}}, f) < kRounding);
  f.activation = "gelu";
  CHECK(error_with({{"model_type", "gemma"}, {"hidden_act", "gelu"}, {"hidden_activation", nullptr}}, f) < kRounding);
}

TEST_CASE("Gemma 2 caps scores and logits, or not, and every other layer slides") {
  Frame f = four_norms();
  f.scale = 1 / std::sqrt(18.0), f.softcap = 1.5, f.logit_cap = 2, f.windows = {7, 0, 7, 0};
  Json config = {{"model_type", "gemma2"},
                 {"query_pre_attn_scalar", 18},
                 {"attn_logit_softcapping", 1.5},
                 {"final_logit_softcapping", 2},
                 {"sliding_window", 7}};
  CHECK(error_with(config, f) < kRounding);
  config["attn_logit_softcapping"] = config["final_logit_softcapping"] = nullptr;
  f.softcap = f.logit_cap = 0;
  CHECK(error_with(config, f) < kRounding);
}

TEST_CASE("Gemma 3 has two rotary bases, in the old spelling and the new, and its full layers by a pattern or a list") {
  Frame f = four_norms();
  f.head_norms = true, f.scale = 1 / std::sqrt(12.0);
  Json config = {{"model_type", "gemma3_text"}, {"query_pre_attn_scalar", 12}, {"sliding_window", 6}};
  Json old_spelling = config, new_spelling = config;
  old_spelling.update({{"rope_theta", 5000}, {"rope_local_base_freq", 300}, {"sliding_window_pattern", 2}, {"_sliding_window_pattern", 3}});
  f.windows = {6, 0, 6, 0}, f.thetas = {300, 5000, 300, 5000};
  CHECK(error_with(old_spelling, f) < kRounding);
  new_spelling["rope_parameters"] = {{"full_attention", {{"rope_type", "default"}, {"rope_theta", 5000}}},
                                     {"sliding_attention", {{"rope_type", "default"}, {"rope_theta", 300}}}};
  new_spelling["layer_types"] = {"full_attention", "sliding_attention", "sliding_attention", "full_attention"};
  f.windows = {0, 6, 6, 0}, f.thetas = {5000, 300, 300, 5000};
  CHECK(error_with(new_spelling, f) < kRounding);
}

TEST_CASE("the text part of a Gemma 3 with images is the same model, and what sees is left out with a note") {
  Frame f = four_norms();
  f.head_norms = true, f.scale = 1 / 16.0, f.windows = {6, 6, 6, 6}, f.thetas.assign(kLayers, 10000);
  const FakeCheckpoint text = checkpoint_of({{"model_type", "gemma3_text"}, {"sliding_window", 6}}, f);
  const std::vector<int32_t> ids = tests::tokens(20, kWords);
  const std::vector<float> expected = run_decoder(converted(text, weights("f32")), ids);
  for (const char* body : {"language_model.model.", "model.language_model."}) {
    FakeCheckpoint both(Json{{"model_type", "gemma3"},
                             {"architectures", {"Gemma3ForConditionalGeneration"}},
                             {"text_config", text.Checkpoint::config()},
                             {"vision_config", {{"hidden_size", 8}}}});
    for (const convert::SourceTensor& tensor : text.tensors()) both.put(body + tensor.name.substr(6), tensor.shape, text.read(tensor.name));
    both.put("vision_tower.vision_model.post_layernorm.weight", {8}).put("multi_modal_projector.mm_soft_emb_norm.weight", {8});
    const convert::CheckpointFolder folder("gemma3-images");
    folder.write(both);
    const convert::Report report = convert::convert(folder.path(), folder.path("out.linnet"), weights("f32"));
    CHECK(report.notes.at(0).find("vision_tower.vision_model.post_layernorm.weight") != std::string::npos);
    CHECK(run_decoder(tests::must(Model::open(folder.path("out.linnet").c_str())), ids) == expected);
  }
}

TEST_CASE("OLMo 2 normalizes whole vectors, and what attention and MLP return") {
  Frame f;
  f.pre_norms = false, f.post_norms = true, f.whole_norms = true;
  CHECK(error_with({{"model_type", "olmo2"}}, f, false, 1e-5) < kRounding);
}

TEST_CASE("SmolLM3 leaves out rotations by its list or every fourth, and its window stands in those layers") {
  Frame f;
  f.thetas.assign(kLayers, 2e6), f.rotated = {true, true, true, false};
  CHECK(error_with({{"model_type", "smollm3"}}, f) < kRounding);
  f.rotated = {false, true, false, true}, f.windows = {5, 0, 5, 0};
  CHECK(error_with({{"model_type", "smollm3"}, {"no_rope_layers", {0, 1, 0, 1}}, {"use_sliding_window", true}, {"sliding_window", 5}}, f) <
        kRounding);
  CHECK(refusal(checkpoint_of({{"model_type", "smollm3"}, {"no_rope_layers", {0, 1}}}, f)).find("no_rope_layers") != std::string::npos);
}

TEST_CASE("Granite multiplies embeddings, scores, branches and logits") {
  Frame f;
  f.embedding = 3, f.scale = 0.2, f.residual = 0.4, f.logits = 2.5;
  CHECK(error_with({{"model_type", "granite"},
                    {"embedding_multiplier", 3},
                    {"attention_multiplier", 0.2},
                    {"residual_multiplier", 0.4},
                    {"logits_scaling", 2.5}},
                   f) < kRounding);
  f = {};
  f.scale = 1;
  CHECK(error_with({{"model_type", "granite"}}, f) < kRounding);
  CHECK(refusal(checkpoint_of({{"model_type", "granite"}, {"logits_scaling", 0}}, f)).find("logits_scaling is 0") != std::string::npos);
}

TEST_CASE("Phi-3 is Llama with fused matrices: parts of heads rotated, a window") {
  Frame f;
  f.rotated_channels = 6, f.windows.assign(kLayers, 9);
  const FakeCheckpoint c = fused(checkpoint_of({{"model_type", "phi3"}}, f), {{"partial_rotary_factor", 0.6}, {"sliding_window", 9}});
  CHECK(error_of(c, tests::tokens(33, kWords), [&](const Tensors& t, const auto& ids) {
          Tensors parts = t;
          for (const auto& [name, values] : tensors_of(checkpoint_of({{"model_type", "phi3"}}, f))) parts[name] = values;
          return frame(parts, ids, f, 1e-5);
        }) < kRounding);
}

TEST_CASE("Phi-3's frequencies for long texts are Llama's, by every name that they have had") {
  const Frame f;
  const Json scaling = {{"short_factor", {1.0, 1.1, 1.2, 1.5, 2.0}}, {"long_factor", {1.5, 2.0, 3.0, 4.0, 8.0}}};
  Json llama_scaling = scaling;
  llama_scaling.update({{"type", "longrope"}, {"original_max_position_embeddings", 32}});
  const FakeCheckpoint llama = checkpoint_of({{"model_type", "llama"}, {"rms_norm_eps", 1e-5}, {"rope_scaling", llama_scaling}}, f);
  for (const char* name : {"longrope", "su", "yarn"}) {
    Json phi_scaling = scaling;
    phi_scaling["type"] = name;
    const FakeCheckpoint phi =
        fused(llama, {{"model_type", "phi3"}, {"rope_scaling", phi_scaling}, {"original_max_position_embeddings", 32}});
    for (size_t length : {20u, 50u}) {
      const std::vector<int32_t> ids = tests::tokens(length, kWords);
      CHECK(run_decoder(converted(phi, weights("f32")), ids) == run_decoder(converted(llama, weights("f32")), ids));
    }
  }
}
