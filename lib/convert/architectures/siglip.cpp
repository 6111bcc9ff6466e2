// SigLIP, arXiv 2303.15343: CLIP without a class token. What describes a picture is read from all of its patches by one learned query.
#include "convert/architectures/dual_encoder.h"
#include "convert/architectures/fused_rows.h"

namespace linnet::convert::pages {

namespace {

constexpr VisionDefaults kDefaults = {.epsilon = 1e-6, .function = "gelu_pytorch_tanh"};

/// The learned query's attention over x. -> sequences x hidden
Value attention_pool(Graph& g, Value x, const VisionKeys& k, const std::string& head) {
  const FusedRows rows = stacked_rows(k.heads, k.heads, k.head_dim);
  auto project = [&](Value from, const RowRange& range, WeightRole role) {
    return g.linear_rows(from, head + "attention.in_proj_weight", head + "attention.in_proj_bias", range, role);
  };
  // One row for each picture, whatever was seen: the row before its first one.
  Value probe = g.pool(g.prepend(g.pool(x, schema::PoolKind::first), head + "probe"), schema::PoolKind::first);
  Value q = project(probe, rows.query, WeightRole::linear);  // sequences x hidden
  Value key = project(x, rows.key, WeightRole::key_value);   // images * patches x hidden
  Value v = project(x, rows.value, WeightRole::key_value);   // images * patches x hidden
  Value a = g.attention(q, key, v, {.reader = schema::Reader::bidirectional, .heads = k.heads, .kv_heads = k.heads, .width = k.head_dim});
  Value y = g.linear(a, head + "attention.out_proj", {.bias = true});  // sequences x hidden
  Value h = vision_norm(g, y, head + "layernorm", k.epsilon);
  return g.add(y, vision_mlp(g, h, head + "mlp.fc1", head + "mlp.fc2", k.activation));
}

/// -> sequences x hidden; an index of UINT32_MAX where the model has no pooling head. `states`: with all rows as an output.
Value see(Graph& g, const Config& config, bool states) {
  const VisionKeys k = vision_keys(config, kDefaults);
  const std::string body = tower_prefix(g, "vision_model."), tables = body + "embeddings.", head = body + "head.";
  const bool has_head = config.flag("vision_use_head", true);
  g.program(states ? "see" : "encode_image", schema::ProgramKind::vision, 0);
  Value x = embed_patches(g, k, tables + "patch_embedding", true);            // images * patches x hidden
  x = g.add_positions(x, tables + "position_embedding.weight", k.patches());  // images * patches x hidden
  g.trace("embedding_output", x);
  x = tower(g, x, body, k, schema::Reader::bidirectional);
  x = vision_norm(g, x, body + "post_layernorm", k.epsilon);
  g.ignore(tables + "position_ids");
  if (states) g.output(schema::Role::hidden, "last_hidden_state", x);
  return has_head ? attention_pool(g, x, k, head) : Value();
}

/// Of the last token: texts are filled up to one length. -> sequences x projection
Value read(Graph& g, const Config& config, bool states) {
  const VisionKeys k = text_keys(config, kDefaults);
  const std::string body = tower_prefix(g, "text_model."), tables = body + "embeddings.";
  g.program(states ? "read" : "encode_text", schema::ProgramKind::encoder, g.size(tables + "position_embedding.weight", 0));
  Value ids = g.token_ids(g.size(tables + "token_embedding.weight", 0));  // tokens
  Value x = text_tower(g, ids, body, k, schema::Reader::bidirectional);   // tokens x hidden
  g.ignore(tables + "position_ids");
  if (states) g.output(schema::Role::hidden, "last_hidden_state", x);
  return g.linear(g.pool(x, schema::PoolKind::last), body + "head", {.role = WeightRole::classifier, .bias = true});
}

void expect_saved(const Config& config, const std::string& name) {
  if (const std::string saved = saved_as(config); saved != "" && saved != name) config.refuse("architectures", name);
}

void write(const Config& config, Graph& g) {
  const std::string type = config.text("model_type", "siglip");
  if (type == "siglip") {
    expect_saved(config, "SiglipModel");
    const Config vision = config.object("vision_config");
    if (!vision.flag("vision_use_head", true)) vision.refuse("vision_use_head", "true, since pictures are compared with texts");
    g.output(schema::Role::embedding, "image_embeds", unit_length(g, see(g, vision, false)));
    g.output(schema::Role::embedding, "text_embeds", unit_length(g, read(g, config.object("text_config"), false)));
    write_similarity(g, true);
  } else if (type == "siglip_vision_model") {
    expect_saved(config, "SiglipVisionModel");
    Value pooled = see(g, config, true);
    if (pooled.index != UINT32_MAX) g.output(schema::Role::pooled, "pooler_output", pooled);
  } else {
    expect_saved(config, "SiglipTextModel");
    g.output(schema::Role::pooled, "pooler_output", read(g, config, true));
  }
  g.task(schema::Task::feature_extraction);
}

}  // namespace

extern const Architecture siglip = {
    .family = "siglip",
    .description = "pictures and texts in one space; either tower alone, pictures with or without the pooling head",
    .model_types = {"siglip", "siglip_vision_model", "siglip_text_model"},
    .write = write,
};

}  // namespace linnet::convert::pages
