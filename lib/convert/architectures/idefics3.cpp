// Idefics3, arXiv 2408.12637, and SmolVLM, arXiv 2504.05299: SigLIP's patches, squares of them joined, in the places that a LLaMA keeps for
// them.
#include "convert/architectures/decoder.h"
#include "convert/architectures/dual_encoder.h"

namespace linnet::convert::pages {

namespace {

void see(Graph& g, const Config& config, uint32_t side) {
  const VisionKeys k = vision_keys(config, {.hidden = 1152, .heads = 16, .patch = 32, .function = "gelu_pytorch_tanh"});
  const std::string body = "model.vision_model.", tables = body + "embeddings.";
  if (k.rows() % side != 0 || k.columns() % side != 0) config.refuse("image_size", "squares of scale_factor patches in whole numbers");
  g.program("see", schema::ProgramKind::vision, 0);
  Value x = embed_patches(g, k, tables + "patch_embedding", true);            // images * patches x hidden
  x = g.add_positions(x, tables + "position_embedding.weight", k.patches());  // images * patches x hidden
  x = tower(g, x, body, k, schema::Reader::bidirectional);
  x = vision_norm(g, x, body + "post_layernorm", k.epsilon);
  x = g.join_squares(x, side, k.columns());  // images * patches / side^2 x hidden * side^2
  g.output(schema::Role::image_features, "image_features", g.linear(x, "model.connector.modality_projection.proj"));
}

void write_text(Graph& g, const Config& config) {
  const Config text = config.object("text_config");
  DecoderKeys c(text, g);
  c.body = "model.text_model.";
  c.tied = config.flag("tie_word_embeddings", text.flag("tie_word_embeddings", false));
  const schema::Function function = activation(text.text("hidden_act", "silu"));
  const bool attention_bias = text.flag("attention_bias", false), mlp_bias = text.flag("mlp_bias", false);
  const auto token = static_cast<uint32_t>(config.whole("image_token_id", 128257));
  text.require("sliding_window", nullptr, "this architecture sees every position");

  const Rope rope = g.rope(text, c.head_dim);
  Value ids, x = embed_tokens(g, text, c, rope.reach(c.positions), 1, &ids);  // tokens x hidden
  x = g.place_rows(x, ids, g.picture_rows(x.columns), token, false);
  Value angles = g.rotary_angles(g.positions(), rope);  // tokens x rotated channels
  for (uint32_t layer = 0; layer < c.layers; ++layer) {
    const std::string name = c.layer(layer), attn = name + "self_attn.";
    Projections p = project(g, rms_norm(g, x, c, name + "input_layernorm"), attn, attention_bias);
    rotate(g, &p, angles, c.head_dim);
    Value a = attend(g, layer, p, c.attention());                          // tokens x heads * head_dim
    x = g.add(x, g.linear(a, attn + "o_proj", {.bias = attention_bias}));  // tokens x hidden
    Value h = rms_norm(g, x, c, name + "post_attention_layernorm");        // tokens x hidden
    x = g.add(x, gated_mlp(g, h, name + "mlp.", function, mlp_bias));      // tokens x hidden
  }
  write_logits(g, x, c);
}

void write(const Config& config, Graph& g) {
  const std::string saved = saved_as(config), type = config.object("text_config").text("model_type", "llama");
  if (saved != "" && saved != "Idefics3ForConditionalGeneration" && saved != "SmolVLMForConditionalGeneration")
    config.refuse("architectures", "Idefics3ForConditionalGeneration or SmolVLMForConditionalGeneration");
  if (type != "llama") config.object("text_config").refuse("model_type", "\"llama\"");
  see(g, config.object("vision_config"), config.count("scale_factor", 2));
  write_text(g, config);
}

}  // namespace

extern const Architecture idefics3 = {
    .family = "idefics3",
    .description = "text generation about pictures; SmolVLM",
    .model_types = {"idefics3", "smolvlm"},
    .write = write,
};

}  // namespace linnet::convert::pages
