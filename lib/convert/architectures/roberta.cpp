// RoBERTa, arXiv 1907.11692, with XLM-R (arXiv 1911.02116) and CamemBERT (arXiv 1911.03894): BERT's layers, positions that pass over
// padding, and heads of their own over the first token.
#include "convert/architecture.h"
#include "convert/architectures/bert_embeddings.h"
#include "convert/architectures/encoder_heads.h"
#include "convert/sentence_modules.h"

namespace linnet::convert::pages {

namespace {

void write(const Config& config, Graph& g) {
  const BertLayer layer = bert_keys(config);
  const uint32_t layers = config.count("num_hidden_layers");
  const std::string body = body_prefix(g, "roberta.", "embeddings.word_embeddings.weight"), tables = body + "embeddings.";
  expect_tables(config, g, tables, "hidden_size");
  g.expect_size(config, "intermediate_size", body + "encoder.layer.0.output.dense.weight", 1);

  Value x = roberta_embeddings(g, tables, padding_id(config, 1), layer.epsilon);  // tokens x hidden
  g.trace("embedding_output", x);
  for (uint32_t i = 0; i < layers; ++i) x = bert_layer(g, x, bert_names(body + "encoder.layer." + std::to_string(i) + "."), layer);
  g.output(schema::Role::hidden, "last_hidden_state", x);

  g.ignore("*embeddings.position_ids");
  g.ignore(body + "pooler.dense.*");
  g.ignore("lm_head.*");
  if (!sentence_modules(g, x))
    roberta_head(g, x, config, {"Roberta", "XLMRoberta", "Camembert"}, body + "pooler.dense", tables + "word_embeddings.weight",
                 layer.epsilon);
}

}  // namespace

extern const Architecture roberta = {
    .family = "roberta",
    .description =
        "RoBERTa, XLM-R, CamemBERT: body, masked LM, sequence and token classification, re-ranking, question answering, sentence embedding",
    .model_types = {"roberta", "xlm-roberta", "camembert"},
    .write = write,
};

}  // namespace linnet::convert::pages
