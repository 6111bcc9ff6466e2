// ViT, arXiv 2010.11929: a picture's patches as the words of a BERT whose normalizations go first, and a class token before them.
#include "convert/architectures/vision_layer.h"

namespace linnet::convert::pages {

namespace {

void write(const Config& config, Graph& g) {
  const VisionKeys k = vision_keys(config, {.epsilon = 1e-12});
  const bool qkv_bias = config.flag("qkv_bias", true);
  const std::string saved = saved_as(config), body = g.has("vit.embeddings.cls_token") ? "vit." : "", tables = body + "embeddings.";
  if (saved != "" && saved != "ViTForImageClassification" && saved != "ViTModel")
    config.refuse("architectures", "a model that classifies pictures or describes them (ViTForImageClassification, ViTModel)");
  g.expect_size(config, "hidden_size", tables + "patch_embeddings.projection.weight", 0);
  g.expect_size(config, "intermediate_size", body + "encoder.layer.0.output.dense.weight", 1);

  g.program("see", schema::ProgramKind::vision, 0);
  Value x = embed_patches(g, k, tables + "patch_embeddings.projection", true);  // images * patches x hidden
  x = g.prepend(x, tables + "cls_token");                                       // images * patches + sequences x hidden
  x = g.add_positions(x, tables + "position_embeddings", k.patches() + 1);      // the same
  g.trace("embedding_output", x);
  for (uint32_t layer = 0; layer < k.layers; ++layer) {
    const std::string name = body + "encoder.layer." + std::to_string(layer) + ".", attn = name + "attention.";
    const VisionNames names = {.norm1 = name + "layernorm_before",
                               .query = attn + "attention.query",
                               .key = attn + "attention.key",
                               .value = attn + "attention.value",
                               .out = attn + "output.dense",
                               .norm2 = name + "layernorm_after",
                               .fc1 = name + "intermediate.dense",
                               .fc2 = name + "output.dense"};
    x = vision_layer(g, x, names, k, qkv_bias);
  }
  g.trace("last_hidden_state_prenorm", x);

  const std::string pooler = body + "pooler.dense";
  g.ignore(tables + "mask_token");
  if (saved == "ViTForImageClassification" || (saved == "" && g.has("classifier.weight"))) {
    // Only the class token's row goes on: the norm looks at one row at a time.
    Value h = vision_norm(g, g.pool(x, schema::PoolKind::first), body + "layernorm", k.epsilon);  // sequences x hidden
    g.output(schema::Role::logits, "logits", g.linear(h, "classifier", {.role = WeightRole::classifier, .bias = true}));
    g.task(schema::Task::image_classification);
    g.labels(labels(config, g.size("classifier.weight", 0)));
    g.ignore(pooler + ".*");
    return;
  }
  x = vision_norm(g, x, body + "layernorm", k.epsilon);
  g.output(schema::Role::hidden, "last_hidden_state", x);
  if (g.has(pooler + ".weight")) {
    const schema::Function function = activation(config.text("pooler_act", "tanh"));
    Value h = g.linear(g.pool(x, schema::PoolKind::first), pooler, {.role = WeightRole::classifier, .bias = true});
    g.output(schema::Role::pooled, "pooler_output", g.unary(h, function));  // sequences x pooler_output_size
  }
  g.task(schema::Task::feature_extraction);
}

}  // namespace

extern const Architecture vit = {
    .family = "vit",
    .description = "pictures: classification, or states and a pooled one",
    .model_types = {"vit"},
    .write = write,
};

}  // namespace linnet::convert::pages
