// BART, arXiv 1910.13461.
#include "convert/architecture.h"
#include "convert/architectures/bart_model.h"

namespace linnet::convert::pages {

namespace {

void write(const Config& config, Graph& g) {
  const BartKeys c(config, {});
  if (bart_saved_as(config, "ForSequenceClassification"))
    bart_classifies(config, g, c, bart_full_attention(c));
  else
    bart_writes(config, g, c, bart_full_attention(c));
}

}  // namespace

extern const Architecture bart = {
    .family = "bart",
    .description = "text to text, sequence classification",
    .model_types = {"bart"},
    .write = write,
};

}  // namespace linnet::convert::pages
