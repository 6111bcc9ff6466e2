// DINOv2, arXiv 2304.07193: a ViT whose branches are multiplied by learned factors before they are added (arXiv 2103.17239).
#include "convert/architectures/vision_layer.h"

namespace linnet::convert::pages {

namespace {

/// The larger models' branch: w_out(silu(gate) * up). -> rows x hidden
Value gated_branch(Graph& g, Value x, const std::string& mlp) {
  Value u = g.gate(g.linear(x, mlp + "weights_in", {.bias = true}), schema::Function::silu);
  return g.linear(u, mlp + "weights_out", {.bias = true, .turned = true});
}

/// Classifiers read the class token beside the mean of the patches. x: images * patches + sequences x hidden -> sequences x 2 hidden
Value class_and_mean(Graph& g, Value x, uint32_t patches) {
  const float count = static_cast<float>(patches);
  Value first = g.pool(x, schema::PoolKind::first), all = g.pool(x, schema::PoolKind::mean);
  return g.concat({first, g.add(g.scale(all, (count + 1) / count), first, -1 / count)});
}

void write(const Config& config, Graph& g) {
  const VisionKeys k = vision_keys(config, {.patch = 14, .epsilon = 1e-6});
  const std::string saved = saved_as(config), body = g.has("dinov2.embeddings.cls_token") ? "dinov2." : "", tables = body + "embeddings.";
  const bool gated = config.flag("use_swiglu_ffn", false), qkv_bias = config.flag("qkv_bias", true);
  if (saved != "" && saved != "Dinov2Model" && saved != "Dinov2ForImageClassification")
    config.refuse("architectures", "Dinov2Model or Dinov2ForImageClassification");

  g.program("see", schema::ProgramKind::vision, 0);
  Value x = embed_patches(g, k, tables + "patch_embeddings.projection", true);  // images * patches x hidden
  x = g.prepend(x, tables + "cls_token");                                       // images * patches + sequences x hidden
  x = g.add_positions(x, tables + "position_embeddings", k.patches() + 1);      // the same
  for (uint32_t layer = 0; layer < k.layers; ++layer) {
    const std::string name = body + "encoder.layer." + std::to_string(layer) + ".", attn = name + "attention.", mlp = name + "mlp.";
    const VisionNames names = {.norm1 = name + "norm1",
                               .query = attn + "attention.query",
                               .key = attn + "attention.key",
                               .value = attn + "attention.value",
                               .out = attn + "output.dense",
                               .norm2 = name + "norm2",
                               .fc1 = mlp + "fc1",
                               .fc2 = mlp + "fc2",
                               .scale1 = name + "layer_scale1.lambda1",
                               .scale2 = name + "layer_scale2.lambda1"};
    x = vision_attention(g, x, names, k, qkv_bias, schema::Reader::bidirectional);
    Value h = vision_norm(g, x, names.norm2, k.epsilon);
    Value u = gated ? gated_branch(g, h, mlp) : vision_mlp(g, h, names.fc1, names.fc2, k.activation);
    x = g.add(x, g.multiply_row(u, names.scale2));
  }
  x = vision_norm(g, x, body + "layernorm", k.epsilon);
  g.ignore(tables + "mask_token");
  if (saved == "Dinov2ForImageClassification" || (saved == "" && g.has("classifier.weight"))) {
    Value both = class_and_mean(g, x, k.patches());
    g.output(schema::Role::logits, "logits", g.linear(both, "classifier", {.role = WeightRole::classifier, .bias = true}));
    g.task(schema::Task::image_classification);
    g.labels(labels(config, g.size("classifier.weight", 0)));
    return;
  }
  g.output(schema::Role::hidden, "last_hidden_state", x);
  g.output(schema::Role::pooled, "pooler_output", g.pool(x, schema::PoolKind::first));
  g.task(schema::Task::feature_extraction);
}

}  // namespace

extern const Architecture dinov2 = {
    .family = "dinov2",
    .description = "pictures: states and the class token's, classification",
    .model_types = {"dinov2"},
    .write = write,
};

}  // namespace linnet::convert::pages
