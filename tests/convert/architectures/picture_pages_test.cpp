// Encoders of pictures that no golden case has, beside their formulas: DINOv2, and CLIP with both of its towers.
#include <doctest/doctest.h>

#include "convert/conversion.h"
#include "convert/converted.h"
#include "linnet/tasks.h"

using namespace linnet;
using namespace linnet::oracle;
using convert::FakeCheckpoint;
using convert::Json;

namespace {

constexpr uint32_t kHidden = 24, kHeads = 3, kSide = 12, kPatch = 4, kPatches = 9, kInner = 40, kWords = 30, kProjection = 10;

struct Names {
  std::string norm1, query, key, value, out, norm2, fc1, fc2;
};

Names clip_names(const std::string& layer) {
  const std::string attn = layer + "self_attn.";
  return {layer + "layer_norm1", attn + "q_proj",       attn + "k_proj",   attn + "v_proj",
          attn + "out_proj",     layer + "layer_norm2", layer + "mlp.fc1", layer + "mlp.fc2"};
}

Names dinov2_names(const std::string& layer) {
  const std::string attn = layer + "attention.attention.";
  return {layer + "norm1", attn + "query",    attn + "key",     attn + "value", layer + "attention.output.dense",
          layer + "norm2", layer + "mlp.fc1", layer + "mlp.fc2"};
}

void put_linear(FakeCheckpoint& c, const std::string& name, uint64_t rows, uint64_t columns) {
  c.put(name + ".weight", {rows, columns}).put(name + ".bias", {rows});
}
void put_norm(FakeCheckpoint& c, const std::string& name) { c.put(name + ".weight", {kHidden}).put(name + ".bias", {kHidden}); }

void put_layer(FakeCheckpoint& c, const Names& n) {
  put_norm(c, n.norm1);
  for (const std::string& name : {n.query, n.key, n.value, n.out}) put_linear(c, name, kHidden, kHidden);
  put_norm(c, n.norm2);
  put_linear(c, n.fc1, kInner, kHidden);
  put_linear(c, n.fc2, kHidden, kInner);
}

Rows times(const Tensors& t, Rows x, const std::string& factor) {
  const Vector f = factor.empty() ? Vector(kHidden, 1.0) : tensor(t, factor);
  for (Vector& row : x)
    for (size_t k = 0; k < row.size(); ++k) row[k] *= f[k];
  return x;
}

Rows layer(const Tensors& t, Rows x, const Names& n, double epsilon, const char* function, bool causal, const std::string& scale1 = "",
           const std::string& scale2 = "") {
  const auto project = [&](const Rows& from, const std::string& name) { return linear(t, from, name + ".weight", name + ".bias"); };
  const Rows h = layer_norm(t, x, n.norm1, epsilon);
  const Rows a = attention(project(h, n.query), project(h, n.key), project(h, n.value), kHeads, kHeads, kHidden / kHeads, causal);
  x = add(x, times(t, project(a, n.out), scale1));
  const Rows u = project(activate(function, project(layer_norm(t, x, n.norm2, epsilon), n.fc1)), n.fc2);
  return add(x, times(t, u, scale2));
}

/// Three channels, squares line by line.
Rows patches_of(const std::vector<float>& pixels) {
  Rows rows;
  for (size_t patch = 0; patch < kPatches; ++patch) {
    Vector row;
    for (size_t channel = 0; channel < 3; ++channel)
      for (size_t y = 0; y < kPatch; ++y)
        for (size_t x = 0; x < kPatch; ++x)
          row.push_back(pixels[(channel * kSide + patch / 3 * kPatch + y) * kSide + patch % 3 * kPatch + x]);
    rows.push_back(row);
  }
  return rows;
}

Rows with_class(const Tensors& t, Rows x, const std::string& token, const std::string& positions) {
  x.insert(x.begin(), tensor(t, token));
  for (size_t i = 0; i < x.size(); ++i) x[i] = add({x[i]}, {table_row(t, positions, i, kHidden)})[0];
  return x;
}

std::vector<float> picture() {
  std::vector<float> pixels(3 * kSide * kSide);
  for (size_t i = 0; i < pixels.size(); ++i) pixels[i] = std::sin(0.7f * static_cast<float>(i)) + std::cos(0.013f * static_cast<float>(i));
  return pixels;
}

Vector unit(Vector x) {
  double squares = 0;
  for (double number : x) squares += number * number;
  for (double& number : x) number /= std::sqrt(squares);
  return x;
}

Json tower_config(const char* function) {
  return {{"hidden_size", kHidden}, {"num_hidden_layers", 1}, {"num_attention_heads", kHeads}, {"intermediate_size", kInner},
          {"image_size", kSide},    {"num_channels", 3},      {"patch_size", kPatch},          {"hidden_act", function}};
}

FakeCheckpoint small_clip(int end) {
  Json text = tower_config("quick_gelu");
  text["eos_token_id"] = end;
  FakeCheckpoint c({{"model_type", "clip"}, {"vision_config", tower_config("quick_gelu")}, {"text_config", text}});
  const std::string vision = "vision_model.", words = "text_model.";
  c.put("logit_scale", {}, {1.25f})
      .put("visual_projection.weight", {kProjection, kHidden})
      .put("text_projection.weight", {kProjection, kHidden});
  c.put(vision + "embeddings.class_embedding", {kHidden}).put(vision + "embeddings.patch_embedding.weight", {kHidden, 3, kPatch, kPatch});
  c.put(vision + "embeddings.position_embedding.weight", {kPatches + 1, kHidden});
  c.put(words + "embeddings.token_embedding.weight", {kWords, kHidden}).put(words + "embeddings.position_embedding.weight", {16, kHidden});
  for (const char* norm : {"vision_model.pre_layrnorm", "vision_model.post_layernorm", "text_model.final_layer_norm"}) put_norm(c, norm);
  for (const std::string& tower : {vision, words}) put_layer(c, clip_names(tower + "encoder.layers.0."));
  return c;
}

}  // namespace

