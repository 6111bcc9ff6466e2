// Keyword Transformer, arXiv 2104.00769: BERT's layers over frames of audio features instead of words. Told from BERT by its tensors:
// frames are projected, a class token goes before them, positions are added, and no norm follows.
#include "convert/architecture.h"
#include "convert/architectures/bert_layer.h"

namespace linnet::convert::pages {

namespace {

bool recognises(const Checkpoint& checkpoint) {
  return checkpoint.has("embeddings.projection.weight") && checkpoint.has("embeddings.cls_token");
}

void write(const Config& c, Graph& g) {
  const uint32_t hidden = c.count("hidden_size"), layers = c.count("num_hidden_layers"), heads = c.count("num_attention_heads");
  if (hidden % heads != 0) c.refuse("hidden_size", "a multiple of num_attention_heads");
  const BertLayer layer = {heads, hidden / heads, epsilon(c, "layer_norm_eps", 1e-12), activation(c.text("hidden_act", "gelu"))};
  const uint32_t positions = g.size("embeddings.position_embeddings.weight", 0);
  const uint32_t features = g.size("embeddings.projection.weight", 1);

  g.program("encode", schema::ProgramKind::encoder, positions - 1);
  Value frames = g.features(features);  // patches x features
  // The first layer reads raw features, whose sizes differ too much between columns to be rounded together.
  Value x = g.linear(frames, "embeddings.projection", {.role = WeightRole::exact, .bias = true});  // patches x hidden
  x = g.prepend(x, "embeddings.cls_token");                                                        // patches + sequences x hidden
  Value places = g.embed(g.positions(positions, g.rows(x)), "embeddings.position_embeddings", {.role = WeightRole::exact});
  x = g.add(x, places);  // patches + sequences x hidden
  for (uint32_t i = 0; i < layers; ++i) x = bert_layer(g, x, bert_names("encoder.layer." + std::to_string(i) + "."), layer);

  Value first = g.pool(x, schema::PoolKind::first);  // sequences x hidden
  g.output(schema::Role::logits, "logits",
           g.linear(first, "classifier", {.role = WeightRole::classifier, .bias = true}));  // sequences x labels
  g.task(schema::Task::keyword_spotting);
  g.labels(labels(c, g.size("classifier.weight", 0)));
}

}  // namespace

extern const Architecture keyword_transformer = {
    .family = "keyword_transformer",
    .description = "keyword spotting from frames of audio features (KWT)",
    .model_types = {"bert"},
    .write = write,
    .recognises = recognises,
};

}  // namespace linnet::convert::pages
