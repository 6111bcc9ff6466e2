// CLIP, arXiv 2103.00020: a ViT whose class token's state, and a causal encoder of texts whose last token's, are projected into one space.
#include <fmt/format.h>

#include "convert/architectures/dual_encoder.h"

namespace linnet::convert::pages {

namespace {

constexpr VisionDefaults kVision = {.patch = 32, .epsilon = 1e-5, .function = "quick_gelu"};
constexpr VisionDefaults kText = {.hidden = 512, .heads = 8, .epsilon = 1e-5, .function = "quick_gelu"};

/// -> sequences x hidden. `states`: with all rows as an output.
Value see(Graph& g, const Config& config, bool states) {
  const VisionKeys k = vision_keys(config, kVision);
  const std::string body = tower_prefix(g, "vision_model."), tables = body + "embeddings.";
  g.program(states ? "see" : "encode_image", schema::ProgramKind::vision, 0);
  Value x = embed_patches(g, k, tables + "patch_embedding", false);               // images * patches x hidden
  x = g.prepend(x, tables + "class_embedding");                                   // images * patches + sequences x hidden
  x = g.add_positions(x, tables + "position_embedding.weight", k.patches() + 1);  // the same
  x = vision_norm(g, x, body + "pre_layrnorm", k.epsilon);
  g.trace("embedding_output", x);
  x = tower(g, x, body, k, schema::Reader::bidirectional);
  g.ignore(tables + "position_ids");
  if (states) g.output(schema::Role::hidden, "last_hidden_state", x);
  return vision_norm(g, g.pool(x, schema::PoolKind::first), body + "post_layernorm", k.epsilon);
}

/// -> sequences x hidden
Value read(Graph& g, const Config& config, bool states) {
  const VisionKeys k = text_keys(config, kText);
  const std::string body = tower_prefix(g, "text_model."), tables = body + "embeddings.";
  // Files from before ends had an id of their own say 2, and mean the largest id of a text.
  const int32_t end = config.whole("eos_token_id", 49407);
  g.program(states ? "read" : "encode_text", schema::ProgramKind::encoder, g.size(tables + "position_embedding.weight", 0));
  Value ids = g.token_ids(g.size(tables + "token_embedding.weight", 0));  // tokens
  Value x = text_tower(g, ids, body, k, schema::Reader::causal);          // tokens x hidden
  g.ignore(tables + "position_ids");
  if (states) g.output(schema::Role::hidden, "last_hidden_state", x);
  return g.pool_token(x, ids, end == 2 ? -1 : end);
}

/// -> sequences x projection
Value project_embedding(Graph& g, Value x, const std::string& name) { return g.linear(x, name, {.role = WeightRole::classifier}); }

void write(const Config& config, Graph& g) {
  const std::string saved = saved_as(config), type = config.text("model_type", "clip");
  if (type == "clip") {
    if (saved != "" && saved != "CLIPModel") config.refuse("architectures", "CLIPModel");
    Value image = project_embedding(g, see(g, tower_config(config, "vision_config"), false), "visual_projection");
    g.output(schema::Role::embedding, "image_embeds", unit_length(g, image));
    Value text = project_embedding(g, read(g, tower_config(config, "text_config"), false), "text_projection");
    g.output(schema::Role::embedding, "text_embeds", unit_length(g, text));
    write_similarity(g, false);
  } else if (type == "clip_vision_model") {
    if (saved != "" && saved != "CLIPVisionModel" && saved != "CLIPVisionModelWithProjection")
      config.refuse("architectures", "CLIPVisionModel or CLIPVisionModelWithProjection");
    Value x = see(g, config, true);
    const bool projects = g.has("visual_projection.weight");
    if (projects) g.output(schema::Role::embedding, "image_embeds", project_embedding(g, x, "visual_projection"));
    if (!projects) g.output(schema::Role::pooled, "pooler_output", x);
  } else {
    if (saved != "" && saved != "CLIPTextModel" && saved != "CLIPTextModelWithProjection")
      config.refuse("architectures", "CLIPTextModel or CLIPTextModelWithProjection");
    Value x = read(g, config, true);
    const bool projects = g.has("text_projection.weight");
    if (projects) g.output(schema::Role::embedding, "text_embeds", project_embedding(g, x, "text_projection"));
    if (!projects) g.output(schema::Role::pooled, "pooler_output", x);
  }
  g.task(schema::Task::feature_extraction);
}

}  // namespace

extern const Architecture clip = {
    .family = "clip",
    .description = "pictures and texts in one space; either tower alone",
    .model_types = {"clip", "clip_vision_model", "clip_text_model"},
    .write = write,
};

}  // namespace linnet::convert::pages
