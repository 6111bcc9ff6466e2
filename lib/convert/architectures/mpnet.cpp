// MPNet, arXiv 2004.09297: BERT's layers under other names, RoBERTa's positions and heads, and a bias by distance that all layers share.
#include "convert/architecture.h"
#include "convert/architectures/bert_embeddings.h"
#include "convert/architectures/encoder_heads.h"
#include "convert/sentence_modules.h"

namespace linnet::convert::pages {

namespace {

constexpr uint32_t kPaddingId = 1;  // constants of the reference
constexpr uint32_t kBuckets = 32, kDistance = 128;

LayerNames names(const std::string& layer) {
  const std::string attention = layer + "attention.";
  return {attention + "attn.q",    attention + "attn.k",         attention + "attn.v",   attention + "attn.o",
          attention + "LayerNorm", layer + "intermediate.dense", layer + "output.dense", layer + "output.LayerNorm"};
}

void write(const Config& config, Graph& g) {
  BertLayer layer = bert_keys(config);
  const uint32_t layers = config.count("num_hidden_layers");
  const std::string body = body_prefix(g, "mpnet.", "embeddings.word_embeddings.weight"), tables = body + "embeddings.";
  expect_tables(config, g, tables, "hidden_size");
  g.expect_size(config, "intermediate_size", body + "encoder.layer.0.output.dense.weight", 1);
  layer.relative_bias = body + "encoder.relative_attention_bias.weight";  // buckets x heads
  layer.relative_distance = kDistance;
  if (config.count("relative_attention_num_buckets", kBuckets) != kBuckets || g.size(layer.relative_bias, 0) != kBuckets)
    throw Error(fmt::format("tensor {} has {} rows, expected {} (relative_attention_num_buckets)", layer.relative_bias,
                            g.size(layer.relative_bias, 0), kBuckets));

  Value x = roberta_embeddings(g, tables, kPaddingId, layer.epsilon, Segments::none);  // tokens x hidden
  g.trace("embedding_output", x);
  for (uint32_t i = 0; i < layers; ++i) x = bert_layer(g, x, names(body + "encoder.layer." + std::to_string(i) + "."), layer);
  g.output(schema::Role::hidden, "last_hidden_state", x);

  g.ignore("*embeddings.position_ids");
  g.ignore(body + "pooler.dense.*");
  g.ignore("lm_head.*");
  if (!sentence_modules(g, x))
    roberta_head(g, x, config, {"MPNet"}, body + "pooler.dense", tables + "word_embeddings.weight", layer.epsilon);
}

}  // namespace

extern const Architecture mpnet = {
    .family = "mpnet",
    .description = "body, masked LM, sequence and token classification, re-ranking, question answering, sentence embedding",
    .model_types = {"mpnet"},
    .write = write,
};

}  // namespace linnet::convert::pages