TEST_CASE("DINOv2 multiplies its branches, and the class token's row is pooled") {
  Json config = tower_config("gelu");
  config["model_type"] = "dinov2";
  config["architectures"] = {"Dinov2Model"};
  FakeCheckpoint c(config);
  const std::string one = "encoder.layer.0.", scale1 = one + "layer_scale1.lambda1", scale2 = one + "layer_scale2.lambda1";
  put_linear(c, "embeddings.patch_embeddings.projection", kHidden, 3 * kPatch * kPatch);
  c.put("embeddings.patch_embeddings.projection.weight", {kHidden, 3, kPatch, kPatch});
  c.put("embeddings.cls_token", {1, 1, kHidden}).put("embeddings.mask_token", {1, kHidden});
  c.put("embeddings.position_embeddings", {1, kPatches + 1, kHidden}).put(scale1, {kHidden}).put(scale2, {kHidden});
  put_layer(c, dinov2_names(one));
  put_norm(c, "layernorm");

  const Tensors t = tensors_of(c);
  const std::string projection = "embeddings.patch_embeddings.projection";
  Rows x = linear(t, patches_of(picture()), projection + ".weight", projection + ".bias");
  x = with_class(t, x, "embeddings.cls_token", "embeddings.position_embeddings");
  x = layer_norm(t, layer(t, x, dinov2_names(one), 1e-6, "gelu", false, scale1, scale2), "layernorm", 1e-6);

  const Model model = converted(c, weights("f32"));
  Session session = tests::opened(model, {.threads = 1});
  const std::vector<float> pixels = picture();
  const Input input{.features = pixels};
  tests::must(session.run("see", {&input, 1}));
  CHECK(error(tests::output(session, "last_hidden_state"), flat(x)) < 1e-5);
  CHECK(error(tests::output(session, "pooler_output"), x[0]) < 1e-5);
}

TEST_CASE("CLIP compares pictures with texts, which end at their end's id or, in old files, at their largest") {
  const std::vector<int32_t> ids = {3, 29, 7, 11, 11};
  for (const auto& [end, place] : {std::pair{2, 1}, {11, 3}, {25, 0}}) {
    const FakeCheckpoint c = small_clip(end);
    const Tensors t = tensors_of(c);
    Rows x = linear(t, patches_of(picture()), "vision_model.embeddings.patch_embedding.weight", "");
    x = with_class(t, x, "vision_model.embeddings.class_embedding", "vision_model.embeddings.position_embedding.weight");
    x = layer_norm(t, x, "vision_model.pre_layrnorm", 1e-5);
    x = layer(t, x, clip_names("vision_model.encoder.layers.0."), 1e-5, "quick_gelu", false);
    x = layer_norm(t, {x[0]}, "vision_model.post_layernorm", 1e-5);
    const Vector image = unit(linear(t, x, "visual_projection.weight", "")[0]);
    Rows w;
    for (size_t i = 0; i < ids.size(); ++i)
      w.push_back(add({table_row(t, "text_model.embeddings.token_embedding.weight", static_cast<size_t>(ids[i]), kHidden)},
                      {table_row(t, "text_model.embeddings.position_embedding.weight", i, kHidden)})[0]);
    w = layer(t, w, clip_names("text_model.encoder.layers.0."), 1e-5, "quick_gelu", true);
    w = layer_norm(t, w, "text_model.final_layer_norm", 1e-5);
    const Vector text = unit(linear(t, {w[static_cast<size_t>(place)]}, "text_projection.weight", "")[0]);

    const Model model = converted(c, weights("f32"));
    Session session = tests::opened(model, {.threads = 1});
    const std::vector<float> pixels = picture();
    const Input picture_input{.features = pixels}, text_input{.tokens = ids};
    tests::must(session.run("encode_image", {&picture_input, 1}));
    const std::vector<float> got_image = tests::output(session, "image_embeds");
    tests::must(session.run("encode_text", {&text_input, 1}));
    const std::vector<float> got_text = tests::output(session, "text_embeds");
    CHECK(error(got_image, image) < 1e-5);
    CHECK(error(got_text, text) < 1e-5);
    double dot = 0;
    for (size_t i = 0; i < image.size(); ++i) dot += image[i] * text[i];
    std::vector<float> score(1);
    tests::must(similarity(model, {got_image.data(), 1, kProjection}, {got_text.data(), 1, kProjection}, score));
    CHECK(score[0] == doctest::Approx(std::exp(1.25) * dot).epsilon(1e-5));
    CHECK(similarity(model, {got_image.data(), 1, kProjection}, {got_text.data(), 1, kProjection - 1}, score).code() ==
          Code::invalid_argument);
  }
}

TEST_CASE("other heads and pictures that are no squares of patches are refused by name") {
  const auto refused = [](const char* key, const Json& value) {
    FakeCheckpoint c = small_clip(2);
    if (c.config()["vision_config"].contains(key)) c.config()["vision_config"][key] = value;
    if (!c.config()["vision_config"].contains(key)) c.config()[key] = value;
    const convert::CheckpointFolder folder("pictures-refusal");
    folder.write(c);
    return convert::refusal(folder);
  };
  CHECK(refused("architectures", {"CLIPForImageClassification"}).find("CLIPModel") != std::string::npos);
  CHECK(refused("patch_size", {4, 2}).find("patch_size") != std::string::npos);
  CHECK(refused("patch_size", 13).find("patch_size") != std::string::npos);
  CHECK(refused("image_size", {12, 16}).find("position_embedding") != std::string::npos);
  CHECK(refused("hidden_size", 23).find("num_attention_heads") != std::string::npos);
  CHECK(refused("num_channels", 1).find("patch_embedding") != std::string::npos);
}
